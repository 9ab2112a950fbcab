/**
 * `npm run house`: the size and shape of the code, measured. Files and their lines, how far a reader walks in five flows
 * (files and functions of ours that run, by V8's coverage), promises that are only sometimes there, lines that
 * stand twice, and exports that nothing but tests uses. To compare two commits, run it in a checkout of each.
 * `--flow lambda-decode` prints the way of one flow instead, and `--names` the exports as well.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const ROOMS = ['bin', 'cli', 'codec', 'config', 'environments', 'lambda', 'lib'];
const FLOWS = ['lambda-decode', 'local-decode', 'worker-encode', 'synth', 'doctor'];
/** Lines that two places must share to count as one passage that stands twice. */
const PASSAGE = 6;

/** Exports that tests alone use, and why each is one. */
const FOR_TESTS: Readonly<Record<string, string>> = {
  createRecognizer: 'the order of formats is a law about any formats, which a test states with made-up ones',
  ALL_FORMATS: 'a test holds docs/formats.md to it, encoding by encoding',
  readKeySet: 'which keys of a set count is a law about text; through IssuerKeys every case would be a fetch',
  policiesOfWorkers: 'an estimate, which a test compares with the policies that a stack really has',
  charactersOf: 'an estimate, which a test compares with the quotas of AWS',
};

/** Files that may share passages with others, and why. */
const WHOLE_BY_THEMSELVES: Readonly<Record<string, string>> = {
  'environments/': 'each is a file of the user, who reads it from top to bottom and copies it',
};

const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => /\.m?ts$/.test(file) && !/node_modules|(^|\/)dist\//.test(file));
}

const sources = ROOMS.flatMap(filesUnder);
const lines = sources.map((file) => textOf(file).split('\n').length - 1).sort((a, b) => a - b);
const quantile = (share: number): number => lines[Math.min(lines.length - 1, Math.floor(lines.length * share))] ?? 0;

/** Types `T | Promise<T>` and tests for one: code that is written twice, once for each. */
function halfPromises(): { readonly types: number; readonly tests: number } {
  const all = sources.map(textOf).join('\n');
  const count = (pattern: RegExp): number => [...all.matchAll(pattern)].length;
  return { types: count(/\w(\[\])?>? \| Promise</g), tests: count(/instanceof Promise/g) };
}

/** How many passages stand in more than one place; comments, imports, re-exports and lone punctuation aside. */
function passagesTwice(): number {
  const seen = new Map<string, string>();
  let twice = 0;
  for (const file of sources.filter((it) => !Object.keys(WHOLE_BY_THEMSELVES).some((whole) => it.startsWith(whole)))) {
    const code = textOf(file)
      .replace(/^(import|export) [^;]*? from '[^']+';$/gm, '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /\w/.test(line) && !/^(\/?\*|\/\/)/.test(line));
    for (let at = 0; at + PASSAGE <= code.length; at++) {
      const passage = code.slice(at, at + PASSAGE).join('\n');
      const other = seen.get(passage);
      if (other === undefined) seen.set(passage, `${file}:${at}`);
      else {
        twice += 1;
        at += PASSAGE - 1;
      }
    }
  }
  return twice;
}

/** Files whose exports others use: what the package publishes, and what takes the place of a module in a bundle. */
function usedByOthers(): ReadonlySet<string> {
  const { exports } = JSON.parse(textOf('package.json')) as { readonly exports: object };
  const published = JSON.stringify(exports).matchAll(/"import":\{"types":"\.\/dist\/([^"]+)\.d\.ts"/g);
  const standIns = textOf('lib/bundle/bundle.ts').matchAll(/'\.?\/?(lib\/bundle\/[\w-]+\.ts)'/g);
  return new Set([...[...published].map(([, file]) => `${file}.ts`), ...[...standIns].map(([, file = '']) => file)]);
}

/** Exports that no other source file, script or benchmark names: only tests use them, or nobody. */
function onlyForTests(): string[] {
  const others = usedByOthers();
  const texts = new Map([...sources, ...['scripts', 'bench'].flatMap(filesUnder)].map((file) => [file, textOf(file)]));
  return sources.flatMap((file) => {
    if (others.has(file) || file.startsWith('environments/')) return [];
    const names = [...textOf(file).matchAll(/^export (?:abstract |async )?(?:function|class|const) (\w+)/gm)];
    return names.flatMap(([, name = '']) => {
      const word = new RegExp(`\\b${name}\\b`);
      return [...texts].some(([other, text]) => other !== file && word.test(text)) ? [] : [`${file}: ${name}`];
    });
  });
}

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
const unused = onlyForTests();
const unknown = unused.filter((it) => !Object.hasOwn(FOR_TESTS, it.split(': ')[1] ?? ''));
const gone = Object.keys(FOR_TESTS).filter((name) => !unused.some((it) => it.endsWith(`: ${name}`)));
if (gone.length > 0) throw new Error(`not used by tests alone, or gone: take ${gone.join(', ')} off the list`);
const rows: [string, string][] = [
  ['source files', String(sources.length)],
  ['lines a file, median', String(quantile(0.5))],
  ['lines a file, 90th percentile', String(quantile(0.9))],
  ['files under 50 lines', String(lines.filter((count) => count < 50).length)],
  ['files over 400 lines', String(lines.filter((count) => count > 400).length)],
  ['types `T | Promise<T>`', String(types)],
  ['tests `instanceof Promise`', String(tests)],
  [`passages of ${PASSAGE} lines that stand twice`, String(passagesTwice())],
  ['exports that only tests use, without a reason', String(unknown.length)],
  ...FLOWS.map((flow): [string, string] => {
    const walked = walk(flow);
    return [`${flow}: files, functions`, `${walked.length}, ${functionsIn(walked)}`];
  }),
];
process.stdout.write(`${rows.map(([what, figure]) => `${what.padEnd(46)} ${figure}`).join('\n')}\n`);
if (process.argv.includes('--names')) {
  const names = unused.map((it) => `${it}: ${FOR_TESTS[it.split(': ')[1] ?? ''] ?? 'no reason'}`);
  process.stdout.write(`\n${names.join('\n')}\n`);
}
