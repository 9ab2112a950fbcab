import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { helpOf } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { start } from '../../cli/start.ts';
import { makeTestCertificate } from '../support/certificate.ts';
import { TestCommandIo } from '../support/command-io.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'start-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** Starts a server as the command does, on a free port. */
async function started(...argv: string[]) {
  const io = new TestCommandIo({ cwd });
  const stop = new AbortController();
  const exit = start(['--port', '0', ...argv], io, stop.signal);
  const early = await Promise.race([exit, firstMessage(io)]);
  if (early !== undefined) throw new Error(`it ended with ${early}: ${io.err}`);
  const [, endpoint = '', port = ''] = /Codec server at (https?:\/\/\S+:(\d+)) /.exec(io.out) ?? [];
  return {
    io,
    endpoint,
    port: Number(port),
    stop: () => {
      stop.abort();
      return exit;
    },
  };
}

async function firstMessage(io: TestCommandIo): Promise<undefined> {
  while (!io.out.includes('Ctrl-C')) await setTimeout(5);
}

/** Runs the command where it must not start. */
async function refused(...argv: string[]): Promise<string> {
  const { code, text } = await ended(...argv);
  expect(code).toBe(1);
  return text;
}

/** Runs the command where it ends by itself, with one sentence. */
async function ended(...argv: string[]): Promise<{ code: number; text: string }> {
  const io = new TestCommandIo({ cwd });
  const code = await start(argv, io, AbortSignal.abort());
  expect(io.out).toBe('');
  return { code, text: io.err };
}

