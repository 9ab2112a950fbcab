/**
 * The example codecs in other languages, on the official AWS Encryption SDKs, and ours: each reads
 * what the other writes, under a KMS key (moto's), a keyring file, and a keyring in a secret (moto's).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPayloadCodec, type EncryptingPayloadCodec } from '../../codec/index.ts';
import { formatKeyring, newKeyring } from '../../codec/keys/keyring/keyring.ts';
import { createKms, type RemoteKms } from '../../codec/keys/kms/kms.ts';
import { createKmsDataKeys } from '../../codec/keys/worker-keys.ts';
import { metadataOf, type Payload } from '../../codec/payload.ts';
import { fromTemporalPayload, toTemporalPayload } from '../../codec/temporal-codec.ts';
import { Moto } from '../support/moto.ts';
import { ask, go, goLibrary, java, type Peer, type PeerKey, python } from './peers/peers.ts';

const folder = mkdtempSync(join(tmpdir(), 'peers-'));
const keyring = join(folder, 'keyring.json');
writeFileSync(keyring, formatKeyring(newKeyring()), { mode: 0o600 });

let moto: Moto;
let kms: RemoteKms;
let arn: string;
let secret: string;

beforeAll(async () => {
  moto = await Moto.start();
  kms = createKms({ client: moto.client });
  arn = await moto.createKey();
  secret = await moto.createSecret('peers', readFileSync(keyring, 'utf8'));
  // The clients of Secrets Manager find it as those of the other languages do.
  Object.assign(process.env, moto.environment);
}, 600_000);

afterAll(async () => {
  kms?.close();
  await moto?.close();
  rmSync(folder, { recursive: true });
});

const payloads: Payload[] = [
  { metadata: metadataOf({ encoding: 'json/plain', größe: 'XL' }), data: Buffer.from('{"order":"größe 😀"}') },
  {
    metadata: metadataOf({ encoding: 'binary/plain' }),
    data: Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 256)),
  },
  { metadata: metadataOf({ encoding: 'binary/null' }), data: Buffer.alloc(0) },
];

/** The keys, made when the tests run. */
const KEYS: Readonly<Record<string, () => PeerKey>> = {
  'a KMS key': () => ({ kms: arn }),
  'a keyring': () => ({ keyring }),
};

function ours(namespace: string, key: PeerKey): EncryptingPayloadCodec {
  if ('keyring' in key) return createPayloadCodec({ namespace, keys: { keyring: key.keyring } });
  if ('secret' in key) return createPayloadCodec({ namespace, keys: { keyringSecret: key.secret } });
  const source = createKmsDataKeys({ pairings: [{ namespaces: [namespace], write: key.kms }], kms });
  return createPayloadCodec({ namespace, keys: { source } });
}

async function weRead(namespace: string, key: PeerKey, encoded: readonly Payload[]): Promise<Payload[]> {
  return (await ours(namespace, key).decode(encoded.map(toTemporalPayload))).map(fromTemporalPayload);
}

async function weWrite(namespace: string, key: PeerKey): Promise<Payload[]> {
  return (await ours(namespace, key).encode(payloads.map(toTemporalPayload))).map(fromTemporalPayload);
}

/** Payloads in a form that can be compared. */
function shown(all: readonly Payload[]) {
  return all.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata)
        .map(([name, value]) => [name, Buffer.from(value).toString()])
        .sort(),
    ),
    data: Buffer.from(data).toString('base64'),
  }));
}

/** @param signed whether the official library of the language writes signed messages, too */
async function thereAndBack(peer: Peer, namespace: string, key: PeerKey, signed: boolean): Promise<void> {
  for (const signs of signed ? [false, true] : [false]) {
    const task = { operation: 'encode', namespace, key, payloads, signed: signs } as const;
    const theirs = await ask(peer, task, moto.environment);
    expect(new Set(shown(theirs).map((it) => it.metadata['encoding']))).toEqual(new Set(['binary/aws-encryption-sdk']));
    expect(shown(await weRead(namespace, key, theirs))).toEqual(shown(payloads));
  }
  const written = await weWrite(namespace, key);
  const read = await ask(peer, { operation: 'decode', namespace, key, payloads: written }, moto.environment);
  expect(shown(read)).toEqual(shown(payloads));
}

describe.each([python, java, goLibrary])('$name, under a keyring in a secret', (peer) => {
  it('and we read each other’s payloads', async () => {
    await peer.prepare();
    await thereAndBack(peer, 'orders-prod.a1b2c', { secret }, false);
  }, 1_800_000);
});

describe.each([python, java, go, goLibrary])('$name', (peer) => {
  beforeAll(async () => {
    await peer.prepare();
  }, 1_800_000);

  describe.each(Object.entries(KEYS))('under %s', (_, keyOf) => {
    it.each(['orders-prod.a1b2c', 'bestellungen-größe-注文-😀'])(
      'and we read each other’s payloads of %s',
      (namespace) => thereAndBack(peer, namespace, keyOf(), peer !== goLibrary),
    );

    it('reads nothing of another namespace, and leaves alone what is not encrypted', async () => {
      const key = keyOf();
      const foreign = await weWrite('payments', key);
      const task = { operation: 'decode', namespace: 'orders', key } as const;
      await expect(ask(peer, { ...task, payloads: foreign }, moto.environment)).rejects.toThrow(
        /another namespace|namespace "?payments"? .*orders/,
      );
      expect(shown(await ask(peer, { ...task, payloads }, moto.environment))).toEqual(shown(payloads));
    });
  });
});
