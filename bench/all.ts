/**
 * Every benchmark, one after the other, each in a process of its own, and then the pages that show
 * their results. Takes some twenty minutes of a machine that does nothing else.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runnerOptions } from '../scripts/runner-options.ts';

const USAGE = `
Usage: npm run bench:all [-- options]

  --quick    a few minutes, for a laptop; leaves the committed results and the pages as they are
  --help
`;
const { values: options } = runnerOptions(USAGE, { options: { quick: { type: 'boolean', default: false } } });
const quick = options.quick ? ['--quick'] : [];

const STEPS: readonly (readonly [script: string, ...args: string[]])[] = [
  ['run.ts', ...(options.quick ? quick : ['--rounds', '5', '--seconds', '2'])],
  ['message-format.ts', ...(options.quick ? ['--rounds', '5', '--out', 'scratch-message'] : [])],
  ['cold.ts', ...quick],
  ['worker.ts', ...(options.quick ? ['--rounds', '5', '--out', 'scratch-worker'] : [])],
  ['linear.ts', ...quick],
  ['memory.ts', ...quick],
  ['histories.ts', ...quick],
  // A quick run leaves the results alone that the pages show.
  ...(options.quick ? [] : ([['scale.ts'], ['alarms.ts'], ['write-keys.ts'], ['pages.ts']] as const)),
];

for (const [script, ...args] of STEPS) {
  const started = performance.now();
  const file = fileURLToPath(new URL(script, import.meta.url));
  const { status } = spawnSync(process.execPath, [file, ...args], { stdio: 'inherit' });
  process.stderr.write(`${script} took ${Math.round((performance.now() - started) / 1000)} s\n`);
  if (status !== 0) {
    process.stderr.write(`${script} failed\n`);
    process.exit(1);
  }
}