/** Address, headers and body of the curl command in a text. */
function curlIn(text: string) {
  const [, url = '', header = '', body = ''] = /^curl -s (\S+) -H '([^']+)' -d '([^']+)'$/m.exec(text) ?? [];
  const [name = '', value = ''] = header.split(': ');
  return { url, headers: { [name]: value }, body };
}

const file = (name: string, content: string): string => {
  const path = join(cwd, name);
  writeFileSync(path, content);
  return path;
};

const config = (changes: string): string =>
  file(
    'config.mjs',
    `export default {
  defaultNamespace: 'default', cors: { origins: [], credentials: false }, failures: 'explain', compression: null,
  identity: null, access: [{ name: 'all', namespaces: ['*'], people: ['anyone-on-loopback'], allow: ['decode', 'encode'] }],
  keys: { keyring: { file: 'keyring.json' }, kms: null, staticKeys: null }, ${changes} };`,
  );

describe('codec-server start', () => {
  it('makes a keyring of its own and prints a curl command that decodes', async () => {
    const server = await started();
    const { url, headers, body } = curlIn(server.io.out);
    expect(url).toBe(`${server.endpoint}/decode`);
    const answer = (await (await fetch(url, { method: 'POST', headers, body })).json()) as {
      payloads: [{ data: string }];
    };
    expect(JSON.parse(Buffer.from(answer.payloads[0].data, 'base64').toString())).toBe('Hello from your codec server');

    const path = join(cwd, '.codec-server/keyring.json');
    expect(server.io.out).toContain(`${path}, made just now`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(server.io.out).toContain(`--codec-endpoint ${server.endpoint}`);
    expect(server.io.out).toContain(`Web UI:`);
    expect(await server.stop()).toBe(0);
    expect(server.io.err).toBe('');
  });

  it('decodes after a restart what it encoded before', async () => {
    const before = await started('--keyring', 'mine.json');
    const { headers, body } = curlIn(before.io.out);
    await before.stop();
    const after = await started('--keyring', 'mine.json');
    const answer = await fetch(`${after.endpoint}/decode`, { method: 'POST', headers, body });
    expect(await answer.text()).toContain(
      Buffer.from(JSON.stringify('Hello from your codec server')).toString('base64'),
    );
    expect(after.io.out).not.toContain('made just now');
    await after.stop();
  });

  it('listens on both loopback addresses, where the machine has both', async () => {
    const server = await started();
    expect(server.io.out).toMatch(/listening on http:\/\/127\.0\.0\.1:\d+( and http:\/\/\[::1\]:\d+)?\)/);
    expect((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status).toBe(200);
    await server.stop();
  });

  it('finishes the requests in flight before it ends', async () => {
    const server = await started();
    const status = new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': '2', expect: '100-continue' };
      const outgoing = httpRequest({ port: server.port, host: '127.0.0.1', path: '/decode', method: 'POST', headers });
      outgoing.on('response', (response) => resolve(response.resume().statusCode));
      outgoing.on('error', reject);
      outgoing.write('{');
      // The server has taken the head.
      outgoing.on('continue', async () => {
        const ended = server.stop();
        await setTimeout(50);
        outgoing.end('}');
        await ended;
      });
    });
    expect(await status).toBe(200);
    expect(await server.stop()).toBe(0);
    await expect(fetch(`http://127.0.0.1:${server.port}/healthz`)).rejects.toThrow();
  });

  it('serves https with a certificate', async () => {
    const { cert, key } = makeTestCertificate();
    const server = await started('--tls-cert', file('cert.pem', cert), '--tls-key', file('key.pem', key));
    expect(server.endpoint).toMatch(/^https:\/\/localhost:/);
    const status = await new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: server.port, path: '/healthz', ca: cert, servername: 'localhost' };
      httpsRequest(options, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
    await server.stop();
  });

  it('takes the configuration of a file, and prints audit lines when asked', async () => {
    const server = await started('--config', config("defaultNamespace: 'other'"), '--audit');
    const { headers, body } = curlIn(server.io.out);
    await fetch(`${server.endpoint}/decode`, { method: 'POST', headers, body });
    await server.stop();
    const lines = server.io.out.split('\n').filter((line) => line.startsWith('{"type":"audit"'));
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ operation: 'decode', namespaces: { allowed: ['other'] } });
    expect(server.io.out).toContain(join(cwd, 'keyring.json'));
  });

  it('prints its usage', async () => {
    const io = new TestCommandIo({ cwd });
    expect(await start(['--help'], io, AbortSignal.abort())).toBe(0);
    expect(io.out).toBe(helpOf('start', COMMANDS.start));
  });

  describe('refuses to start, with one clear sentence,', () => {
    it.each<[string[], number, RegExp]>([
      [['--prot', '1'], 2, /^codec-server start: Unknown option '--prot'\. Did you mean --port\? See --help\.\n$/],
      [['--port'], 2, /^codec-server start: .*--port.*\n$/],
      [['--port', 'http'], 2, /"http" is not a port/],
      [['--port', '65536'], 2, /"65536" is not a port/],
      [['extra'], 2, /^codec-server start: Unexpected argument 'extra'/],
      [['--tls-cert', 'a.pem'], 2, /--tls-cert and --tls-key together/],
      [['--tls-cert', 'a.pem', '--tls-key', 'b.pem'], 1, /--tls-cert: \S+a\.pem cannot be read \(ENOENT\)/],
      [['--config', 'none.ts'], 1, /There is no configuration file \S+none\.ts/],
      [['--host', '0.0.0.0'], 1, /On 0\.0\.0\.0 others could reach this server.*identity: null/],
      [['--host', '::'], 1, /On :: others could reach this server/],
      [['--host', '192.0.2.1'], 1, /On 192\.0\.2\.1 others/],
    ])('%j, and exit code %d', async (argv, exitCode, message) => {
      const { code, text } = await ended(...argv);
      expect(code).toBe(exitCode);
      expect(text).toMatch(message);
      expect(text.trimEnd().split('\n')).toHaveLength(1);
      expect(text).not.toMatch(/ at .*:\d+/);
    });

    it('a port that is taken', async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const port = (other.address() as { port: number }).port;
      expect(await refused('--port', String(port))).toMatch(
        new RegExp(`^codec-server: Port ${port} is taken: .*--port\\.\\n$`),
      );
      other.close();
    });

    it('a keyring that others can read', async () => {
      await (await started()).stop();
      chmodSync(join(cwd, '.codec-server/keyring.json'), 0o644);
      expect(await refused()).toMatch(
        /^codec-server: The keyring \S+ can be read or changed by others.*chmod 600.*\n$/,
      );
    });

    it('a keyring that is none, without printing what is in it', async () => {
      const path = file('keyring.json', '{"keys":"secret"}');
      chmodSync(path, 0o600);
      const text = await refused('--keyring', path);
      expect(text).toMatch(/^codec-server: The keyring \S+keyring\.json cannot be used: .*\n$/);
      expect(text).not.toContain('secret');
    });

    it('a keyring where no file can be', async () => {
      file('folder', 'a file');
      expect(await refused('--keyring', 'folder/keyring.json')).toMatch(/^codec-server: The keyring .*\n$/);
    });

    it('a configuration with problems, all of which it lists', async () => {
      const text = await refused('--config', config("failures: 'sometimes', compression: undefined, more: 1"));
      expect(text).toMatch(/^codec-server: The configuration \S+config\.mjs has 3 problems:\n/);
      for (const field of ['failures', 'compression', 'more']) expect(text).toContain(`  ${field}: `);
    });

    it('a configuration that does not load', async () => {
      expect(await refused('--config', file('broken.mjs', 'export default {'))).toMatch(/broken\.mjs does not load/);
      expect(await refused('--config', file('empty.mjs', ''))).toMatch(/has no default export/);
    });

    it('keys that only a stack can give', async () => {
      const keys = "keys: { keyring: null, kms: [{ namespaces: ['*'], write: 'created-by-stack' }], staticKeys: null }";
      expect(await refused('--config', config(keys))).toMatch(/keys\.kms\[0\]\.write: no stack/);
    });

    it('a sign-in on this machine that would be over http', async () => {
      const signIn = `identity: { issuers: [], serviceTokens: null, signIn: { issuer: 'https://login.example.com/', clientId: 'c',
        clientSecret: null, publicUrl: 'https://localhost:8888', sessionKeys: { file: 'session-keys.json' } } }, access: [],
        cors: { origins: ['https://temporal.example.com'], credentials: true }`;
      const text = await refused('--config', config(signIn));
      expect(text).toMatch(
        /^codec-server: People sign in at https:\/\/localhost:8888 .* --tls-cert and --tls-key\.\n$/,
      );
    });

    it('a certificate that is none', async () => {
      const { key } = makeTestCertificate();
      const { cert } = makeTestCertificate();
      const keyFile = file('key.pem', key);
      expect(await refused('--tls-cert', file('c.pem', 'no'), '--tls-key', keyFile)).toMatch(
        /c\.pem is not a PEM file/,
      );
      const broken = file('b.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
      expect(await refused('--port', '0', '--tls-cert', broken, '--tls-key', keyFile)).toMatch(/are not a certificate/);
      const foreign = file('f.pem', cert);
      expect(await refused('--port', '0', '--tls-cert', foreign, '--tls-key', keyFile)).toMatch(
        /are not a certificate/,
      );
    });
  });

  it.each<[string, string, string[], NodeJS.Signals]>([
    ['Ctrl-C', process.execPath, ['bin/codec-server.ts', 'start'], 'SIGINT'],
    ['SIGTERM', process.execPath, ['bin/codec-server.ts', 'start'], 'SIGTERM'],
    ['SIGTERM to npm, whose shell must not stand between', 'npm', ['start', '--silent', '--'], 'SIGTERM'],
  ])('ends with exit code 0 on %s', async (_, command, argv, signal) => {
    const child = spawn(command, [...argv, '--port', '0', '--keyring', join(cwd, 'keyring.json')]);
    let out = '';
    const code = await new Promise((resolve) => {
      child.stdout.on('data', (chunk) => {
        out += chunk;
        // Once: a second signal would end it at once.
        if (out.includes('Ctrl-C') && !child.killed) child.kill(signal);
      });
      child.on('close', resolve);
    });
    expect(code).toBe(0);
    expect(out).toMatch(/Finishing the requests in flight…\n$/);
    expect(readFileSync(join(cwd, 'keyring.json'), 'utf8')).toContain('"current"');
  });

  it('ends, and says so in one line, when nobody takes its audit lines any more', async () => {
    const argv = ['bin/codec-server.ts', 'start', '--port', '0', '--audit', '--keyring', join(cwd, 'keyring.json')];
    const child = spawn(process.execPath, argv);
    const closed = new Promise((resolve) => child.on('close', resolve));
    let out = '';
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: true })) {
      out += chunk;
      if (out.includes('Ctrl-C')) break;
    }
    const { url, headers, body } = curlIn(out);
    await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
    expect(await closed).toBe(1);
    expect(err).toBe('codec-server: nobody takes the output any more, so it ends here.\n');
  });
});

