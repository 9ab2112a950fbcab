/**
 * Whether cost grows with what is asked and not faster: CPU of the local server per request, for 1 to
 * 100,000 payloads and for payloads of 1 KB to 4 MB, with the exponent of the fit.
 *
 * usage: node bench/linear.ts [--quick] [--out NAME]
 */
import { writeFileSync } from 'node:fs';
import { runnerOptions } from '../scripts/runner-options.ts';
import { sealAsSamples } from './formats.ts';
import { LoadGenerator } from './load/load.ts';
import { machine } from './machine.ts';
import { enterUnlimited } from './ours/servers.ts';
import { cpuMsOf, startServer } from './process.ts';
import { renderGrowth } from './report/growth.ts';
import { exponentOfGrowth, quantile } from './statistics.ts';
import { exchangesOf } from './workloads.ts';

const USAGE = `
Usage: npm run bench:linear [-- options]

  --quick            fewer rounds, for a look, kept under another name
  --out NAME         write the result to bench/results/NAME.json
  --help
`;
const { values: options } = runnerOptions(USAGE, {
  options: { quick: { type: 'boolean', default: false }, out: { type: 'string' } },
});

/** Milliseconds of CPU that a measurement takes at least, a hundred ticks of the operating system's clock. */
const ENOUGH_CPU_MS = options.quick ? 300 : 1000;
const ROUNDS = options.quick ? 3 : 5;

const COUNTS = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000];
/** Bytes of JSON of each of many payloads. */
const SMALL = 100;
const SIZES = [1, 4, 16, 64, 256, 1024, 2048, 4096].map((kib) => kib * 1024);

interface Point {
  readonly x: number;
  /** CPU milliseconds per request: the median over the rounds. */
  readonly y: number;
}

const entered = await enterUnlimited();
if (entered.command === undefined) throw new Error('there is nothing to start');
const server = await startServer(entered.command);
const load = new LoadGenerator();

async function measure(sizes: readonly number[]): Promise<number> {
  const workload = {
    name: '',
    title: '',
    requests: [sizes, sizes],
    pace: () => ({ kind: 'serial', requests: 1 }) as const,
  };
  const exchanges = await exchangesOf(workload, sealAsSamples);
  const run = async (requests: number): Promise<number> => {
    const before = cpuMsOf(server.pid);
    const pace = { kind: 'serial', requests } as const;
    await load.run({ port: server.port, path: '/decode', headers: [['X-Namespace: bench.a1b2c']], exchanges, pace });
    return cpuMsOf(server.pid) - before;
  };
  // Warm, and find out how many requests are enough.
  let requests = 2;
  let spent = await run(requests);
  while (spent < ENOUGH_CPU_MS / 4) {
    requests *= 4;
    spent = await run(requests);
  }
  const enough = Math.max(2, Math.ceil((requests * ENOUGH_CPU_MS) / spent));
  const rounds: number[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push((await run(enough)) / enough);
  return quantile(rounds, 0.5);
}

async function series(xs: readonly number[], sizesOf: (x: number) => readonly number[]): Promise<Point[]> {
  const points: Point[] = [];
  for (const x of xs) {
    points.push({ x, y: await measure(sizesOf(x)) });
    process.stderr.write(`${x}: ${points.at(-1)?.y.toFixed(4)} ms\n`);
  }
  return points;
}

try {
  const byCount = await series(COUNTS, (count) => Array.from({ length: count }, () => SMALL));
  const bySize = await series(SIZES, (bytes) => [bytes]);
  const result = {
    ...(await machine()),
    settings: { rounds: ROUNDS, cpuMsPerRound: ENOUGH_CPU_MS, bytesOfEachOfMany: SMALL },
    byCount,
    bySize,
    /** A request costs something even when it is empty, so the fit begins where that no longer counts. */
    exponents: {
      byCount: exponentOfGrowth(byCount.filter(({ x }) => x >= 100)),
      bySize: exponentOfGrowth(bySize.filter(({ x }) => x >= 64 * 1024)),
    },
  };
  const out = options.out ?? (options.quick ? 'scratch-linear' : 'linear');
  const folder = new URL('./results/', import.meta.url);
  writeFileSync(new URL(`${out}.json`, folder), `${JSON.stringify(result, null, 1)}\n`);
  writeFileSync(
    new URL(`${out}.svg`, folder),
    renderGrowth([
      {
        title: `payloads of ${SMALL} B in a request`,
        unit: 'payloads',
        points: byCount,
        exponent: result.exponents.byCount,
      },
      { title: 'one payload', unit: 'bytes', points: bySize, exponent: result.exponents.bySize },
    ]),
  );
  process.stdout.write(
    `exponent by number of payloads ${result.exponents.byCount.toFixed(3)}, by size ${result.exponents.bySize.toFixed(3)}\n`,
  );
} finally {
  load.stop();
  await server.stop();
  await entered.close?.();
}
