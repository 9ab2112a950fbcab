/**
 * What the message format costs: our writer and reader beside the official library and beside plain
 * AES-256-GCM, in one process, all with a data key that is at hand.
 *
 * Rounds of the contestants alternate, so that a busy machine is unfair to none; of each the median
 * and the best round are printed, in microseconds per message.
 *
 *     npm run bench:message [-- --rounds 30]
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { contextOfNamespace } from '../codec/aws-encryption-sdk/encryption-context.ts';
import { wrapDataKey } from '../codec/aws-encryption-sdk/raw-aes-keyring.ts';
import { decryptMessage, parseMessage } from '../codec/aws-encryption-sdk/reader.ts';
import { encryptMessage } from '../codec/aws-encryption-sdk/writer.ts';
import { runnerOptions } from '../scripts/runner-options.ts';
import { machine } from './machine.ts';
import { officialClient } from './official-client.ts';

const USAGE = `
Usage: npm run bench:message [-- options]

  --rounds NUMBER    how often everyone is measured (default: 30)
  --out NAME         write the result to bench/results/NAME.json (default: message)
  --help
`;

interface Contestant {
  readonly name: string;
  /** Runs the operation `times` times. */
  readonly run: (times: number) => void | Promise<void>;
  /** Operations in a round; fewer for slow ones, so that every round takes about the same time. */
  readonly times: number;
  /** Microseconds per operation, one entry a round. */
  readonly rounds: number[];
}

const namespace = 'orders-prod.a1b2c';
const encryptionContext = contextOfNamespace(namespace);
const wrapping = { namespace: 'codec-server', name: 'k-1', key: randomBytes(32) };
const dataKey = randomBytes(32);
const materials = {
  dataKey,
  encryptionContext,
  encryptedDataKeys: [wrapDataKey(wrapping, dataKey, encryptionContext)],
};

const official = officialClient(wrapping, { 'temporal-namespace': namespace });

const aesKey = createSecretKey(dataKey);

/** nonce ‖ ciphertext ‖ tag, as the samples' codecs do, with a key that node:crypto already holds. */
function aesEncrypt(plaintext: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', aesKey, nonce);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]);
}

function aesDecrypt(message: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', aesKey, message.subarray(0, 12), { authTagLength: 16 });
  decipher.setAuthTag(message.subarray(-16));
  const plaintext = decipher.update(message.subarray(12, -16));
  decipher.final();
  return plaintext;
}

function repeat(name: string, operation: () => unknown): Contestant {
  const run = (times: number): void => {
    for (let i = 0; i < times; i++) operation();
  };
  return { name, run, times: 2000, rounds: [] };
}

function repeatAsync(name: string, operation: () => Promise<unknown>): Contestant {
  const run = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) await operation();
  };
  return { name, run, times: 100, rounds: [] };
}

async function contestantsFor(size: number): Promise<Contestant[]> {
  const plaintext = randomBytes(size);
  const ours = encryptMessage(plaintext, materials);
  const theirs = await official.encrypt(plaintext);
  const plain = aesEncrypt(plaintext);
  return [
    repeat(`write ${size} B, ours`, () => encryptMessage(plaintext, materials)),
    repeat(`write ${size} B, plain AES-GCM`, () => aesEncrypt(plaintext)),
    repeatAsync(`write ${size} B, @aws-crypto/client-node`, () => official.encrypt(plaintext)),
    repeat(`read  ${size} B, ours`, () => decryptMessage(parseMessage(ours), dataKey)),
    repeat(`read  ${size} B, plain AES-GCM`, () => aesDecrypt(plain)),
    repeatAsync(`read  ${size} B, @aws-crypto/client-node`, () => official.decrypt(theirs)),
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function main(print: (line: string) => void): Promise<void> {
  const { values } = runnerOptions(USAGE, {
    options: { rounds: { type: 'string', default: '30' }, out: { type: 'string', default: 'message' } },
  });
  const measured: Record<string, { median: number; best: number }> = {};
  for (const size of [300, 1024]) {
    const contestants = await contestantsFor(size);
    for (const { run, times } of contestants) await run(times);
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const { run, times, rounds } of contestants) {
        const start = process.hrtime.bigint();
        await run(times);
        rounds.push(Number(process.hrtime.bigint() - start) / 1000 / times);
      }
    }
    for (const operation of ['write', 'read ']) {
      const group = contestants.filter(({ name }) => name.startsWith(operation));
      const own = Math.min(...(group[0]?.rounds ?? []));
      for (const { name, rounds } of group) {
        const best = Math.min(...rounds);
        measured[name] = { median: median(rounds), best };
        const times = (best / own).toFixed(2);
        print(
          `${name.padEnd(44)} median ${median(rounds).toFixed(1).padStart(7)}  best ${best.toFixed(1).padStart(7)}  ${times}x ours`,
        );
      }
    }
  }
  const result = { ...(await machine()), settings: { rounds: Number(values.rounds) }, unit: 'microseconds', measured };
  writeFileSync(new URL(`./results/${values.out}.json`, import.meta.url), `${JSON.stringify(result, null, 1)}\n`);
}

await main((line) => process.stdout.write(`${line}\n`));
