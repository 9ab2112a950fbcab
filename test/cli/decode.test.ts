import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import proto from '@temporalio/proto';
import { decode } from '../../cli/decode.ts';
import { walkJson } from '../../cli/histories/json.ts';
import { walkWire } from '../../cli/histories/wire.ts';
import { addKeyToKeyringFile } from '../../codec/keys/keyring/keyring-file.ts';
import { createPayloadCodec, type EncryptingPayloadCodec } from '../../codec/payload-codec.ts';
import { fromTemporalPayload, toTemporalPayload } from '../../codec/temporal-codec.ts';
import { readPayloads } from '../../lambda/server/http/payload-json-reader.ts';
import { writePayloads } from '../../lambda/server/http/responses.ts';
import { TestCommandIo } from '../support/command-io.ts';
import { asCliJson, asExport, type History, historyOf, readExport } from '../support/histories.ts';
import { jsonPlain, payloadOf, toJson } from '../support/payloads.ts';

const NAMESPACE = 'orders-dev.a1b2c';
const { History: HistoryType } = proto.temporal.api.history.v1;

let cwd: string;
let codec: EncryptingPayloadCodec;
let history: History;
let json: string;
/** What decoding must give: the same document with plaintext in it. */
let plainJson: string;
let plainHistory: History;

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'decode-'));
  addKeyToKeyringFile(join(cwd, 'keyring.json'), 'first');
  codec = createPayloadCodec({ namespace: NAMESPACE, keys: { keyring: join(cwd, 'keyring.json') } });
  history = await historyOf(codec, 60);
  plainHistory = await historyOf({ encode: (payloads) => Promise.resolve(payloads) }, 60);
  json = asCliJson(history);
  plainJson = asCliJson(plainHistory);
});
afterAll(() => {
  codec.close();
  rmSync(cwd, { recursive: true });
});

async function run(argv: readonly string[], options: { stdin?: string; env?: Record<string, string> } = {}) {
  const io = new TestCommandIo({ cwd, ...options });
  const code = await decode(argv, io, new AbortController().signal);
  return { code, stdout: io.out, stderr: io.err };
}
const withKeyring = (...argv: string[]) => [...argv, '--keyring', 'keyring.json'];

