/**
 * What the local server holds in memory: after a minute's and after an hour's worth of mixed traffic,
 * and while fifty requests of 4 MB are in flight at once.
 *
 * usage: node bench/memory.ts [--quick] [--out NAME]
 */
import { writeFileSync } from 'node:fs';
import { runnerOptions } from '../scripts/runner-options.ts';
import { sealAsSamples } from './formats.ts';
import type { Exchange, Pace } from './load/job.ts';
import { LoadGenerator } from './load/load.ts';
import { machine } from './machine.ts';
import { enterLocal } from './ours/servers.ts';
import { memoryOf, startServer } from './process.ts';
import { exchangesOf, WORKLOADS } from './workloads.ts';

const USAGE = `
Usage: npm run bench:memory [-- options]

  --quick            fewer rounds, for a look, kept under another name
  --out NAME         write the result to bench/results/NAME.json
  --help
`;
const { values: options } = runnerOptions(USAGE, {
  options: { quick: { type: 'boolean', default: false }, out: { type: 'string' } },
});

/** Requests a second of a team at work: some twenty people who open a page every half minute. */
const RATE = 20;
const MINUTE = 60 * RATE;
const HOUR = (options.quick ? 6 : 60) * MINUTE;
/** Requests at once, and bytes of JSON in each, whose body then is 4 MB. */
const AT_ONCE = 50;
const LARGE = 2_990_000;

const entered = await enterLocal();
if (entered.command === undefined) throw new Error('there is nothing to start');
const { command } = entered;
const load = new LoadGenerator();

/** Of a hundred requests, ninety are small, eight are lists and two are large. */
async function mixedTraffic(): Promise<Exchange[]> {
  const [small = [], list = [], large = []] = await Promise.all(
    WORKLOADS.slice(0, 3).map((workload) => exchangesOf(workload, sealAsSamples)),
  );
  return Array.from({ length: 100 }, (_, index) => {
    const pool = index % 50 === 49 ? large : index % 12 === 11 ? list : small;
    return pool[index % pool.length] as Exchange;
  });
}

async function send(port: number, exchanges: readonly Exchange[], pace: Pace): Promise<number> {
  const job = { port, path: '/decode', headers: [['X-Namespace: bench.a1b2c']], exchanges, pace };
  const { shed = 0 } = await load.run(job);
  return shed;
}

async function trafficOfAnHour(): Promise<{ minuteMiB: number; hourMiB: number; peakMiB: number }> {
  const server = await startServer(command);
  try {
    const exchanges = await mixedTraffic();
    const run = (requests: number) => send(server.port, exchanges, { kind: 'count', connections: 8, requests });
    await run(MINUTE);
    const minuteMiB = memoryOf(server.pid).rss;
    await run(HOUR - MINUTE);
    const { rss: hourMiB, peak: peakMiB } = memoryOf(server.pid);
    return { minuteMiB, hourMiB, peakMiB };
  } finally {
    await server.stop();
  }
}

async function fiftyLargeAtOnce(): Promise<{ answered: number; shed: number; idleMiB: number; peakMiB: number }> {
  const server = await startServer(command);
  try {
    const workload = {
      name: '',
      title: '',
      requests: [[LARGE]],
      pace: () => ({ kind: 'serial', requests: 1 }) as const,
    };
    const exchanges = await exchangesOf(workload, sealAsSamples);
    const idleMiB = memoryOf(server.pid).rss;
    const shed = await send(server.port, exchanges, { kind: 'at-once', requests: AT_ONCE });
    return { answered: AT_ONCE - shed, shed, idleMiB, peakMiB: memoryOf(server.pid).peak };
  } finally {
    await server.stop();
  }
}

try {
  const traffic = await trafficOfAnHour();
  const large = await fiftyLargeAtOnce();
  const result = {
    ...(await machine()),
    settings: { requestsOfAMinute: MINUTE, requestsOfAnHour: HOUR, atOnce: AT_ONCE, jsonBytes: LARGE },
    traffic: { ...traffic, growth: traffic.hourMiB / traffic.minuteMiB },
    large,
  };
  const out = options.out ?? (options.quick ? 'scratch-memory' : 'memory');
  writeFileSync(new URL(`./results/${out}.json`, import.meta.url), `${JSON.stringify(result, null, 1)}\n`);
  process.stdout.write(
    [
      `mixed traffic: ${traffic.minuteMiB.toFixed(0)} MiB after a minute's worth, ${traffic.hourMiB.toFixed(0)} after an hour's: ${result.traffic.growth.toFixed(2)}×`,
      `${AT_ONCE} requests of 4 MB at once: ${large.answered} answered, ${large.shed} shed with 503, at most ${large.peakMiB.toFixed(0)} MiB`,
      '',
    ].join('\n'),
  );
} finally {
  load.stop();
  await entered.close?.();
}
