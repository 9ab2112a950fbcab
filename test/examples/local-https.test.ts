/** The local run over HTTPS with a self-made issuer, as docs/local-https.md tells it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sendRaw } from '../attack/target.ts';
import { testCertificate } from '../support/https-stand-in.ts';
import { jsonPlain, toJson } from '../support/payloads.ts';

describe('the local server over HTTPS with an issuer of one’s own', () => {
  const running: ChildProcess[] = [];
  const { cert, key } = testCertificate();
  let folder: string;
  let token: string;
  let port: number;

  /** Starts a script of this repository, and waits until it has printed what is looked for. */
  function run(pattern: RegExp, ...argv: string[]): Promise<string> {
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem') };
    const child = spawn(process.execPath, argv, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(child);
    return new Promise((done, failed) => {
      let printed = '';
      const read = (chunk: Buffer): void => {
        printed += chunk;
        if (pattern.test(printed)) done(printed);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.on('exit', () => failed(new Error(`ended early: ${printed}`)));
    });
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'local-https-'));
    writeFileSync(join(folder, 'cert.pem'), cert);
    writeFileSync(join(folder, 'key.pem'), key);
    const issuer = await run(/hours:\n\S+\n/, resolve('examples/local-https/issuer.ts'), 'cert.pem', 'key.pem', '0');
    token = /hours:\n(\S+)/.exec(issuer)?.[1] ?? '';
    const origin = /issuer (\S+)\//.exec(issuer)?.[1] ?? '';
    const config = readFileSync('examples/local-https/config.ts', 'utf8')
      .replaceAll('https://localhost:8899', origin)
      .replaceAll(/\.\.\/\.\.\/(?=config|environments)/g, `${resolve('.')}/`);
    writeFileSync(join(folder, 'config.ts'), config);
    const tls = ['--tls-cert', 'cert.pem', '--tls-key', 'key.pem'];
    const flags = ['start', '--port', '0', '--config', 'config.ts', '--keyring', 'keyring.json', ...tls];
    const server = await run(/https:\/\/localhost:\d+/, resolve('bin/codec-server.ts'), ...flags);
    port = Number(/https:\/\/localhost:(\d+)/.exec(server)?.[1]);
  });

  afterAll(async () => {
    await Promise.all(running.map((child) => new Promise((done) => child.on('exit', done) && child.kill('SIGTERM'))));
    rmSync(folder, { recursive: true });
  });

  const send = (path: string, body: string, ...more: [string, string][]) =>
    sendRaw(
      {
        method: 'POST',
        path,
        headers: [['content-type', 'application/json'], ['x-namespace', 'default'], ...more],
        body,
      },
      { port, ca: cert },
    );

  it('encodes and decodes with the printed token, and does neither without', async () => {
    const plain = JSON.stringify({ payloads: [toJson(jsonPlain('over https'))] });
    const authorization: [string, string] = ['authorization', `Bearer ${token}`];
    const encoded = await send('/encode', plain, authorization);
    expect(encoded.status).toBe(200);
    expect(encoded.body).not.toBe(plain);
    const decoded = await send('/decode', encoded.body, authorization);
    expect(JSON.parse(decoded.body)).toEqual(JSON.parse(plain));
    expect((await send('/decode', encoded.body)).status).toBe(401);
    expect((await send('/decode', encoded.body, ['authorization', `${token}x`])).status).toBe(401);
  });
});
