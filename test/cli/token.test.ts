import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TOKEN_USAGE, token } from '../../cli/token.ts';
import { readServiceTokenEntries } from '../../lambda/server/auth/service-tokens.ts';
import { TestCommandIo } from '../support/command-io.ts';

describe('codec-server token', () => {
  let cwd: string;
  let io: TestCommandIo;

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'token-'));
    io = new TestCommandIo({ cwd });
  });

  afterEach(() => rmSync(cwd, { recursive: true }));

  it('prints a token and the entry with its SHA-256, and a different one every time', async () => {
    expect(await token(['ci'], io)).toBe(0);
    const made = /codec_[A-Za-z0-9_-]{43}/.exec(io.out)?.[0] ?? '';
    expect(io.out).toContain(JSON.stringify({ name: 'ci', sha256: createHash('sha256').update(made).digest('hex') }));
    const other = new TestCommandIo();
    await token(['ci'], other);
    expect(other.out).not.toContain(made);
  });

  it('gives JSON for scripts, with the expiry asked for', async () => {
    expect(await token(['ci', '--json', '--days', '30'], io)).toBe(0);
    const { token: made, entry } = JSON.parse(io.out);
    expect(entry.sha256).toBe(createHash('sha256').update(made).digest('hex'));
    const days = (Date.parse(entry.expires) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThan(30.1);
  });

  it('adds the entry to a file that only its owner reads, keeping what is there', async () => {
    expect(await token(['ci', '--file', 'tokens.json'], io)).toBe(0);
    expect(await token(['ci', '--file', 'tokens.json'], io)).toBe(0);
    const path = join(cwd, 'tokens.json');
    expect(readServiceTokenEntries(readFileSync(path, 'utf8')).map(({ name }) => name)).toEqual(['ci', 'ci']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const made of io.out.match(/codec_[A-Za-z0-9_-]{43}/g) ?? []) {
      expect(readFileSync(path, 'utf8')).not.toContain(made);
    }
  });

  it('leaves a file alone that is something else, and says so in one sentence', async () => {
    writeFileSync(join(cwd, 'other.json'), '{"tokens":[{"name":"x","sha256":"SECRET"}]}');
    expect(await token(['ci', '--file', 'other.json'], io)).toBe(1);
    expect(io.out).toBe('');
    expect(io.err).toBe(
      'codec-server token: other.json is no list of service tokens: tokens[0].sha256 must be 64 hex digits in lower case, as codec-server token prints them. No token was made.\n',
    );
    expect(await token(['ci', '--file', 'no/such/folder.json'], io)).toBe(1);
  });

  it.each([[[]], [['a', 'b']], [['white space']], [['-x']], [['ci', '--days', '0']], [['ci', '--days', 'x']], [['']]])(
    'refuses the arguments %j',
    async (argv) => {
      expect(await token(argv, io)).toBe(2);
      expect(io.err).toMatch(/^codec-server token: .+ See --help\.\n$/);
      expect(io.out).toBe('');
    },
  );

  it('explains itself', async () => {
    expect(await token(['--help'], io)).toBe(0);
    expect(io.out).toBe(TOKEN_USAGE);
  });
});