describe('the address in a browser', () => {
  const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

  it('says what this is and what to do next, and nothing of this server', async () => {
    const server = await started();
    const answer = await fetch(`http://127.0.0.1:${server.port}/`, { headers: { accept: HTML } });
    const page = await answer.text();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page).toMatch(/<style>:root\{color-scheme:light dark\}/);
    expect(page).not.toMatch(/[{;]color:/);
    expect(page).toMatch(/decodes the payloads of Temporal.*Configure Codec Server.*--codec-endpoint.*doctor ADDRESS/s);
    expect(page).not.toMatch(/<script|keyring|http:/);
    // By which doctor knows a sign-in.
    expect(page).not.toContain('<title>Codec server</title>');
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    await server.stop();
  });

  it.each<[string, RequestInit, string, number]>([
    ['a program', { headers: { accept: '*/*' } }, '/', 404],
    ['a page of an allowed origin', { headers: { accept: HTML, origin: 'http://localhost:8233' } }, '/', 404],
    ['another path', { headers: { accept: HTML } }, '/x', 404],
    ['a POST', { method: 'POST', headers: { accept: HTML } }, '/', 404],
    ['an operation', { headers: { accept: HTML } }, '/decode', 405],
  ])('leaves %s to the protocol', async (_, init, path, status) => {
    const server = await started();
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'text/plain; charset=utf-8']);
    await server.stop();
  });
});

it('says line for line what README.md shows of it', async () => {
  const readme = readFileSync('README.md', 'utf8');
  const transcript = /```\n(Codec server at [^`]*(?:`temporal`[^`]*)?)```/.exec(readme)?.[1] ?? '';
  const server = await started();
  const said = server.io.out.replaceAll(`:${server.port}`, ':8888');
  // An ellipsis stands for what is left out.
  const parts = transcript.split('…').map((text) => text.trim());
  expect(parts.length).toBeGreaterThan(3);
  let end = 0;
  for (const part of parts) {
    const at = said.indexOf(part, end);
    expect([part, at >= end]).toEqual([part, true]);
    end = at + part.length;
  }
  await server.stop();
});
