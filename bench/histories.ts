/**
 * How long `codec-server decode` takes for whole histories: one of 10,000 events with local keys and at a
 * server that is 50 ms away, an export of 1,000 histories, and the memory for 500 MB of input.
 *
 * usage: node bench/histories.ts [--quick] [--out NAME]
 */
import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { addKeyToKeyringFile } from '../codec/keys/keyring/keyring-file.ts';
import { createPayloadCodec } from '../codec/payload-codec.ts';
import { fromTemporalPayload, toTemporalPayload } from '../codec/temporal-codec.ts';
import { readPayloads } from '../lambda/server/http/payload-json-reader.ts';
import { writePayloads } from '../lambda/server/http/payload-json-writer.ts';
import { runnerOptions } from '../scripts/runner-options.ts';
import { asCliJson, asExport, historyOf } from '../test/support/histories.ts';
import { machine } from './machine.ts';

const USAGE = `
Usage: node bench/histories.ts [options]

  --quick            smaller inputs, for a look
  --out NAME         write the result to bench/results/NAME.json
  --help
`;
const { values: options } = runnerOptions(USAGE, {
  options: { quick: { type: 'boolean', default: false }, out: { type: 'string' } },
});
const EVENTS = options.quick ? 1_000 : 10_000;
const HISTORIES = options.quick ? 100 : 1_000;
const LARGE = options.quick ? 50_000_000 : 500_000_000;
const DELAY_MS = 50;
const NAMESPACE = 'bench.a1b2c';
const PROGRAM = join(import.meta.dirname, '../bin/codec-server.ts');

interface Figure {
  readonly name: string;
  readonly bytes: number;
  readonly seconds: number;
  /** Of the process, at its most. */
  readonly megabytes: number;
  readonly requests: number;
  readonly said: string;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-histories-'));
const keyring = join(folder, 'keyring.json');
addKeyToKeyringFile(keyring, 'bench');
const codec = createPayloadCodec({ namespace: NAMESPACE, keys: { keyring } });

let requests = 0;
const server = createServer(async (request, response) => {
  requests++;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const [decoded] = await Promise.all([
    codec.decode(readPayloads(Buffer.concat(chunks), 1_000).map(toTemporalPayload)),
    setTimeout(DELAY_MS),
  ]);
  response.end(writePayloads(decoded.map(fromTemporalPayload)));
});
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** Runs the command as a person would, and looks at its memory while it runs. */
async function measure(name: string, input: string, means: readonly string[]): Promise<Figure> {
  const output = `${input}.${name.replaceAll(/\W+/g, '-')}.out`;
  requests = 0;
  const begun = performance.now();
  const child = spawn(process.execPath, [PROGRAM, 'decode', input, '-o', output, ...means], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  let megabytes = 0;
  const watch = setInterval(() => {
    const status = readStatus(child.pid);
    megabytes = Math.max(megabytes, status);
  }, 20);
  const code = await new Promise((done) => child.once('exit', done));
  clearInterval(watch);
  const seconds = Math.round(performance.now() - begun) / 1000;
  if (code !== 0) throw new Error(`${name}: ${said}`);
  rmSync(output);
  return { name, bytes: statSync(input).size, seconds, megabytes, requests, said: said.trim() };
}

function readStatus(pid: number | undefined): number {
  try {
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}

const history = await historyOf(codec, EVENTS, 200);
const one = join(folder, 'history.json');
writeFileSync(one, asCliJson(history));
const small = await historyOf(codec, 60);
const many = join(folder, 'export.pb');
writeFileSync(many, asExport(Array.from({ length: HISTORIES }, () => small)));
const large = join(folder, 'large.json');
const stream = createWriteStream(large);
const document = asCliJson(history);
for (let written = 0; written < LARGE; written += document.length)
  if (!stream.write(document)) await new Promise<void>((done) => stream.once('drain', done));
await new Promise<void>((done) => stream.end(done));

const local = ['--keyring', keyring];
const remote = ['--endpoint', endpoint, '--namespace', NAMESPACE];
const figures: Figure[] = [
  await measure(`${EVENTS} events, local keys`, one, local),
  await measure(`${EVENTS} events, a server ${DELAY_MS} ms away`, one, remote),
  await measure(`an export of ${HISTORIES} histories, local keys`, many, local),
  await measure(`an export of ${HISTORIES} histories, a server ${DELAY_MS} ms away`, many, remote),
  await measure(`${Math.round(LARGE / 1e6)} MB of histories, local keys`, large, local),
];
server.close();
codec.close();
rmSync(folder, { recursive: true });
for (const { name, bytes, seconds, megabytes, requests: calls } of figures)
  process.stdout.write(
    `${name}: ${(bytes / 1e6).toFixed(1)} MB in ${seconds} s, ${calls} requests, at most ${megabytes} MB of memory\n`,
  );
if (options.out !== undefined)
  writeFileSync(
    new URL(`results/${options.out}.json`, import.meta.url),
    `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine: machine(), figures }, null, 2)}\n`,
  );
