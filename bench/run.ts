/**
 * The benchmark. Installs and starts everyone, measures in interleaved rounds, and writes the result.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { runnerOptions } from '../scripts/runner-options.ts';
import { checkAgainstLastCommit } from './check/check.ts';
import { CONTESTANTS } from './contestants.ts';
import { LoadGenerator } from './load/load.ts';
import { machine } from './machine.ts';
import { type Entry, enter, leave } from './measure.ts';
import { renderPlot } from './report/plot.ts';
import { renderTables } from './report/table.ts';
import type { Result, Round } from './result.ts';
import { measureAll } from './rounds.ts';
import { type Effort, WORKLOADS, type Workload } from './workloads.ts';

const USAGE = `
Usage: npm run bench [-- options]

  --check            this tree beside the last commit; fails where it takes a tenth more CPU per request
  --quick            fewer rounds, for a look, kept under another name
  --rounds NUMBER    how often everyone is measured
  --seconds NUMBER   how long each measurement takes
  --only A,B         only these contestants
  --workloads A,B    only these workloads
  --out NAME         write the result to bench/results/NAME.json
  --help
`;
const { values: options } = runnerOptions(USAGE, {
  options: {
    check: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
    workloads: { type: 'string' },
    out: { type: 'string' },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 3 : 7));
const seconds = Number(options.seconds ?? (options.quick || options.check ? 1 : 3));
const effort: Effort = {
  ms: seconds * 1000,
  // V8 compiles what serves a page for some four hundred of them, which the round that warms up must outlast.
  pages: Math.max(Math.ceil(seconds * 100), options.quick ? 0 : 500),
  // As many as a history of a thousand events has payloads, at least.
  serial: Math.max(Math.ceil(seconds * 350), options.quick ? 0 : 1000),
};
/** Those whose cost is counted in CPU, where the last commit is what it is compared with. */
const CHECKED = ['w1', 'w2', 'w3'];
const chosen = options.workloads?.split(',') ?? (options.check ? CHECKED : undefined);
const workloads = WORKLOADS.filter(({ name }) => chosen?.includes(name) ?? true);
const results = new URL('./results/', import.meta.url);

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<void> {
  const chosen = CONTESTANTS.filter(({ name }) => options.only?.split(',').includes(name) ?? true);
  const entries: Entry[] = [];
  for (const contestant of chosen) {
    say(`starting ${contestant.name}`);
    entries.push(await enter(contestant));
  }
  const load = new LoadGenerator();
  try {
    const measured = await measureAll(entries, { workloads, rounds, effort, say }, load);
    await write(entries, measured);
  } finally {
    load.stop();
    for (const entry of entries) if ('entered' in entry) await leave(entry);
  }
}

async function write(entries: readonly Entry[], measured: ReadonlyMap<string, Round[]>): Promise<void> {
  const out = options.out ?? (options.quick || options.only || options.workloads ? 'scratch' : 'latest');
  const result: Result = {
    ...(await machine()),
    settings: { rounds, seconds, quick: options.quick },
    contestants: entries.map((entry) => ({
      name: entry.contestant.name,
      title: entry.contestant.title,
      kind: entry.contestant.kind,
      ...('absent' in entry && { absent: entry.absent }),
    })),
    workloads: workloads.map(({ name, title }: Workload) => ({ name, title })),
    measurements: [...measured].map(([key, its]) => {
      const [contestant = '', workload = ''] = key.split('/');
      return { contestant, workload, rounds: its };
    }),
  };
  mkdirSync(results, { recursive: true });
  writeFileSync(new URL(`${out}.json`, results), `${JSON.stringify(result, null, 1)}\n`);
  writeFileSync(new URL(`${out}.md`, results), renderTables(result));
  writeFileSync(new URL(`${out}.svg`, results), renderPlot(result));
  process.stdout.write(renderTables(result));
  say(`written to bench/results/${out}.json, .md and .svg`);
}

if (options.check) {
  const passes = await checkAgainstLastCommit({ workloads, rounds, effort, say }, options.only?.split(','));
  process.exitCode = passes ? 0 : 1;
} else await main();
