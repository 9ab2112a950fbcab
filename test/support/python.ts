/** Python packages for the slow suites, in virtual environments of the project's own cache. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cacheRoot, pipEnvironment } from './caches.ts';
import { madeOnce } from './made-once.ts';
import { retried } from './retried.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');

/** Where the tools of `test:aws` are asked for, and the library that they name by its folder. */
const TOOLS = join(ROOT, 'test/aws');
const LIBRARY = join(ROOT, 'workers/python');

let tools: Promise<string> | undefined;

/**
 * The folder with `python` and the tools of the packages that `test:aws` needs; installs them when they are not there yet.
 *
 * @throws Error that says what is missing on this machine
 */
export function pythonTools(): Promise<string> {
  const sources = join(LIBRARY, 'src/temporal_codec');
  const library = readdirSync(sources).filter((file) => file.endsWith('.py'));
  const inputs = [
    join(ROOT, 'examples/python/requirements.txt'),
    join(LIBRARY, 'pyproject.toml'),
    ...library.map((file) => join(sources, file)),
  ];
  tools ??= pythonEnvironment(
    'python',
    TOOLS,
    ['-r', 'requirements.txt'],
    [join(TOOLS, 'requirements.txt'), ...inputs],
  );
  return tools;
}

/**
 * A virtual environment with packages, made by the first who wants it.
 *
 * @param name what the folder in the cache is called, before a hash of what goes in
 * @param cwd where pip runs: folders in a requirements file are relative to it
 * @param packages what pip is to install
 * @param inputs files whose change makes another environment
 * @returns the folder with `python` and the programs of the packages
 * @throws Error that says what is missing on this machine
 */
export async function pythonEnvironment(
  name: string,
  cwd: string,
  packages: readonly string[],
  inputs: readonly string[] = [],
): Promise<string> {
  const hash = createHash('sha256').update(packages.join('\n'));
  for (const file of inputs) hash.update(readFileSync(file));
  const folder = join(cacheRoot, `${name}-${hash.digest('hex').slice(0, 12)}`);
  await madeOnce(folder, async (target) => {
    await command('python3', ['-m', 'venv', target], cwd, 'Python 3 with venv (Debian: apt-get install python3-venv)');
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages];
    const what = `the Python packages ${packages.join(' ')}, from PyPI`;
    await retried(() => command(join(target, 'bin/python'), pip, cwd, what));
  });
  return join(folder, 'bin');
}

async function command(file: string, args: readonly string[], cwd: string, what: string): Promise<void> {
  try {
    await run(file, args, { cwd, env: { ...process.env, ...pipEnvironment }, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const { stdout = '', stderr = '', code } = error as { stdout?: string; stderr?: string; code?: unknown };
    const said = `${stdout}${stderr}`.trim().split('\n').slice(-5).join('\n');
    throw new Error(`This needs ${what}. ${code === 'ENOENT' ? `${file} is not on the PATH` : said}`);
  }
}
