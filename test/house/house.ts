/**
 * `npm run house`: the size and shape of the code, measured. Files and their lines, how far a reader walks in five flows
 * (files and functions of ours that run, by V8's coverage), promises that are only sometimes there, lines that
 * stand twice, and exports that nothing but tests uses. To compare two commits, run it in a checkout of each.
 * `--flow lambda-decode` prints the way of one flow instead, and `--names` the exports as well.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { exportsForTests, halfPromises, linesOf, PASSAGE, passagesTwice, ROOT, sources } from './counts.ts';

const FLOWS = ['lambda-decode', 'local-decode', 'worker-encode', 'synth', 'doctor'];

const lines = sources.map(linesOf).sort((a, b) => a - b);
const quantile = (share: number): number => lines[Math.min(lines.length - 1, Math.floor(lines.length * share))] ?? 0;

/** What ran of one file in a flow, as `flow.ts` prints it. */
interface Walked {
  readonly file: string;
  readonly calls: readonly (readonly [name: string, calls: number])[];
}

function walk(flow: string): Walked[] {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(ROOT, 'test/house/flow.ts'), flow], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const result = stdout.trim().split('\n').at(-1) ?? '';
  if (status !== 0 || !result.startsWith('[')) throw new Error(`${flow} did not run: ${stderr}`);
  return JSON.parse(result) as Walked[];
}

const functionsIn = (walked: readonly Walked[]): number => walked.reduce((sum, { calls }) => sum + calls.length, 0);

/** The way of one flow: each file, and in it each function that ran and how often. */
function printWay(flow: string): void {
  const walked = walk(flow);
  for (const { file, calls } of walked) {
    const names = calls.map(([name, times]) => `  ${times === 1 ? '' : `${times} x `}${name}`);
    process.stdout.write(`${[`${file} (${calls.length})`, ...names].join('\n')}\n`);
  }
  process.stdout.write(`${walked.length} files, ${functionsIn(walked)} functions\n`);
}

const oneFlow = process.argv.indexOf('--flow');
if (oneFlow > 0) {
  printWay(process.argv[oneFlow + 1] ?? '');
  process.exit();
}

const { types, tests } = halfPromises();
const { unused } = exportsForTests();
const rows: [string, string][] = [
  ['source files', String(sources.length)],
  ['lines a file, median', String(quantile(0.5))],
  ['lines a file, 90th percentile', String(quantile(0.9))],
  ['files under 50 lines', String(lines.filter((count) => count < 50).length)],
  ['files over 400 lines', String(lines.filter((count) => count > 400).length)],
  ['types `T | Promise<T>`', String(types)],
  ['tests `instanceof Promise`', String(tests)],
  [`passages of ${PASSAGE} lines that stand twice`, String(passagesTwice().length)],
  [
    'exports that only tests use, without a reason',
    String([...unused.values()].filter((reason) => reason === undefined).length),
  ],
  ...FLOWS.map((flow): [string, string] => {
    const walked = walk(flow);
    return [`${flow}: files, functions`, `${walked.length}, ${functionsIn(walked)}`];
  }),
];
process.stdout.write(`${rows.map(([what, figure]) => `${what.padEnd(46)} ${figure}`).join('\n')}\n`);
if (process.argv.includes('--names')) {
  const names = [...unused].map(([it, reason]) => `${it}: ${reason ?? 'no reason'}`);
  process.stdout.write(`\n${names.join('\n')}\n`);
}
