/**
 * Keys and secrets with the real AWS clients against moto. Replicas are not here: moto 5.2 decrypts
 * nothing under a multi-Region key, whose ids are longer than it takes them to be. They are tested
 * with the stand-in, and with the official SDK's own keyring for them.
 */

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPayloadCodec } from '../../codec/index.ts';
import { formatKeyring, newKeyring } from '../../codec/keys/keyring/keyring.ts';
import { createKms, type RemoteKms } from '../../codec/keys/kms/kms.ts';
import type { KmsKeyPairing } from '../../codec/keys/kms/kms-key-source.ts';
import { createSecretSource } from '../../codec/keys/secrets/secret-source.ts';
import { secretsManagerReader } from '../../codec/keys/secrets/secrets-manager.ts';
import { createKmsDataKeys } from '../../codec/keys/worker-keys.ts';
import { metadataOf } from '../../codec/payload.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { Moto } from '../support/moto.ts';

let moto: Moto;
let kms: RemoteKms;

beforeAll(async () => {
  moto = await Moto.start();
  kms = createKms({ client: moto.client });
});

afterAll(async () => {
  kms?.close();
  await moto?.close();
});

/** A worker of a namespace, cold. */
function worker(namespace: string, pairings: readonly KmsKeyPairing[]) {
  return createPayloadCodec({ namespace, keys: { source: createKmsDataKeys({ pairings, kms }) } });
}

/** A worker that uses a connection of its own. */
function workerWith(connection: RemoteKms, pairings: readonly KmsKeyPairing[]) {
  return createPayloadCodec({
    namespace: 'orders',
    keys: { source: createKmsDataKeys({ pairings, kms: connection }) },
  });
}

/** Does something with a connection that knows only what the environment says. */
async function withEnvironment<T>(action: (kms: RemoteKms) => Promise<T>): Promise<T> {
  const saved = { ...process.env };
  Object.assign(process.env, moto.environment);
  const fromEnvironment = createKms();
  try {
    return await action(fromEnvironment);
  } finally {
    fromEnvironment.close();
    process.env = saved;
  }
}

const payload = { metadata: metadataOf({ encoding: 'json/plain' }), data: Buffer.from('"an order"') };
const text = (payloads: readonly { data?: Uint8Array | null }[]) =>
  payloads.map(({ data }) => Buffer.from(data ?? []).toString());

