/**
 * `npm run test:workers [-- LANGUAGE …]`: the tests of the libraries of `workers/`, each by its own language's tools, .NET's by
 * what stands in for them. A tool that is missing fails the run: what was not run is not shown to work.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { runnerOptions } from '../../scripts/runner-options.ts';
import { retried } from '../support/retried.ts';
import { LANGUAGES, type Step } from './languages.ts';

const USAGE = `
Usage: npm run test:workers [-- LANGUAGE …]

Runs the tests of the libraries of workers/. Without a LANGUAGE it runs all.

  --help

Exit code: 0 all passed, 1 something failed, 2 wrong usage.
`;

const root = join(import.meta.dirname, '../..');
const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Runs one step. @returns whether it passed */
async function passes({ command: [program, ...args], cwd, env, fetches }: Step): Promise<boolean> {
  const begin = performance.now();
  const what = `${[program, ...args].join(' ')} in ${cwd}`;
  const took = () => `${((performance.now() - begin) / 1000).toFixed(1)} s`;
  const attempt = async () => {
    const { status, error } = spawnSync(program, args, {
      cwd: join(root, cwd),
      env: { ...process.env, ...env },
      stdio: 'inherit',
    });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`it ended with ${status}`);
  };
  try {
    await (fetches ? retried(attempt) : attempt());
    print(`ok    ${what} (${took()})`);
    return true;
  } catch (error) {
    print(`FAIL  ${what}: ${(error as Error).message} (${took()})`);
    return false;
  }
}

async function main(): Promise<number> {
  const { positionals } = runnerOptions(USAGE, { allowPositionals: true, options: {} });
  const unknown = positionals.find((name) => !LANGUAGES.some((language) => language.name === name));
  if (unknown !== undefined) {
    print(`There is no language "${unknown}". The languages: ${LANGUAGES.map(({ name }) => name).join(', ')}.`);
    return 2;
  }
  const wanted = LANGUAGES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  let failed = 0;
  for (const step of wanted.flatMap(({ steps }) => steps)) if (!(await passes(step))) failed++;
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
