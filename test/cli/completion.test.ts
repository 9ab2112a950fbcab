import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { COMMANDS } from '../../cli/commands.ts';
import { completion } from '../../cli/completion.ts';
import { TestCommandIo } from '../support/command-io.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];
/** Bash is everywhere that the tests run; the others are asked where they are. */
const here = SHELLS.filter((shell) => shell === 'bash' || spawnSync(shell, ['--version']).status === 0);

async function script(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = new TestCommandIo({ cwd: '/' });
  return { code: await completion(argv, io), out: io.out, err: io.err };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'));
  writeFileSync(join(folder, 'my keyring.json'), '{}');
  writeFileSync(join(folder, 'history.json'), '{}');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash offers behind a line whose last word is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const { out } = await script('bash');
  const line = ['codec-server', ...words];
  const run = `${out}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _codec_server 2>&1; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const printed = execFileSync('bash', ['-c', run, 'bash', ...line], { cwd: folder, encoding: 'utf8' });
  return printed.split('\n').filter((word) => word !== '');
}

describe.each(SHELLS)('codec-server completion %s', (shell: Shell) => {
  it('names every command and every option', async () => {
    const { code, out } = await script(shell);
    expect(code).toBe(0);
    for (const [name, { options }] of Object.entries(COMMANDS)) {
      expect(out).toMatch(new RegExp(`\\b${name}\\b`));
      for (const option of Object.keys(options))
        expect(out).toContain(shell === 'fish' ? `-l ${option}` : `--${option}`);
    }
  });
});

it.each(here)('is a script that %s takes', async (shell) => {
  const { out } = await script(shell);
  const file = join(folder, `completion.${shell}`);
  writeFileSync(file, out);
  const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

describe('bash completes', () => {
  it('a command', async () => {
    expect(await offered('key')).toEqual(['keygen', 'keys-in-use']);
    expect(await offered('')).toEqual([...Object.keys(COMMANDS), '--help', '--version']);
  });

  it('the options of the command', async () => {
    expect(await offered('token', '--f')).toEqual(['--file']);
    expect(await offered('start', '--')).toEqual(expect.arrayContaining(['--port', '--keyring', '--help']));
    expect(await offered('start', '--file')).toEqual([]);
  });

  it('a file, also one with a blank, where a path is asked for', async () => {
    expect(await offered('start', '--keyring', 'my')).toEqual(['my keyring.json']);
    expect(await offered('inspect', 'hist')).toEqual(['history.json']);
  });

  it('nothing where a value is asked for that nobody can know', async () => {
    expect(await offered('start', '--port', '')).toEqual([]);
  });

  it('a word that is to be typed', async () => {
    expect(await offered('completion', 'z')).toEqual(['zsh']);
    expect(await offered('reencrypt', 'sch')).toEqual(['schedules']);
  });
});

it.each([[[]], [['tcsh']], [['bash', 'zsh']]])('refuses %j', async (argv) => {
  const { code, out, err } = await script(...argv);
  expect([code, out]).toEqual([2, '']);
  expect(err).toBe('codec-server completion: name one shell: bash, zsh or fish. See --help.\n');
});
