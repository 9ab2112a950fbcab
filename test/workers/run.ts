/**
 * `npm run test:workers [-- LANGUAGE …]`: the tests of the libraries of `workers/`, each by its own language's tools. A tool
 * that is missing fails the run: what was not run is not shown to work.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { runnerOptions } from '../../scripts/runner-options.ts';
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
function passes({ command: [program, ...args], cwd }: Step): boolean {
  const begin = performance.now();
  const { status, error } = spawnSync(program, args, { cwd: join(root, cwd), stdio: 'inherit' });
  const took = `${((performance.now() - begin) / 1000).toFixed(1)} s`;
  const what = `${[program, ...args].join(' ')} in ${cwd}`;
  if (error !== undefined) print(`FAIL  ${what}: ${error.message}`);
  else print(`${status === 0 ? 'ok   ' : 'FAIL '} ${what} (${took})`);
  return status === 0;
}

function main(): number {
  const { positionals } = runnerOptions(USAGE, { allowPositionals: true, options: {} });
  const unknown = positionals.find((name) => !LANGUAGES.some((language) => language.name === name));
  if (unknown !== undefined) {
    print(`There is no language "${unknown}". The languages: ${LANGUAGES.map(({ name }) => name).join(', ')}.`);
    return 2;
  }
  const wanted = LANGUAGES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const failed = wanted.flatMap(({ steps }) => steps).filter((step) => !passes(step));
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = main();
