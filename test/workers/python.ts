/**
 * Checks the types of workers/python and runs its tests, in a virtual environment of the project's own cache, with the packages it pins. With
 * `--only-prepare` it makes the environment and prints its `python`.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pythonEnvironment } from '../support/python.ts';

const library = join(import.meta.dirname, '../../workers/python');
const requirements = join(library, 'requirements-test.txt');

const tools = await pythonEnvironment('workers-python', library, ['-r', requirements], [requirements]);
const python = join(tools, 'python');
if (process.argv[2] === '--only-prepare') process.stdout.write(`${python}\n`);
else {
  for (const command of [['mypy'], ['pytest', '-q']]) {
    const { status, error } = spawnSync(python, ['-m', ...command], { cwd: library, stdio: 'inherit' });
    if (error !== undefined) throw error;
    if (status !== 0) process.exitCode = 1;
  }
}
