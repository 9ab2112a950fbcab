/** Python packages for the slow suites, in a virtual environment of the project's own cache. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');

/** Files that say which packages at which versions. */
const REQUIREMENTS = ['examples/python/requirements.txt', 'test/aws/requirements.txt'];
/** The library that they name by its folder. */
const LIBRARY = 'workers/python/src/temporal_codec';

let installing: Promise<string> | undefined;

/**
 * The folder with `python` and the tools of the packages; installs them when they are not there yet.
 *
 * @throws Error that says what is missing on this machine
 */
export function pythonTools(): Promise<string> {
  installing ??= install();
  return installing;
}

async function install(): Promise<string> {
  const hash = createHash('sha256');
  const library = readdirSync(join(ROOT, LIBRARY)).filter((file) => file.endsWith('.py'));
  for (const file of [...REQUIREMENTS, 'workers/python/pyproject.toml', ...library.map((file) => join(LIBRARY, file))])
    hash.update(readFileSync(join(ROOT, file)));
  const folder = join(ROOT, '.cache', `python-${hash.digest('hex').slice(0, 12)}`);
  const done = join(folder, 'installed');
  if (!existsSync(done)) {
    rmSync(folder, { recursive: true, force: true });
    await command(
      'python3',
      ['-m', 'venv', folder],
      'Python 3 with its venv module (Debian: apt-get install python3-venv)',
    );
    const pip = ['install', '--quiet', '-r', join(ROOT, 'test/aws/requirements.txt')];
    await command(join(folder, 'bin/pip'), pip, 'the Python packages of test/aws/requirements.txt, from PyPI');
    writeFileSync(`${done}.new`, '');
    renameSync(`${done}.new`, done);
  }
  return join(folder, 'bin');
}

async function command(file: string, args: readonly string[], what: string): Promise<void> {
  try {
    // Folders in a requirements file are relative to where pip runs.
    await run(file, args, { cwd: join(ROOT, 'test/aws'), maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const { stderr = '', code } = error as { stderr?: string; code?: unknown };
    const missing = code === 'ENOENT' ? `${file} is not on the PATH` : stderr.trim().split('\n').slice(-5).join('\n');
    throw new Error(`This suite needs ${what}. ${missing}`);
  }
}
