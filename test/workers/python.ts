/**
 * Runs the tests of workers/python in a virtual environment of the project's own cache, with the packages it pins. With
 * `--only-prepare` it makes the environment and prints its `python`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const library = join(root, 'workers/python');
const requirements = join(library, 'requirements-test.txt');

function run(program: string, ...args: string[]): void {
  const { status, error } = spawnSync(program, args, { cwd: library, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(1);
}

const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
const folder = join(root, '.cache', `workers-python-${hash}`);
const complete = join(folder, 'complete');
if (!existsSync(complete)) {
  rmSync(folder, { recursive: true, force: true });
  run('python3', '-m', 'venv', folder);
  run(join(folder, 'bin/python'), '-m', 'pip', 'install', '--quiet', '-r', requirements);
  writeFileSync(complete, '');
}
const python = join(folder, 'bin/python');
if (process.argv[2] === '--only-prepare') process.stdout.write(`${python}\n`);
else run(python, '-m', 'pytest', '-q');
