/** What somebody at the terminal of a local server sees of requests that are refused and payloads that stay closed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { start } from '../../cli/start.ts';
import { createRefusals, createTerminalLogger } from '../../cli/start-log.ts';
import { CannotOpenError } from '../../codec/errors.ts';
import type { RejectionReason } from '../../lambda/server/auth/caller.ts';
import { HttpsGetError } from '../../lambda/server/auth/https-get.ts';
import { auditEntry } from '../support/audit-entry.ts';
import { TestCommandIo } from '../support/command-io.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'refusals-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

async function withServer(argv: string[], use: (endpoint: string, io: TestCommandIo) => Promise<void>) {
  const io = new TestCommandIo({ cwd });
  const stop = new AbortController();
  const exit = start(['--port', '0', ...argv], io, stop.signal);
  while (!io.out.includes('Ctrl-C')) {
    const code = await Promise.race([exit, setTimeout(5)]);
    if (typeof code === 'number') throw new Error(io.err);
  }
  const [, endpoint = ''] = /Codec server at (\S+)/.exec(io.out) ?? [];
  try {
    await use(endpoint, io);
  } finally {
    stop.abort();
    await exit;
  }
  return io;
}

const post = (url: string, body: string, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
const lines = (text: string) => text.split('\n').filter((line) => line !== '');
const encrypted = (out: string) => /^curl .* -d '([^']+)'$/m.exec(out)?.[1] ?? '';

describe('a local server', () => {
  it('names the origin that its start message does not list, at the preflight and at the request, and takes it with --origin', async () => {
    const origin = 'http://localhost:4321';
    const refused = await withServer([], async (endpoint) => {
      await fetch(`${endpoint}/decode`, { method: 'OPTIONS', headers: { origin } });
      await post(`${endpoint}/decode`, '{}', { origin });
    });
    expect(refused.out).toMatch(/^Origins: {2}http:\/\/localhost:8233, .*--origin/m);
    expect(refused.out).not.toContain(origin);
    const told = lines(refused.err);
    expect(told).toHaveLength(2);
    for (const line of told) {
      expect(line).toContain(origin);
      expect(line).toContain('--origin');
      expect(line).toMatch(/request [0-9a-f-]{36}/);
    }
    const taken = await withServer(['--origin', origin], async (endpoint) => {
      const preflight = await fetch(`${endpoint}/decode`, { method: 'OPTIONS', headers: { origin } });
      expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
      expect((await post(`${endpoint}/decode`, '{}', { origin })).status).toBe(200);
    });
    expect(taken.out).toContain(origin);
    expect(taken.err).toBe('');
  });

  it('says of a payload that stays closed which key it names, in which namespace, and what it has', async () => {
    let foreign = '';
    await withServer(['--keyring', 'theirs.json'], async (_, { out }) => {
      foreign = encrypted(out);
    });
    const io = await withServer([], async (endpoint) => {
      await post(`${endpoint}/decode`, foreign, { 'x-namespace': 'default', origin: 'http://localhost:8233' });
    });
    const [line = '', ...more] = lines(io.err);
    expect(more).toEqual([]);
    expect(line).toMatch(
      /^codec-server: decode got a 200 \(1 × unknown-key: the message names the key .*, and the keyring has .*\); namespace default, from http:\/\/localhost:8233, request \S+$/,
    );
  });

  it('says that there are no AWS credentials, and not that KMS refuses', async () => {
    const arn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    writeFileSync(
      join(cwd, 'config.mjs'),
      `export default { defaultNamespace: 'default', cors: { origins: [], credentials: false }, failures: 'explain',
        compression: null, identity: null,
        access: [{ name: 'all', namespaces: ['*'], people: ['anyone-on-loopback'], allow: ['decode', 'encode'] }],
        keys: { keyring: null, kms: [{ namespaces: ['*'], write: '${arn}' }], staticKeys: null } };`,
    );
    const before = { ...process.env };
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    Object.assign(process.env, {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: join(cwd, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: join(cwd, 'none'),
    });
    try {
      const io = await withServer(['--config', 'config.mjs'], async (endpoint) => {
        expect((await fetch(`${endpoint}/readyz`)).status).toBe(503);
      });
      expect(io.err).toContain('this process has no AWS credentials: set AWS_PROFILE');
      expect(io.err).not.toContain('refuses');
    } finally {
      process.env = before;
    }
  });
});

describe('the lines of refusals', () => {
  it('are silent about what was done', () => {
    const written: string[] = [];
    const refusals = createRefusals((line) => written.push(line));
    refusals.record(auditEntry({ payloads: { decoded: 2, unchanged: 1 } }));
    expect(written).toEqual([]);
  });

  it('say of every reason for a 401 in docs/audit.md what it means, with the address or setting to look at', () => {
    const page = readFileSync(new URL('../../docs/audit.md', import.meta.url), 'utf8');
    const [, table = ''] = /Reasons for `unauthenticated`:\n\n(.*?)\n\n/s.exec(page) ?? [];
    const reasons = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, reason]) => reason as RejectionReason),
    );
    expect(reasons.length).toBeGreaterThan(20);
    const told = reasons.map((unauthenticated) => {
      const written: string[] = [];
      createRefusals((line) => written.push(line)).record(auditEntry({ status: 401, payloads: {}, unauthenticated }));
      return written.join();
    });
    for (const [at, line] of told.entries()) expect(line).toMatch(new RegExp(`got a 401 \\(${reasons[at]}: .{20,}\\)`));
    expect(told[reasons.indexOf('audience')]).toContain('compare its "aud" with "audience" in the configuration');
    expect(told[reasons.indexOf('missing')]).toContain('"Pass access token"');
  });

  it('are bounded, and count what they leave out', () => {
    const written: string[] = [];
    let now = 0;
    const refusals = createRefusals(
      (line) => written.push(line),
      () => now,
    );
    const flood = (count: number) => {
      for (let i = 0; i < count; i++) refusals.record(auditEntry({ status: 401, unauthenticated: 'missing' }));
    };
    flood(1000);
    expect(written).toHaveLength(20);
    now = 10_000;
    flood(1);
    expect(written.slice(20)).toEqual([
      `codec-server: and ${1000 - 20} more of the kind`,
      expect.stringContaining('missing'),
    ]);
  });

  it('hold nothing that a stranger could use: no control characters, no secrets, no end of a name', () => {
    const written: string[] = [];
    const refusals = createRefusals((line) => written.push(line));
    const token = `eyJhbGciOiJSUzI1NiJ9.${'x'.repeat(40)}.y`;
    refusals.record(
      auditEntry({
        status: 403,
        origin: `http://a\u001b[2J\u202e${token}`,
        namedNamespace: `n\n${'z'.repeat(5000)}`,
        cause: `Bearer ${token}`,
      }),
    );
    refusals.turnedAway({ status: 403, text: 'no', origin: `\r\n${token}`, requestId: 'r' });
    for (const line of written) {
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(line).not.toContain('xxxx');
      expect(line.length).toBeLessThan(900);
    }
  });
});

describe('the log of a terminal', () => {
  it('says what went wrong down to the cause, with the address, and where in the code only of a bug', () => {
    const written: string[] = [];
    const logger = createTerminalLogger((line) => written.push(line));
    logger.debug('not told');
    const cause = new Error('of a library', {
      cause: new HttpsGetError('login.example.com cannot be reached (ENOTFOUND)'),
    });
    logger.warn('the identity provider cannot be asked', {}, new HttpsGetError('no discovery document', { cause }));
    logger.warn('KMS does not answer', { fault: 'timed-out' });
    logger.error('a secret cannot be used', { secret: 'keys' }, new CannotOpenError('malformed', 'it is not JSON'));
    expect(written).toEqual([
      'codec-server: the identity provider cannot be asked: no discovery document: login.example.com cannot be reached (ENOTFOUND)',
      'codec-server: KMS does not answer (fault: timed-out)',
      'codec-server: a secret cannot be used: it is not JSON (secret: keys)',
    ]);
    logger.error('a request failed by a bug', { requestId: 'r' }, new TypeError('plaintext of a person'));
    expect(written[3]).toBe('codec-server: a request failed by a bug: TypeError (requestId: r)');
    expect(written[4]).toMatch(/^ {4}at /);
    expect(written.join()).not.toContain('plaintext');
  });
});
