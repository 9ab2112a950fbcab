/** Messages under KMS, ours and those of the official AWS Encryption SDK for JavaScript, read by each other. */

import {
  AlgorithmSuiteIdentifier,
  AwsKmsMrkAwareSymmetricKeyringNode,
  buildClient,
  CommitmentPolicy,
  KMS,
  KmsKeyringNode,
} from '@aws-crypto/client-node';
import type { AwsEsdkKMSInterface, KmsClientSupplier } from '@aws-crypto/kms-keyring';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPayloadCodec } from '../../../../codec/index.ts';
import { createKms, type RemoteKms } from '../../../../codec/keys/kms/kms.ts';
import { createKmsDataKeys } from '../../../../codec/keys/worker-keys.ts';
import { deserializePayload, metadataOf, serializePayload } from '../../../../codec/payload.ts';
import { KmsStandIn } from '../../../support/kms-stand-in.ts';

const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);

const SUITES = {
  '0x0478': AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
  '0x0578': AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384,
};
const NAMESPACES = ['orders-prod.a1b2c', 'bestellungen-größe', '注文-😀', 'x'.repeat(255)];

let standIn: KmsStandIn;
let kms: RemoteKms;

beforeAll(async () => {
  standIn = await KmsStandIn.start();
  kms = createKms({ client: standIn.client });
});

afterAll(async () => {
  kms.close();
  await standIn.close();
});

/** The library's own types do not allow for the missing fields that those of the client allow for. */
const clientFor = (region: string): AwsEsdkKMSInterface =>
  new KMS({ ...standIn.client, region }) as unknown as AwsEsdkKMSInterface;
const clientProvider: KmsClientSupplier<AwsEsdkKMSInterface> = clientFor;

function ourCodec(namespace: string, write: string, read: readonly string[] = []) {
  const source = createKmsDataKeys({ pairings: [{ namespaces: [namespace], write, read }], kms });
  return createPayloadCodec({ namespace, keys: { source } });
}

const payload = {
  metadata: metadataOf({ encoding: 'json/plain' }),
  data: Buffer.from(JSON.stringify({ order: 'größe 😀', lines: 'x'.repeat(10_000) })),
};

async function theirs(keyring: KmsKeyringNode, namespace: string, suiteId?: AlgorithmSuiteIdentifier) {
  const { result } = await encrypt(keyring, serializePayload(payload), {
    encryptionContext: { 'temporal-namespace': namespace },
    ...(suiteId === undefined ? {} : { suiteId }),
  });
  return { metadata: metadataOf({ encoding: 'binary/aws-encryption-sdk' }), data: result };
}

describe.each(NAMESPACES)('under KMS, for the namespace %s', (namespace) => {
  it.each(Object.entries(SUITES))('we read what the official SDK writes with suite %s', async (_, suiteId) => {
    const arn = standIn.createKey();
    const message = await theirs(new KmsKeyringNode({ clientProvider, generatorKeyId: arn }), namespace, suiteId);
    const [decoded] = await ourCodec(namespace, arn).decode([message]);
    expect(Buffer.from(decoded?.data ?? [])).toEqual(payload.data);
  });

  it('the official SDK reads what we write, and finds the namespace authenticated in it', async () => {
    const arn = standIn.createKey();
    const [encoded] = await ourCodec(namespace, arn).encode([payload]);
    const { plaintext, messageHeader } = await decrypt(
      new KmsKeyringNode({ clientProvider, keyIds: [arn] }),
      encoded?.data ?? new Uint8Array(),
    );
    expect(Buffer.from(deserializePayload(plaintext).data)).toEqual(payload.data);
    expect({ ...messageHeader.encryptionContext }).toEqual({ 'temporal-namespace': namespace });
    expect(messageHeader.suiteId).toBe(SUITES['0x0478']);
  });
});

describe('under several KMS keys', () => {
  it('we read with any of the keys that the official SDK wrapped the data key with', async () => {
    const [a, b, c] = [standIn.createKey(), standIn.createKey(), standIn.createKey()];
    const keyring = new KmsKeyringNode({ clientProvider, generatorKeyId: a, keyIds: [b, c] });
    const message = await theirs(keyring, 'orders');
    for (const arn of [a, b, c]) {
      const [decoded] = await ourCodec('orders', arn).decode([message]);
      expect(Buffer.from(decoded?.data ?? [])).toEqual(payload.data);
    }
    await expect(ourCodec('orders', standIn.createKey()).decode([message])).rejects.toMatchObject({
      reason: 'unknown-key',
    });
  });

  it('the official SDK reads with a replica what we write with its sister, and we what it writes', async () => {
    const primary = standIn.createKey({ region: 'us-east-1', multiRegion: true });
    const replica = standIn.replicate(primary, 'eu-west-1');
    const theirReplica = new AwsKmsMrkAwareSymmetricKeyringNode({
      keyId: replica,
      client: clientFor('eu-west-1'),
    });
    const [encoded] = await ourCodec('orders', primary).encode([payload]);
    const { plaintext } = await decrypt(theirReplica, encoded?.data ?? new Uint8Array());
    expect(Buffer.from(deserializePayload(plaintext).data)).toEqual(payload.data);
    const message = await theirs(theirReplica as unknown as KmsKeyringNode, 'orders');
    const [decoded] = await ourCodec('orders', primary).decode([message]);
    expect(Buffer.from(decoded?.data ?? [])).toEqual(payload.data);
  });
});
