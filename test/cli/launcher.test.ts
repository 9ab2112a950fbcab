/** The command as people type it: from any folder, by its file or by npm, with whatever Node.js there is. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

const LAUNCHER = resolve('codec-server');
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'launcher-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (file: string, argv: string[], cwd: string, env: NodeJS.ProcessEnv = process.env) =>
  spawnSync(file, argv, { cwd, env, encoding: 'utf8' });

it('runs from any folder, through a link, and takes paths from where it is called', () => {
  const link = join(folder, 'linked');
  symlinkSync(LAUNCHER, link);
  expect(run(link, ['--version'], folder)).toMatchObject({ status: 0, stdout: `${version}\n` });
  expect(run(LAUNCHER, ['keygen', '--keyring', 'by-file.json'], folder).status).toBe(0);
  expect(existsSync(join(folder, 'by-file.json'))).toBe(true);
});

it('takes paths from where npm was called, in a folder below the root, too', () => {
  const argv = ['run', '-s', 'codec-server', '--', 'check-config', 'not-here.ts'];
  const { status, stderr } = run('npm', argv, resolve('docs'));
  expect(status).toBe(1);
  expect(stderr).toContain(resolve('docs/not-here.ts'));
});

it('asks what was meant where there is no such command', () => {
  const { status, stderr } = run(LAUNCHER, ['check-confg'], folder);
  expect([status, stderr]).toEqual([
    2,
    'codec-server: there is no command "check-confg". Did you mean check-config? See codec-server --help.\n',
  ]);
});

it('says in one sentence that its output cannot be written', () => {
  const { status, stderr } = run('sh', ['-c', `"${LAUNCHER}" --version > /dev/full`], folder);
  expect([status, stderr]).toEqual([1, 'codec-server: the output cannot be written (ENOSPC).\n']);
});

it('says in one sentence that there is no Node.js it can run on', () => {
  const bare = join(folder, 'codec-server');
  execFileSync('cp', [LAUNCHER, bare]);
  const { status, stderr } = run(bare, ['--version'], folder, { PATH: '/usr/bin:/bin' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^codec-server: (there is no Node\.js|its packages are not installed).*npm ci in .*\n$/);
});