describe('codec-server decode', () => {
  it('gives the very document with plaintext in it, of JSON', async () => {
    const { code, stdout, stderr } = await run(withKeyring(), { stdin: json });
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'codec-server decode: 43 payloads, 43 decoded\n' });
    expect(stdout).toBe(plainJson);
    const lines = (document: string) =>
      JSON.parse(document)
        .events.map((event: unknown) => `${JSON.stringify(event)}\n`)
        .join('');
    expect((await run(withKeyring(), { stdin: lines(json) })).stdout).toBe(lines(plainJson));
  });

  it('gives the very export with plaintext in it, of protobuf, with fields that nobody knows', async () => {
    const unknown = Buffer.from([0xfa, 0x7f, 3, 1, 2, 3]);
    writeFileSync(join(cwd, 'export.pb'), Buffer.concat([asExport([history, history]), unknown]));
    expect((await run(withKeyring('export.pb', '-o', 'export.decoded.pb'))).code).toBe(0);
    const written = readFileSync(join(cwd, 'export.decoded.pb'));
    expect(written.equals(Buffer.concat([asExport([plainHistory, plainHistory]), unknown]))).toBe(true);
    expect(readExport(written.subarray(0, -unknown.length)).map((it) => HistoryType.toObject(it))).toEqual(
      [plainHistory, plainHistory].map((it) => HistoryType.toObject(it)),
    );
  });

  it('writes files for their owner alone, overwrites none, and compresses what was compressed', async () => {
    writeFileSync(join(cwd, 'a.json.gz'), gzipSync(json));
    writeFileSync(join(cwd, 'b.json'), json);
    expect((await run(withKeyring('a.json.gz', 'b.json', '-o', 'out'))).code).toBe(0);
    expect(gunzipSync(readFileSync(join(cwd, 'out/a.json.gz'))).toString()).toBe(plainJson);
    expect(readFileSync(join(cwd, 'out/b.json'), 'utf8')).toBe(plainJson);
    expect(statSync(join(cwd, 'out/b.json')).mode & 0o777).toBe(0o600);
    const again = await run(withKeyring('b.json', '-o', 'out'));
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('out/b.json is there already')]);
    expect((await run(withKeyring('a.json.gz', 'b.json'))).code).toBe(2);
  });

  it('takes a path that ends in a slash for a folder, and nothing below a file for a place', async () => {
    writeFileSync(join(cwd, 'slash.json'), json);
    expect((await run(withKeyring('slash.json', '-o', 'new/'))).code).toBe(0);
    expect(readFileSync(join(cwd, 'new/slash.json'), 'utf8')).toBe(plainJson);
    const below = await run(withKeyring('slash.json', '-o', 'slash.json/x'));
    expect([below.code, below.stderr]).toEqual([1, expect.stringContaining('slash.json/x cannot be written')]);
    expect((await run(withKeyring('slash.json', '-o', 'slash.json/'))).code).toBe(1);
    expect(readFileSync(join(cwd, 'slash.json'), 'utf8')).toBe(json);
  });

  it('leaves nothing half-written when the input breaks, or it is stopped', async () => {
    writeFileSync(join(cwd, 'cut.json'), json.slice(0, -100));
    const cut = await run(withKeyring('cut.json', '-o', 'cut.out'));
    expect([cut.code, cut.stderr]).toEqual([1, expect.stringContaining('cut.json cannot be understood')]);
    const stop = new AbortController();
    const io = new TestCommandIo({ cwd });
    // Stopped while the first document is open.
    const stdin = (async function* () {
      yield json.slice(0, 1000);
      stop.abort();
      yield json.slice(1000);
    })();
    expect(await decode(withKeyring('-', '-o', 'stopped'), { ...io, stdin }, stop.signal)).toBe(1);
    expect(readdirSync(cwd).filter((it) => it.includes('cut.out') || it.includes('stopped'))).toEqual([]);
  });

  it('leaves what took its place in the meantime, and nothing half-written beside it', async () => {
    const stdin = (async function* () {
      yield json.slice(0, 1000);
      writeFileSync(join(cwd, 'meantime.json'), 'other');
      yield json.slice(1000);
    })();
    const io = { ...new TestCommandIo({ cwd }), stdin };
    expect(await decode(withKeyring('-', '-o', 'meantime.json'), io, new AbortController().signal)).toBe(1);
    expect(readdirSync(cwd).filter((it) => it.includes('meantime'))).toEqual(['meantime.json']);
    expect(readFileSync(join(cwd, 'meantime.json'), 'utf8')).toBe('other');
  });

  it('leaves its hidden partial file and nothing else when it is killed', async () => {
    const program = join(import.meta.dirname, '../../bin/codec-server.ts');
    const child = spawn(process.execPath, [program, 'decode', ...withKeyring('-', '-o', 'killed.json')], {
      cwd,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const ended = once(child, 'exit');
    // Documents without an end: it is in the midst of them until it is killed.
    child.stdin.on('error', () => {});
    child.stdin.write(json.repeat(100));
    const partial = `.killed.json.${child.pid}.partial`;
    const size = () => (existsSync(join(cwd, partial)) ? statSync(join(cwd, partial)).size : 0);
    while (size() === 0) await setTimeout(20);
    child.kill('SIGKILL');
    await ended;
    expect(readdirSync(cwd).filter((it) => it.includes('killed'))).toEqual([partial]);
    expect((await run(withKeyring('-', '-o', 'killed.json'), { stdin: json })).code).toBe(0);
    expect(readFileSync(join(cwd, 'killed.json'), 'utf8')).toBe(plainJson);
  });

  it('decodes what is inside payloads, as deep as it is', async () => {
    const [inner] = (await codec.encode([toTemporalPayload(jsonPlain('inner'))])).map(fromTemporalPayload);
    const wire = proto.temporal.api.workflowservice.v1.SignalWithStartWorkflowExecutionRequest;
    const message = (payload: object) =>
      Buffer.from(wire.encode(wire.fromObject({ signalName: 's', input: { payloads: [payload] } })).finish());
    const system = payloadOf({ encoding: 'binary/protobuf', messageType: 'x' }, message(inner as unknown as object));
    const batch = payloadOf(
      { encoding: 'json/protobuf' },
      Buffer.from(JSON.stringify({ input: { payloads: [toJson(inner as never)] } })),
    );
    const [sealed] = (await codec.encode([system as never])).map(fromTemporalPayload);
    const { stdout, code } = await run(withKeyring(), {
      stdin: JSON.stringify([system, batch, sealed].map((it) => toJson(it as never))),
    });
    expect(code).toBe(0);
    const [first, second, third] = JSON.parse(stdout) as { data: string }[];
    const found = (it: { data: string } | undefined) => Buffer.from(it?.data ?? '', 'base64');
    expect(walkWire(found(first))?.payloads[0]?.payload?.data.toString()).toBe('"inner"');
    expect(walkJson(found(second))?.payloads[0]?.payload?.data.toString()).toBe('"inner"');
    expect(third).toEqual(first);
  });

  it('says with 3 what stayed encrypted and why, and leaves it as it was', async () => {
    const stranger = payloadOf({ encoding: 'binary/encrypted', 'encryption-key-id': 'nobodys' }, Buffer.alloc(40));
    const fernet = payloadOf({ encoding: 'binary/encrypted-fernet' }, Buffer.from('gAAAA'));
    const reference = payloadOf({ encoding: 'json/external-storage-reference' }, Buffer.from('{}'));
    const stdin = JSON.stringify([stranger, reference, fernet].map(toJson));
    const { code, stdout, stderr } = await run(withKeyring(), { stdin });
    expect([code, stdout]).toEqual([3, stdin]);
    for (const text of [
      '1 stayed encrypted: unknown-key',
      '1 in external storage',
      'not known here: binary/encrypted-fernet',
    ])
      expect(stderr).toContain(text);
    const unknown = JSON.stringify(toJson(fernet));
    expect((await run(withKeyring(), { stdin: unknown })).code).toBe(0);
    expect((await run(withKeyring('--strict'), { stdin: unknown })).code).toBe(3);
    const hidden = JSON.stringify(toJson(jsonPlain(toJson(stranger))));
    expect(await run(withKeyring(), { stdin: hidden })).toMatchObject({ code: 3, stdout: hidden });
  });

  it('takes no keyring that is not there, and never makes one', async () => {
    const { code, stderr } = await run(['--keyring', 'none.json'], { stdin: json });
    expect([code, stderr]).toEqual([1, 'codec-server decode: There is no keyring none.json.\n']);
    expect(existsSync(join(cwd, 'none.json'))).toBe(false);
    expect((await run([], { stdin: json })).code).toBe(2);
    expect((await run(['--endpoint', 'http://127.0.0.1:1'], { stdin: json })).code).toBe(2);
  });

  describe('at a codec server', () => {
    let server: Server;
    let endpoint: string;
    let requests: { url: string; headers: IncomingMessage['headers']; payloads: number }[];
    let answer: (nth: number, payloads: number) => number;

    beforeEach(async () => {
      requests = [];
      answer = () => 200;
      server = createServer(async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const payloads = readPayloads(Buffer.concat(chunks), 1_000);
        requests.push({ url: request.url ?? '', headers: request.headers, payloads: payloads.length });
        const status = answer(requests.length, payloads.length);
        response.statusCode = status;
        if (status !== 200) return void response.end('no');
        const decoded = await codec.decode(payloads.map((it) => ({ ...it }) as never));
        response.end(writePayloads(decoded.map(fromTemporalPayload)));
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/{namespace}/`;
    });
    afterEach(() => void server.close());
    const remotely = (...argv: string[]) => ['--endpoint', endpoint, '--namespace', NAMESPACE, ...argv];

    it('asks once for what belongs together, in bulk, and with a token that stands on no command line', async () => {
      writeFileSync(join(cwd, 'token'), 'secret\n');
      const { code, stdout } = await run(remotely('--token-file', 'token'), { stdin: json });
      expect(code).toBe(0);
      expect(stdout).toBe(plainJson);
      expect(requests).toEqual([
        {
          url: `/${NAMESPACE}/decode?bulk=true`,
          headers: expect.objectContaining({ authorization: 'Bearer secret', 'x-namespace': NAMESPACE }),
          payloads: 43,
        },
      ]);
      await run(remotely('--keep-references'), { stdin: json, env: { TEMPORAL_CODEC_AUTH: 'raw' } });
      expect(requests[1]).toMatchObject({
        url: `/${NAMESPACE}/decode?bulk=true&preserveStorageRefs=true`,
        headers: { authorization: 'raw' },
      });
    });

    it('splits what is too much, and asks again when it may pass', async () => {
      answer = (nth, payloads) => (nth === 1 ? 503 : payloads > 10 ? 413 : 200);
      const { code, stdout } = await run(remotely(), { stdin: json });
      expect(code).toBe(0);
      expect(stdout).toBe(plainJson);
      expect(requests.map(({ payloads }) => payloads)).toEqual([43, 43, 22, 11, 6, 5, 11, 6, 5, 21, 11, 6, 5, 10]);
    });

    it('ends with what the server says when it refuses everything', async () => {
      answer = () => 401;
      const { code, stderr } = await run(remotely(), { stdin: json });
      expect(code).toBe(1);
      expect(stderr).toContain('answers 401: no Give a token with --token-file');
      expect(requests.length).toBe(1);
    });

    it('follows no redirect, which could take a token elsewhere', async () => {
      answer = () => 307;
      const { code, stderr } = await run(remotely(), { stdin: json, env: { CODEC_SERVER_TOKEN: 'secret' } });
      expect([code, stderr, requests.length]).toEqual([1, expect.stringContaining('answers 307'), 1]);
    });

    it('sends no token over http to another machine', async () => {
      const argv = ['--endpoint', 'http://codec.example.com', '--namespace', NAMESPACE];
      const { code, stderr } = await run(argv, { stdin: json, env: { CODEC_SERVER_TOKEN: 'secret' } });
      expect([code, stderr]).toEqual([1, expect.stringContaining('https endpoints only')]);
      expect(stderr).not.toContain('secret');
    });
  });
});
