/**
 * What a worker's codec costs: ours beside the codec of Temporal's TypeScript sample (`crypto.subtle`),
 * plain AES-256-GCM of node:crypto, and the official AWS library, in one process, with keys at hand.
 * One payload a call, as a workflow task hands them over. Rounds alternate; medians are kept.
 *
 *     npm run bench:worker [-- --rounds 15]
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { createPayloadCodec, type PayloadCodecOptions } from '../codec/index.ts';
import { formatKeyring, newKeyring } from '../codec/keys/keyring/keyring.ts';
import { runnerOptions } from '../scripts/runner-options.ts';
import { machine } from './machine.ts';
import { officialClient } from './official-client.ts';
import { quantile } from './statistics.ts';

const USAGE = `
Usage: npm run bench:worker [-- options]

  --rounds NUMBER    how often everyone is measured (default: 15)
  --out NAME         write the result to bench/results/NAME.json (default: worker)
  --help
`;

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;
/** Rounds that are thrown away: the code is compiled in them. */
const WARM_UP = 15;
const SIZES = [300, 1024, 100 * 1024];
const NAMESPACE = 'orders-prod.a1b2c';

interface Contestant {
  readonly name: string;
  encode(payload: Payload): Promise<Payload> | Payload;
  decode(payload: Payload): Promise<Payload> | Payload;
}

const serialized = (payload: Payload): Uint8Array => PayloadMessage.encode(payload).finish();
const enveloped = (encoding: string, data: Uint8Array): Payload => ({
  metadata: { encoding: Buffer.from(encoding) },
  data,
});
const dataOf = ({ data }: Payload): Buffer =>
  Buffer.from(data?.buffer ?? new ArrayBuffer(0), data?.byteOffset, data?.length);

function ours(name: string, keyring: string, options: Partial<PayloadCodecOptions> = {}): Contestant {
  const codec = createPayloadCodec({ namespace: NAMESPACE, keys: { keyring }, ...options });
  const first = async (payloads: Promise<Payload[]>): Promise<Payload> => (await payloads)[0] as Payload;
  return { name, encode: (it) => first(codec.encode([it])), decode: (it) => first(codec.decode([it])) };
}

/** As the sample does it: the payload as protobuf, a nonce in front, one `crypto.subtle` call. */
async function sample(): Promise<Contestant> {
  const key = await webcrypto.subtle.importKey('raw', randomBytes(32), 'AES-GCM', false, ['encrypt', 'decrypt']);
  return {
    name: 'sample, crypto.subtle',
    async encode(payload) {
      const iv = webcrypto.getRandomValues(new Uint8Array(12));
      const plaintext = Uint8Array.from(serialized(payload));
      const data = await webcrypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plaintext);
      return enveloped('binary/encrypted', Buffer.concat([iv, new Uint8Array(data)]));
    },
    async decode(payload) {
      const bytes = Uint8Array.from(dataOf(payload));
      const algorithm = { name: 'AES-GCM', iv: bytes.subarray(0, 12) };
      return PayloadMessage.decode(new Uint8Array(await webcrypto.subtle.decrypt(algorithm, key, bytes.subarray(12))));
    },
  };
}

/** The floor: no envelope, no serialization, no promise. */
function plainAes(): Contestant {
  const key = createSecretKey(randomBytes(32));
  return {
    name: 'plain AES-256-GCM, node:crypto',
    encode(payload) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const ciphertext = cipher.update(dataOf(payload));
      cipher.final();
      return { data: Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]) };
    },
    decode(payload) {
      const bytes = dataOf(payload);
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
      decipher.setAuthTag(bytes.subarray(-16));
      const data = decipher.update(bytes.subarray(12, -16));
      decipher.final();
      return { data };
    },
  };
}

/** The official library. */
function official(): Contestant {
  const client = officialClient(
    { namespace: 'codec-server', name: 'k', key: randomBytes(32) },
    { 'temporal-namespace': NAMESPACE },
  );
  return {
    name: '@aws-crypto/client-node',
    async encode(payload) {
      return enveloped('binary/aws-encryption-sdk', await client.encrypt(serialized(payload)));
    },
    async decode(payload) {
      return PayloadMessage.decode(await client.decrypt(dataOf(payload)));
    },
  };
}

/** JSON that is like what workflows pass: words and numbers, of which compression makes half or less. */
function payloadOf(size: number): Payload {
  const order = () =>
    `{"id":"${randomBytes(8).toString('hex')}","customer":"Ada Lovelace","cents":${Math.floor(Math.random() * 1e6)}},`;
  let text = '';
  while (text.length < size) text += order();
  return { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(text.slice(0, size)) };
}

/** Microseconds per operation of one round of some 20 ms. */
async function round(operation: () => Promise<unknown> | unknown, times: number): Promise<number> {
  const start = process.hrtime.bigint();
  for (let i = 0; i < times; i++) await operation();
  return Number(process.hrtime.bigint() - start) / 1000 / times;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-worker-'));

async function main(print: (line: string) => void): Promise<void> {
  const { values } = runnerOptions(USAGE, {
    options: { rounds: { type: 'string', default: '15' }, out: { type: 'string', default: 'worker' } },
  });
  const rounds = Number(values.rounds);
  const keyring = join(folder, 'keyring.json');
  writeFileSync(keyring, formatKeyring(newKeyring()), { mode: 0o600 });
  const contestants = [
    ours('this codec', keyring),
    ours('this codec with zstd', keyring, { compression: 'zstd' }),
    await sample(),
    plainAes(),
    official(),
  ];
  const measured: { name: string; size: number; encode: number; decode: number; bytes: number }[] = [];
  for (const size of SIZES) {
    const payload = payloadOf(size);
    const entries = await Promise.all(
      contestants.map(async (it) => ({
        ...it,
        encoded: await it.encode(payload),
        encoding: [] as number[],
        decoding: [] as number[],
      })),
    );
    for (let i = -WARM_UP; i < rounds; i++) {
      for (const { name, encode, decode, encoded, encoding, decoding } of entries) {
        const times = name.startsWith('@aws') || size > 10_000 ? 50 : 500;
        const [there, back] = [await round(() => encode(payload), times), await round(() => decode(encoded), times)];
        if (i < 0) continue;
        encoding.push(there);
        decoding.push(back);
      }
    }
    for (const { name, encoded, encoding, decoding } of entries) {
      const row = {
        name,
        size,
        encode: quantile(encoding, 0.5),
        decode: quantile(decoding, 0.5),
        bytes: encoded.data?.length ?? 0,
      };
      measured.push(row);
      print(
        `${name.padEnd(32)} ${String(size).padStart(6)} B  encode ${row.encode.toFixed(1).padStart(7)} µs  decode ${row.decode.toFixed(1).padStart(7)} µs  ${row.bytes} B stored`,
      );
    }
  }
  const result = {
    ...(await machine()),
    settings: { rounds, load: loadavg()[0] ?? 0 },
    unit: 'microseconds',
    measured,
  };
  writeFileSync(new URL(`./results/${values.out}.json`, import.meta.url), `${JSON.stringify(result, null, 1)}\n`);
}

try {
  await main((line) => process.stdout.write(`${line}\n`));
} finally {
  rmSync(folder, { recursive: true });
}
