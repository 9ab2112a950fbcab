/**
 * What a page of the Web UI does to the function on AWS: instances, calls to KMS, fetches of token
 * keys, time until it is readable. Plays the simulation with the cold starts that `bench/cold.ts`
 * measured, and writes the table of docs/scaling.md.
 *
 * usage: node bench/scale.ts [--cold bench/results/cold.json] [--runs 500]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { runnerOptions } from '../scripts/runner-options.ts';
import type { ScaleRow } from './figures.ts';
import { type Assumed, type Burst, type Measured, simulate } from './scale/simulation.ts';
import { quantile, seededRandom } from './statistics.ts';

const USAGE = `
Usage: npm run bench:scale [-- options]

  --cold FILE        cold starts measured by bench:cold (default: bench/results/cold.json)
  --runs NUMBER      pages simulated for each setting (default: 500)
  --help
`;
const { values: options } = runnerOptions(USAGE, {
  options: { cold: { type: 'string' }, runs: { type: 'string', default: '500' } },
});
const runs = Number(options.runs);
const coldFile = options.cold ?? new URL('./results/cold.json', import.meta.url);
const cold = JSON.parse(readFileSync(coldFile, 'utf8')) as {
  date: string;
  commit: string;
  machine: unknown;
  measured: { ours: Record<'init' | 'first' | 'warm' | 'newKey', number[]> };
};

/** Not measured here: AWS's own part, and the way there. `docs/scaling.md` says how to measure yours. */
const ASSUMED: Assumed = { placementMs: 200, networkMs: 40, kmsCallsPerStart: 1 };
/**
 * Pages by their requests; the milliseconds over which those were seen to leave the browser: at once, and
 * as events render; and instances that are ready. A history of a few events has thirty at once.
 */
const PAGES = [
  { requests: 30, spreads: [0], provisioned: [0, 6] },
  { requests: 100, spreads: [0, 60, 390], provisioned: [0, 2, 10] },
];
/** Distinct data keys behind the payloads of a page: one worker, or several over some rotations. */
const DATA_KEYS = 4;

const random = seededRandom(1);
const draw = (values: readonly number[]) => () => values[Math.floor(random() * values.length)] as number;
const { init, first, warm, newKey } = cold.measured.ours;
const measured: Measured = { init: draw(init), firstRequest: draw(first), newKey: draw(newKey), warm: draw(warm) };

/** A page, and the same page opened again by someone else a minute later, on the instances it left. */
function rowsOf(requests: number, spreadMs: number, provisioned: number): ScaleRow[] {
  const pages: Record<'first' | 'second', ReturnType<typeof simulate>[]> = { first: [], second: [] };
  for (let run = 0; run < runs; run++) {
    const firstPage = simulate(burst(requests, spreadMs, provisioned), measured, ASSUMED);
    pages.first.push(firstPage);
    pages.second.push(simulate({ ...burst(requests, spreadMs, 0), left: firstPage.left }, measured, ASSUMED));
  }
  return (['first', 'second'] as const).map((page) => {
    const outcomes = pages[page];
    const median = (of: (it: (typeof outcomes)[number]) => number): number => quantile(outcomes.map(of), 0.5);
    const readable = outcomes.map(({ readableMs }) => readableMs);
    return {
      page,
      requests,
      spreadMs,
      provisioned,
      instances: median((it) => it.instances),
      coldStarts: median((it) => it.coldStarts),
      kmsCalls: median((it) => it.kmsCalls),
      jwksFetches: median((it) => it.jwksFetches),
      readableMs: { p50: quantile(readable, 0.5), p99: quantile(readable, 0.99) },
    };
  });
}

function burst(requests: number, spreadMs: number, provisioned: number): Burst {
  const arrivals = Array.from({ length: requests }, () => random() * spreadMs).sort((a, b) => a - b);
  const keys = Array.from({ length: requests }, () => Math.floor(random() * DATA_KEYS));
  return { arrivals, provisioned, dataKeyOf: (request) => keys[request] as number };
}

const rows = PAGES.flatMap(({ requests, spreads, provisioned }) =>
  spreads.flatMap((spreadMs) => provisioned.flatMap((ready) => rowsOf(requests, spreadMs, ready))),
);
const result = {
  date: new Date().toISOString(),
  measuredAt: { date: cold.date, commit: cold.commit, machine: cold.machine },
  settings: { runs, dataKeys: DATA_KEYS, assumed: ASSUMED },
  rows,
};
writeFileSync(new URL('./results/scale.json', import.meta.url), `${JSON.stringify(result, null, 1)}\n`);
process.stdout.write(
  [
    '| page | requests | leave within | provisioned | instances | cold starts | KMS calls | JWKS fetches | readable after, p50 / p99 |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows.map(
      (row) =>
        `| ${row.page} | ${row.requests} | ${row.spreadMs} ms | ${row.provisioned} | ${row.instances} | ${row.coldStarts} | ${row.kmsCalls} | ${row.jwksFetches} | ${row.readableMs.p50.toFixed(0)} / ${row.readableMs.p99.toFixed(0)} ms |`,
    ),
    '',
  ].join('\n'),
);
