import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { helpOf } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { token } from '../../cli/token.ts';
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
    writeFileSync(join(cwd, 'other.json'), '{"tokens":[{"name":"x","sha256":"SECRET"}]}', { mode: 0o600 });
    expect(await token(['ci', '--file', 'other.json'], io)).toBe(1);
    expect(io.out).toBe('');
    expect(io.err).toBe(
      `codec-server token: The file of service tokens ${join(cwd, 'other.json')} is not a list of service tokens: tokens[0].sha256 must be 64 hex digits in lower case, as codec-server token prints them. No token was made.\n`,
    );
    expect(await token(['ci', '--file', 'no/such/folder.json'], io)).toBe(1);
  });

  it('loses no entry when eight are added side by side, each by a process of its own', async () => {
    const run = () =>
      new Promise<number | null>((resolve) =>
        spawn(
          process.execPath,
          [join(import.meta.dirname, '../../bin/codec-server.ts'), 'token', 'ci', '--file', 't.json'],
          {
            cwd,
            stdio: 'ignore',
          },
        ).once('exit', resolve),
      );
    const codes = await Promise.all(Array.from({ length: 8 }, run));
    expect(codes).toEqual(Array(8).fill(0));
    expect(readServiceTokenEntries(readFileSync(join(cwd, 't.json'), 'utf8'))).toHaveLength(8);
  });

  it('writes into the file that a symbolic link means, and leaves the link', async () => {
    mkdirSync(join(cwd, 'real'));
    symlinkSync('real/tokens.json', join(cwd, 'link.json'));
    for (let i = 0; i < 2; i++) expect(await token(['ci', '--file', 'link.json'], io)).toBe(0);
    expect(lstatSync(join(cwd, 'link.json')).isSymbolicLink()).toBe(true);
    expect(readServiceTokenEntries(readFileSync(join(cwd, 'real/tokens.json'), 'utf8'))).toHaveLength(2);
    expect(readdirSync(join(cwd, 'real'))).toEqual(['tokens.json']);
  });

  it('adds nothing to a file that others can read or change', async () => {
    writeFileSync(join(cwd, 'open.json'), '{"tokens":[]}');
    chmodSync(join(cwd, 'open.json'), 0o644);
    expect(await token(['ci', '--file', 'open.json'], io)).toBe(1);
    expect(io.err).toContain('run "chmod 600');
  });

  it('says whether a list can be put in force, and what is wrong with one that cannot', async () => {
    const entry = { name: 'ci', sha256: '0'.repeat(64), expires: '2020-01-01T00:00:00Z' };
    writeFileSync(join(cwd, 'good.json'), JSON.stringify({ tokens: [entry] }));
    expect(await token(['--check', 'good.json'], io)).toBe(0);
    expect(io.out).toBe('good.json can be used. Its tokens:\n  ci, until 2020-01-01T00:00:00Z\nExpired already: ci.\n');
    writeFileSync(join(cwd, 'slip.json'), `${JSON.stringify({ tokens: [entry] }).slice(0, -2)},]}`);
    expect(await token(['--check', 'slip.json'], io)).toBe(1);
    expect(io.err).toContain('slip.json is not a list of service tokens: it is not valid JSON');
    expect(await token(['--check', 'none.json'], io)).toBe(1);
    expect(await token(['ci', '--check', 'good.json'], io)).toBe(2);
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
    expect(io.out).toBe(helpOf('token', COMMANDS.token));
  });
});