describe('with KMS', () => {
  it.each(['orders-prod.a1b2c', 'bestellungen-größe-注文'])('payloads of %s go there and back', async (namespace) => {
    const pairings = [{ namespaces: ['*'], write: await moto.createKey() }];
    const encoded = await worker(namespace, pairings).encode([payload, payload]);
    expect(text(await worker(namespace, pairings).decode(encoded))).toEqual(['"an order"', '"an order"']);
  });

  it('a data key of one namespace is refused by KMS itself under another', async () => {
    const arn = await moto.createKey();
    const keys = createKmsDataKeys({ pairings: [{ namespaces: ['*'], write: arn }], kms });
    const context = (namespace: string) => ({
      namespace,
      deadline: Date.now() + 10_000,
      usage: { keyIds: new Set<string>(), cacheHits: 0, cacheMisses: 0 },
    });
    const orders = new Map([['temporal-namespace', 'orders']]);
    const { encryptedDataKeys } = await keys.materialsFor(orders, 1, context('orders'));
    keys.clear();
    const stolen = {
      kind: 'message',
      encryptedDataKeys,
      encryptionContext: new Map([['temporal-namespace', 'payments']]),
    } as const;
    await expect((async () => keys.unwrap(stolen, context('payments')))()).rejects.toMatchObject({
      reason: 'wrong-context',
    });
    const own = await keys.unwrap({ ...stolen, encryptionContext: orders }, context('orders'));
    expect(own.id).toBe(arn);
  });

  it('what was written before the key material was rotated is read after it', async () => {
    const arn = await moto.createKey();
    const pairings = [{ namespaces: ['*'], write: arn }];
    const before = await worker('orders', pairings).encode([payload]);
    await moto.rotate(arn);
    const after = await worker('orders', pairings).encode([payload]);
    expect(text(await worker('orders', pairings).decode([...before, ...after]))).toEqual(['"an order"', '"an order"']);
  });

  it('two keys serve side by side, and a retired one no more', async () => {
    const [old, fresh] = [await moto.createKey(), await moto.createKey()];
    const before = await worker('orders', [{ namespaces: ['*'], write: old }]).encode([payload]);
    const both = worker('orders', [{ namespaces: ['*'], write: fresh, read: [old] }]);
    const after = await both.encode([payload]);
    expect(text(await both.decode([...before, ...after]))).toEqual(['"an order"', '"an order"']);
    await expect(worker('orders', [{ namespaces: ['*'], write: fresh }]).decode(before)).rejects.toMatchObject({
      reason: 'unknown-key',
    });
  });

  it('a key of another account is used with the role that may, and cannot be used without', async () => {
    const role = 'arn:aws:iam::444455556666:role/codec-keys';
    const write = await moto.createKey({ role });
    expect(write).toContain(':444455556666:');
    await withEnvironment(async (fromEnvironment) => {
      const authorized = workerWith(fromEnvironment, [{ namespaces: ['*'], write, assumeRole: role }]);
      const without = workerWith(fromEnvironment, [{ namespaces: ['*'], write }]);
      const encoded = await authorized.encode([payload]);
      expect(
        text(await workerWith(fromEnvironment, [{ namespaces: ['*'], write, assumeRole: role }]).decode(encoded)),
      ).toEqual(['"an order"']);
      await expect(without.decode(encoded)).rejects.toMatchObject({ name: 'CannotOpenError' });
      await expect(without.encode([payload])).rejects.toMatchObject({ name: 'CannotEncodeError' });
    });
  });

  it('is reached by the environment variables that every AWS SDK reads', async () => {
    const pairings = [{ namespaces: ['*'], write: await moto.createKey() }];
    const encoded = await withEnvironment((it) => workerWith(it, pairings).encode([payload]));
    expect(text(await worker('orders', pairings).decode(encoded))).toEqual(['"an order"']);
  });
});

describe('with Secrets Manager', () => {
  it('a secret comes with the version before it, and a new one within its time to live', async () => {
    const clock = new ManualClock();
    const arn = await moto.createSecret(`codec/static-keys-${Date.now()}`, 'first');
    const read = secretsManagerReader({ arn, client: moto.client });
    const parse = ({ current, previous }: { current: string; previous: string | undefined }) => [current, previous];
    const source = createSecretSource({ read: () => read(Date.now() + 5000), parse, ttlSeconds: 60, clock });
    expect(await source.get()).toEqual(['first', undefined]);
    await moto.putSecretValue(arn, 'second');
    expect(await source.get()).toEqual(['first', undefined]);
    await clock.pass(60_000);
    expect(await source.get()).toEqual(['second', 'first']);
  });

  it('a worker takes its keyring from one', async () => {
    const arn = await moto.createSecret('keyring', formatKeyring(newKeyring()));
    await withEnvironment(async () => {
      const keys = { keyringSecret: arn };
      const [one, other] = [1, 2].map(() => createPayloadCodec({ namespace: 'orders', keys }));
      const encoded = (await one?.encode([payload])) ?? [];
      expect(text(encoded)).not.toContain('"an order"');
      expect(text((await other?.decode(encoded)) ?? [])).toEqual(['"an order"']);
      one?.close();
      other?.close();
    });
  });

  it('a secret that is not there is unavailable', async () => {
    const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:missing-a1b2c3';
    await expect(secretsManagerReader({ arn, client: moto.client })(Date.now() + 5000)).rejects.toMatchObject({
      name: 'KeyUnavailableError',
    });
  });
});
