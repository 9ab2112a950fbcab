/**
 * `npm run fuzz [-- --seconds 20 --seed 1 --target NAME]`: coverage-guided fuzzing of everything that
 * reads what strangers send. Inputs that reach new code are kept for the run, and with `--grow` in the
 * corpus; one that breaks a rule is written to `findings/`, and the run fails.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { runnerOptions } from '../../scripts/runner-options.ts';
import { Coverage } from './coverage.ts';
import { mutate, Random } from './mutate.ts';
import type { FuzzTarget } from './target.ts';
import { TARGETS } from './targets.ts';

const BATCH = 4000;
/** Milliseconds of the processor for one input; more is a hang. By the clock, a busy machine would look like one. */
const MOST_MILLISECONDS = 1_000;
/** Bytes by which one batch may grow the process; more is an input that eats memory. */
const MOST_GROWTH = 768 * 1024 * 1024;

const USAGE = `
Usage: npm run fuzz [-- options]

  --seconds NUMBER   for each target (default: 20)
  --seed NUMBER      of the random numbers (default: 1)
  --target NAME      only this one of ${TARGETS.map(({ name }) => name).join(', ')}
  --grow             keep inputs that reach new code in the corpus
  --help
`;
const { values } = runnerOptions(USAGE, {
  options: {
    seconds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
    grow: { type: 'boolean', default: false },
  },
});
const print = (line: string) => process.stdout.write(`${line}\n`);
const targets = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
if (targets.length === 0) {
  print(`There is no target ${values.target}. There are: ${TARGETS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

let findings = 0;
let inputs = 0;
for (const target of targets) {
  const result = await fuzz(target, Number(values.seconds) * 1000, Number(values.seed));
  findings += result.findings;
  inputs += result.inputs;
}
print(`\n${inputs.toLocaleString('en')} inputs, ${findings} findings`);
print(`fuzz: ${targets.length - (findings > 0 ? 1 : 0)} passed, ${findings} failed`);
process.exitCode = findings === 0 ? 0 : 1;

async function fuzz(target: FuzzTarget, milliseconds: number, seed: number) {
  const random = new Random(seed);
  const corpus = new URL(`corpus/${target.name}/`, import.meta.url);
  const words = target.words.map((word) => Buffer.from(word, 'latin1'));
  const pool = [Buffer.alloc(0), ...target.seeds, ...readCorpus(corpus)];
  const coverage = new Coverage((url) => target.covers.some((part) => url.includes(part)));
  await coverage.start();
  const started = performance.now();
  let inputs = 0;
  let findings = 0;

  const attempt = async (input: Buffer): Promise<boolean> => {
    const before = process.threadCpuUsage();
    try {
      const running = target.run(input);
      if (running !== undefined) await running;
      const { user, system } = process.threadCpuUsage(before);
      const took = (user + system) / 1000;
      if (took > MOST_MILLISECONDS) throw new Error(`it took ${Math.round(took)} ms`);
      return true;
    } catch (error) {
      report(target, input, error);
      findings++;
      return false;
    }
  };

  const attemptAll = async (batch: readonly Buffer[]): Promise<string[]> => {
    for (const input of batch) await attempt(input);
    return coverage.take();
  };

  /** Finds the inputs of a batch that reached the new blocks, by halves. */
  const keepTheNew = async (batch: readonly Buffer[]): Promise<void> => {
    const middle = Math.ceil(batch.length / 2);
    for (const half of [batch.slice(0, middle), batch.slice(middle)]) {
      if (half.length === 0) continue;
      const fresh = await attemptAll(half);
      if (fresh.length === 0) continue;
      if (half.length > 1) await keepTheNew(half);
      else {
        pool.push(half[0] as Buffer);
        if (values.grow) writeInput(corpus, half[0] as Buffer);
      }
      // V8 tells blocks apart by how often each ran, so that some are only seen in many inputs together: no single
      // one is to be looked for, again and again, in every other half.
      coverage.learn(fresh);
    }
  };

  coverage.learn(await attemptAll(pool));
  inputs += pool.length;
  while (performance.now() - started < milliseconds && findings < 5) {
    const batch = Array.from({ length: BATCH }, () => mutate(random.pick(pool), random, pool, words, target.maxLength));
    const memory = process.memoryUsage.rss();
    const fresh = await attemptAll(batch);
    inputs += batch.length;
    if (process.memoryUsage.rss() - memory > MOST_GROWTH) {
      report(target, Buffer.concat(batch), new Error('a batch of inputs grew the process by more than 768 MiB'));
      findings++;
    }
    if (fresh.length === 0) continue;
    await keepTheNew(batch);
    // what only ran once, such as code that fills a cache, is learnt without an input to keep
    coverage.learn(fresh);
  }
  const { covered, total } = coverage.figures();
  coverage.stop();
  const seconds = (performance.now() - started) / 1000;
  const share = Math.round((100 * covered) / Math.max(1, total));
  print(
    `${target.name.padEnd(16)} ${inputs.toLocaleString('en').padStart(10)} inputs  ${Math.round(inputs / seconds)
      .toLocaleString('en')
      .padStart(8)}/s  ${covered}/${total} blocks (${share} %)  ${pool.length} kept  ${findings} findings`,
  );
  return { inputs, findings };
}

function readCorpus(folder: URL): Buffer[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(new URL(name, folder)));
}

function writeInput(folder: URL, input: Buffer): string {
  mkdirSync(folder, { recursive: true });
  const name = createHash('sha256').update(input).digest('hex').slice(0, 16);
  writeFileSync(new URL(name, folder), input);
  return name;
}

function report(target: FuzzTarget, input: Buffer, error: unknown): void {
  const name = writeInput(new URL(`findings/${target.name}/`, import.meta.url), input);
  print(`FINDING ${target.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  print(`  input: test/fuzz/findings/${target.name}/${name}`);
}
