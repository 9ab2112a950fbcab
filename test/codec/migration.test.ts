/** The plan of docs/migrate.md: no worker ever meets a payload it cannot read. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { openAesGcm } from '../../codec/formats/aes-gcm.ts';
import { createPayloadCodec, type EncryptingPayloadCodec } from '../../codec/index.ts';
import { addKeyToKeyringFile } from '../../codec/keys/keyring/keyring-file.ts';
import { createKmsDataKeys } from '../../codec/keys/worker-keys.ts';
import { deserializePayload, serializePayload } from '../../codec/payload.ts';
import { toTemporalPayload } from '../../codec/temporal-codec.ts';
import { checkKeys } from '../../config/checks/keys.ts';
import { MemoryKms } from '../support/memory-kms.ts';
import { payloadOf, sealAesGcm } from '../support/payloads.ts';
import { RivalPayloads } from '../support/rival-payloads.ts';

const OLD_KEY = randomBytes(32);
const NAMESPACE = 'orders-prod.a1b2c';

function temporalPayload(metadata: Record<string, string>, data: Uint8Array): Payload {
  return toTemporalPayload(payloadOf(metadata, data));
}

/** A codec as in Temporal's samples. */
const oldCodec: PayloadCodec = {
  encode: async (payloads) =>
    payloads.map((payload) =>
      temporalPayload(
        { encoding: 'binary/encrypted', 'encryption-key-id': 'orders-2024' },
        sealAesGcm(OLD_KEY, serializePayload(payloadOf({ encoding: 'json/plain' }, payload.data ?? Buffer.alloc(0)))),
      ),
    ),
  decode: async (payloads) =>
    payloads.map((payload) =>
      encodingOf(payload) === 'binary/encrypted'
        ? toTemporalPayload(deserializePayload(openAesGcm(OLD_KEY, payload.data ?? Buffer.alloc(0))))
        : payload,
    ),
};

let folder: string;
let ours: EncryptingPayloadCodec;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'migration-'));
  const keyring = join(folder, 'keyring.json');
  addKeyToKeyringFile(keyring, 'new');
  const staticKeys = JSON.stringify({
    keys: [{ id: 'orders-2024', key: OLD_KEY.toString('base64'), namespaces: [NAMESPACE] }],
  });
  ours = createPayloadCodec({ namespace: NAMESPACE, keys: { keyring, staticKeys } });
});
afterAll(() => {
  ours.close();
  rmSync(folder, { recursive: true });
});

function encodingOf(payload: Payload | undefined): string {
  return Buffer.from(payload?.metadata?.['encoding'] ?? []).toString();
}

/** A worker with these codecs, as the TypeScript SDK runs them. */
function worker(...codecs: PayloadCodec[]) {
  return {
    async write(text: string): Promise<Payload[]> {
      let payloads: Payload[] = [temporalPayload({ encoding: 'json/plain' }, Buffer.from(text))];
      for (const codec of codecs) payloads = await codec.encode(payloads);
      return payloads;
    },
    async read(payloads: Payload[]): Promise<string> {
      let decoded = payloads;
      for (const codec of codecs.toReversed()) decoded = await codec.decode(decoded);
      return Buffer.from(decoded[0]?.data ?? []).toString();
    },
  };
}

describe('moving from temporal-proxy with one key a namespace', () => {
  const NAMESPACES = ['orders-prod.a1b2c', 'billing-prod.a1b2c'];

  it('reads in every namespace what it read before, with the server’s configuration as it stands in the guide', async () => {
    const memory = new MemoryKms();
    const current = memory.createKey('new');
    const old = new Map(NAMESPACES.map((namespace, index) => [namespace, memory.createKey(`old-${index}`)]));
    const kms = NAMESPACES.flatMap((namespace) => [
      { namespaces: [namespace], write: current },
      {
        namespaces: [namespace],
        write: null,
        read: [old.get(namespace) ?? ''],
        foreignFormats: ['temporal-proxy' as const],
        keyUriContexts: [{ tenant: 'blue' }],
      },
    ]);
    const keys = { keyring: null, kms, staticKeys: null };
    expect(checkKeys({ keys, access: [], defaultNamespace: null }, 'aws')).toEqual([]);
    const source = createKmsDataKeys({ pairings: kms, kms: memory });
    for (const namespace of NAMESPACES) {
      const codec = createPayloadCodec({ namespace, keys: { source } });
      const proxy = new RivalPayloads(
        memory,
        serializePayload(payloadOf({ encoding: 'json/plain' }, Buffer.from('"old"'))),
      );
      const arn = old.get(namespace) ?? '';
      const written = [
        proxy.temporalProxy(arn),
        proxy.temporalProxy(arn, 'region=eu-central-1&context_tenant=blue', new Map([['tenant', 'blue']])),
      ].map(toTemporalPayload);
      const read = await codec.decode([...written, ...(await codec.encode(written))]);
      expect(read.map(({ data }) => Buffer.from(data ?? []).toString())).toEqual(Array(4).fill('"old"'));
      const stranger = createPayloadCodec({
        namespace: NAMESPACES.find((it) => it !== namespace) ?? '',
        keys: { source },
      });
      for (const payload of written) await expect(stranger.decode([payload])).rejects.toThrow('wrong-namespace');
    }
    source.close();
  });
});

describe('moving from a codec like those of the samples', () => {
  it('works with any two neighboring stages running side by side', async () => {
    const readsBoth: PayloadCodec = {
      encode: async (payloads) => payloads,
      decode: (payloads) => ours.decode(payloads),
    };
    const stages = [worker(oldCodec), worker(oldCodec, readsBoth), worker(ours)];
    const encodings = [];
    for (const [index, stage] of stages.entries()) {
      const written = await stage.write(`of stage ${index}`);
      encodings.push(encodingOf(written[0]));
      for (const neighbor of stages.slice(Math.max(index - 1, 0), index + 2))
        expect(await neighbor.read(written)).toBe(`of stage ${index}`);
    }
    expect(encodings).toEqual(['binary/encrypted', 'binary/encrypted', 'binary/aws-encryption-sdk']);
  });

  it('keeps reading the whole history when it is done', async () => {
    const written = await worker(oldCodec).write('from long ago');
    expect(await worker(ours).read(written)).toBe('from long ago');
  });
});
