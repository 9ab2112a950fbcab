/**
 * `npm run bench:workers [-- LANGUAGE …]`: the libraries of `workers/` beside the AES-GCM codec of each language's samples, and
 * their calls to KMS, counted. Writes `bench/results/workers.json`; a language that is not measured keeps its figures.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runnerOptions } from '../scripts/runner-options.ts';
import { machine } from './machine.ts';
import { quantile } from './statistics.ts';
import type { Measured, WorkerBench, WorkerFigures } from './workers-result.ts';

const USAGE = `
Usage: npm run bench:workers [-- LANGUAGE …]

Measures the libraries of workers/: microseconds for a payload of 300 bytes, calls to KMS for 1,000 payloads.

  --help
`;

const ROUNDS = 5;
const file = new URL('results/workers.json', import.meta.url);

/** Go's own benchmarks: a line a round. */
function measureGo(): Measured {
  const args = ['test', '-run', '^$', '-bench', '.', '-benchtime', '300ms', '-count', `${ROUNDS}`, '.'];
  const output = execFileSync('go', args, { cwd: new URL('../workers/go', import.meta.url), encoding: 'utf8' });
  const lines = output.split('\n').filter((line) => line.startsWith('Benchmark'));
  const figure = (name: string, unit: string): number => {
    const found = lines
      .filter((line) => new RegExp(`^Benchmark${name}(-\\d+)?\\s`).test(line))
      .map((line) => Number(new RegExp(`([\\d.]+) ${unit}(\\s|$)`).exec(line)?.[1]));
    if (found.length === 0 || found.some(Number.isNaN))
      throw new Error(`go test printed no ${unit} of ${name}:\n${output}`);
    return quantile(found, 0.5);
  };
  const microseconds = (codec: string) => ({
    encode: figure(`Payload/encode/${codec}`, 'ns/op') / 1000,
    decode: figure(`Payload/decode/${codec}`, 'ns/op') / 1000,
  });
  const calls = (keys: string) => ({
    write: figure(`Calls/${keys}`, 'write'),
    read: figure(`Calls/${keys}`, 'read'),
    again: figure(`Calls/${keys}`, 'again'),
  });
  return {
    microseconds: { library: microseconds('library'), sample: microseconds('sample') },
    calls: { oneDataKey: calls('one'), manyDataKeys: calls('many') },
  };
}

/** The script of the library for Python, in the environment of its tests. */
function measurePython(): Measured {
  const python = execFileSync('node', ['test/workers/python.ts', '--only-prepare'], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
  }).trim();
  const script = fileURLToPath(new URL('../workers/python/bench/figures.py', import.meta.url));
  return JSON.parse(execFileSync(python, [script], { encoding: 'utf8' })) as Measured;
}

/** The program beside the tests of the library for Java, with what Maven has for them. */
function measureJava(): Measured {
  const cwd = fileURLToPath(new URL('../workers/java', import.meta.url));
  const classPath = join(mkdtempSync(join(tmpdir(), 'bench-workers-')), 'class-path');
  const maven = ['-q', '-B', '-ntp', '-Dmaven.repo.local=../../.cache/maven'];
  const goals = ['test-compile', 'dependency:build-classpath', '-DincludeScope=test', `-Dmdep.outputFile=${classPath}`];
  execFileSync('mvn', [...maven, ...goals], { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  const classes = ['target/test-classes', 'target/classes', readFileSync(classPath, 'utf8').trim()].join(delimiter);
  return JSON.parse(
    execFileSync('java', ['-cp', classes, 'temporalcodec.Figures'], { cwd, encoding: 'utf8' }),
  ) as Measured;
}

const LANGUAGES: Readonly<Record<string, () => Measured>> = {
  Go: measureGo,
  Python: measurePython,
  Java: measureJava,
};

const { positionals } = runnerOptions(USAGE, { allowPositionals: true, options: {} });
const { date, commit, machine: host } = await machine();
const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as WorkerBench).languages : {};
const languages: Record<string, WorkerFigures> = { ...kept };
for (const [name, measure] of Object.entries(LANGUAGES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  languages[name] = { date, commit, machine: host, ...measure() };
  process.stdout.write(`${name}: ${JSON.stringify(languages[name].microseconds)}\n`);
}
writeFileSync(file, `${JSON.stringify({ languages } satisfies WorkerBench, null, 2)}\n`);
