/**
 * Faults that people make, seeded one at a time, against the one cause that is named for each. The
 * faults of a running server are in doctor.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkConfigCommand } from '../../cli/check-config.ts';
import { start } from '../../cli/start.ts';
import { createPayloadCodec } from '../../codec/index.ts';
import local from '../../environments/local.ts';
import { TestCommandIo } from '../support/command-io.ts';
import { KmsStandIn } from '../support/kms-stand-in.ts';

let folder: string;
let taken: Server;
let port: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'one-cause-'));
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  port = (taken.address() as { port: number }).port;
});
afterAll(() => {
  taken.close();
  rmSync(folder, { recursive: true });
});

const file = (name: string, text: string, mode = 0o600): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};
let configurations = 0;
const configuration = (change: object): string =>
  file(`config-${configurations++}.mjs`, `export default ${JSON.stringify({ ...local, ...change })};`);

const RULE = {
  name: 'orders',
  namespaces: ['orders.a1b2c'],
  people: [{ emailDomain: 'example.com' }],
  allow: ['decode'],
};
const CLOUD = { issuers: [{ type: 'temporal-cloud' }], serviceTokens: null };

describe('check-config', () => {
  it.each<[string, object, string, RegExp]>([
    ['a name with a typing error', { access: undefined, acess: [] }, 'acess', /did you mean access\?/],
    ['a name too many', { acess: [] }, 'acess', /did you mean access\?/],
    ['a value with a typing error', { failures: 'explian' }, 'failures', /'explain'/],
    ['an origin without its scheme', { cors: { origins: ['a.example'], credentials: false } }, 'cors.origins[0]', /./],
    ['an origin with a slash', { cors: { origins: ['https://a/'], credentials: false } }, 'cors.origins[0]', /slash/],
    ['any origin', { cors: { origins: ['*'], credentials: false } }, 'cors.origins[0]', /exact/],
    ['an identity that was forgotten', { identity: undefined }, 'identity', /null/],
    ['a compression that was forgotten', { compression: undefined }, 'compression', /null/],
    [
      'a right that there is not',
      { identity: CLOUD, access: [{ ...RULE, allow: ['read'] }] },
      'access[0].allow[0]',
      /./,
    ],
    [
      'an alias instead of a key',
      { keys: { ...local.keys, kms: [{ namespaces: ['*'], write: 'alias/a' }] } },
      'keys.kms[0].write',
      /ARN/,
    ],
  ])('names %s, once', async (_, change, path, words) => {
    const io = new TestCommandIo({ cwd: folder });
    expect(await checkConfigCommand([configuration(change), '--json'], io)).toBe(1);
    const { problems } = JSON.parse(io.out) as { problems: { path: string; message: string }[] };
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(problems[0]?.message).toMatch(words);
  });

  it.each<[string, string, string | null, RegExp]>([
    ['a file that is not there', 'none.mjs', null, /There is no configuration file \/.*none\.mjs/],
    ['a file that exports nothing', 'empty.mjs', '', /no default export/],
  ])('names %s, in one line', async (_, path, text, words) => {
    const io = new TestCommandIo({ cwd: folder });
    if (text !== null) file(path, text);
    expect(await checkConfigCommand([path], io)).toBe(1);
    expect(io.err.trimEnd()).toMatch(words);
    expect(io.err.trimEnd().split('\n')).toHaveLength(1);
  });

  it.each([
    ['that cannot be read', 'export default {\n  a: 1,\n  b: ],\n};\n', '(line 3, column 6)'],
    ['that throws', 'export default {\n  a: notThere };\n', 'notThere is not defined (line 2, column 6)'],
  ])('says in which line and column a file is at fault %s', (_, text, words) => {
    const path = file(`slip-${configurations++}.ts`, text);
    // Of Node.js itself: inside Jest another loader reads modules.
    const { stderr } = spawnSync(process.execPath, ['bin/codec-server.ts', 'check-config', path], { encoding: 'utf8' });
    expect(stderr.trimEnd()).toContain(words);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('start', () => {
  it.each<[string, () => string[], RegExp]>([
    ['a port that is taken', () => ['--port', String(port)], /Port \d+ is taken/],
    ['a name that is not of this machine', () => ['--host', '192.0.2.1'], /On 192\.0\.2\.1 others could reach/],
    ['an origin that is a page', () => ['--origin', 'http://localhost:8233/namespaces'], /is not an origin/],
    ['a keyring that others can read', () => ['--keyring', file('open.json', '{}', 0o644)], /chmod 600/],
    [
      'a keyring that is something else',
      () => ['--keyring', file('other.json', '{}')],
      /cannot be used: .*"namespace"/,
    ],
    ['a certificate without its key', () => ['--tls-cert', 'a.pem'], /--tls-cert and --tls-key together/],
    ['a configuration that is not there', () => ['--config', 'none.mjs'], /There is no configuration file/],
    ['an option with a typing error', () => ['--prot', '1'], /Unknown option '--prot'/],
    [
      'a configuration with a problem',
      () => ['--config', configuration({ failures: 'x' })],
      /has a problem:\n {2}failures: /,
    ],
  ])('names %s, once', async (_, argv, words) => {
    const io = new TestCommandIo({ cwd: folder });
    expect(await start(['--port', '0', ...argv()], io, AbortSignal.abort())).toBeGreaterThan(0);
    expect(io.err).toMatch(words);
    expect(io.err.match(/^codec-server(?: start)?: /gm)).toHaveLength(1);
    expect(io.err).not.toMatch(/\bat .*:\d+:\d+/);
  });
});

describe('a worker', () => {
  const payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"a"') };
  const keyring = (name: string) => join(folder, name);

  beforeAll(async () => {
    for (const name of ['ours.json', 'theirs.json']) {
      const io = new TestCommandIo({ cwd: folder });
      await start(['--port', '0', '--keyring', name], io, AbortSignal.abort());
    }
  });

  /** What is said when payloads of one codec come to another. */
  async function said(from: Parameters<typeof createPayloadCodec>[0], to: Parameters<typeof createPayloadCodec>[0]) {
    const told: string[] = [];
    const writer = createPayloadCodec(from);
    const reader = createPayloadCodec({ ...to, onRefusal: (message) => told.push(message) });
    const encoded = await writer.encode([payload]);
    const error = await reader.decode(encoded).catch((it: Error) => it);
    writer.close();
    reader.close();
    expect(error).toBeInstanceOf(Error);
    expect(told).toEqual([(error as Error).message]);
    return (error as Error).message;
  }

  it('names the keyring that is missing by its whole path, and how to get one', () => {
    const make = () => createPayloadCodec({ namespace: 'orders', keys: { keyring: 'nowhere/keyring.json' } });
    expect(make).toThrow(`${join(process.cwd(), 'nowhere/keyring.json')} does not exist. To get one, copy`);
  });

  it('names the key that a payload wants and those that it has', async () => {
    const message = await said(
      { namespace: 'orders', keys: { keyring: keyring('theirs.json') } },
      { namespace: 'orders', keys: { keyring: keyring('ours.json') } },
    );
    expect(message).toMatch(/in orders: unknown-key \(the message names the key .+, and the keyring has .+\)/);
  });

  it('names both namespaces where a payload comes from another', async () => {
    const keys = { keyring: keyring('ours.json') };
    const message = await said({ namespace: 'billing', keys }, { namespace: 'orders', keys });
    expect(message).toMatch(/of the namespace billing was met in orders; .*alsoDecode/);
  });

  it.each<[string, (kms: KmsStandIn, arn: string) => void, RegExp]>([
    ['that is disabled', (kms, arn) => kms.setState(arn, 'disabled'), /key-disabled.*DisabledException/],
    ['that it may not use', (kms, arn) => kms.setState(arn, 'access-denied'), /key-access-denied.*AccessDenied/],
    ['that is not listed', () => {}, /unknown-key \(it names the key arn:\S+; configured for the namespace are arn:/],
  ])('names the KMS key %s', async (what, harm, words) => {
    const kms = await KmsStandIn.start();
    const before = { ...process.env };
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_KMS: kms.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
    try {
      const arn = kms.createKey();
      const writer = createPayloadCodec({ namespace: 'orders', keys: { kms: arn } });
      const encoded = await writer.encode([payload]);
      writer.close();
      harm(kms, arn);
      const read = what === 'that is not listed' ? kms.createKey() : arn;
      const reader = createPayloadCodec({ namespace: 'orders', keys: { kms: read }, onRefusal: () => {} });
      await expect(reader.decode(encoded)).rejects.toThrow(words);
      reader.close();
    } finally {
      process.env = before;
      await kms.close();
    }
  });
});
