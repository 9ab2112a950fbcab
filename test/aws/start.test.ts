/** The local server with keys and secrets of AWS: `codec-server start --config`, as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Moto } from '../support/moto.ts';
import { TEST_KEY_PAYLOAD, TEST_KEY_SECRET } from '../support/static-key-payload.ts';

const cwd = mkdtempSync(join(tmpdir(), 'start-aws-'));
const program = resolve(import.meta.dirname, '../../bin/codec-server.ts');
let moto: Moto;
let server: ChildProcess | undefined;

beforeAll(async () => {
  moto = await Moto.start();
});

afterAll(async () => {
  server?.kill();
  await moto?.close();
  rmSync(cwd, { recursive: true });
});

/** Starts the server with these keys and answers its endpoint. */
async function start(keys: object): Promise<string> {
  const config = {
    defaultNamespace: 'orders',
    cors: { origins: ['http://localhost:8233'], credentials: false },
    failures: 'return-encoded',
    compression: null,
    identity: null,
    access: [{ name: 'all', namespaces: ['*'], people: ['anyone-on-loopback'], allow: ['decode', 'encode'] }],
    keys,
  };
  const file = join(cwd, 'config.mjs');
  writeFileSync(file, `export default ${JSON.stringify(config)};`);
  const args = [program, 'start', '--port', '0', '--config', file];
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, NODE_OPTIONS: '', ...moto.environment } });
  server = child;
  let said = '';
  return new Promise((done, failed) => {
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      const endpoint = /Codec server at (http:\S+) /.exec(said)?.[1];
      if (endpoint !== undefined) done(endpoint);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => failed(new Error(`it ended with ${code}: ${said}`)));
  });
}

async function post(endpoint: string, operation: string, payloads: object[], namespace = 'orders') {
  const response = await fetch(`${endpoint}/${operation}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-namespace': namespace },
    body: JSON.stringify({ payloads }),
  });
  const text = await response.text();
  return { status: response.status, payloads: response.ok ? (JSON.parse(text) as { payloads: Json[] }).payloads : [] };
}

type Json = { metadata: Record<string, string>; data: string };

const base64 = (text: string): string => Buffer.from(text).toString('base64');

it('encodes and decodes with a KMS key, and decodes with static keys of Secrets Manager', async () => {
  const secret = { arn: await moto.createSecret(`codec/static-${Date.now()}`, TEST_KEY_SECRET) };
  const kms = [{ namespaces: ['*'], write: await moto.createKey() }];
  const endpoint = await start({ keyring: null, kms, staticKeys: { secret } });

  const plain = { metadata: { encoding: base64('json/plain') }, data: base64('"an order"') };
  const encoded = await post(endpoint, 'encode', [plain]);
  expect(encoded.status).toBe(200);
  expect(Buffer.from(encoded.payloads[0]?.metadata['encoding'] ?? '', 'base64').toString()).toBe(
    'binary/aws-encryption-sdk',
  );
  expect((await post(endpoint, 'decode', encoded.payloads, 'another')).payloads).toEqual([plain]);

  const old = await post(endpoint, 'decode', [TEST_KEY_PAYLOAD]);
  expect(Buffer.from(old.payloads[0]?.data ?? '', 'base64').toString()).toBe('"written before"');

  const ready = await fetch(`${endpoint}/readyz`);
  expect(ready.status).toBe(200);
});
