/**
 * The figures that this repository states, out of the committed results: each with what was aimed at
 * and whether it was reached. `README.md`, `docs/scaling.md` and `bench/results/README.md` show them,
 * and a test holds these pages to the results.
 */
import { existsSync, readFileSync } from 'node:fs';
import { type HistoryTable, historyFigures } from './histories/table.ts';
import type { Provenance } from './machine.ts';
import { figure, type Result, type Round, ratio } from './result.ts';
import { quantile } from './statistics.ts';
import type { WriteKeyTable } from './write-keys/table.ts';

/** One figure. */
export interface Figure {
  /** What was measured, in words. */
  readonly what: string;
  readonly measured: number;
  readonly unit: '×' | 's' | 'ms' | 'KB' | 'MiB' | '';
  /** At most this much; at least, where `atLeast`. */
  readonly aim: number;
  readonly atLeast?: boolean;
}

/** Everything that `npm run bench:all` has written. */
export interface Results {
  readonly latest: Result;
  readonly message: Provenance & {
    readonly measured: Readonly<Record<string, { readonly median: number; readonly best: number }>>;
  };
  readonly cold: Provenance & {
    readonly settings: { readonly startBytes: number };
    readonly measured: Readonly<Record<string, Readonly<Record<'init' | 'first' | 'initAndFirst' | 'warm', number[]>>>>;
  };
  readonly linear: Provenance & { readonly exponents: Readonly<Record<'byCount' | 'bySize', number>> };
  readonly memory: Provenance & {
    readonly traffic: Readonly<Record<'minuteMiB' | 'hourMiB' | 'growth', number>>;
    readonly large: Readonly<Record<'answered' | 'shed' | 'peakMiB', number>>;
  };
  readonly scale: {
    readonly measuredAt: Provenance;
    readonly settings: { readonly runs: number };
    readonly rows: readonly ScaleRow[];
  };
  readonly alarms: {
    readonly settings: { readonly seed: number; readonly outages: number; readonly months: number };
    readonly rows: readonly AlarmRow[];
  };
  readonly worker: Provenance & {
    readonly settings: { readonly rounds: number; readonly load: number };
    readonly measured: readonly WorkerRow[];
  };
  readonly 'write-keys': WriteKeyTable;
  readonly histories: HistoryTable;
}

/** What one payload costs a worker's codec: microseconds, and bytes that are stored. */
export interface WorkerRow {
  readonly name: string;
  readonly size: number;
  readonly encode: number;
  readonly decode: number;
  readonly bytes: number;
}

/** How a team fares with the alarm on requests that were not served. Shares of 1. */
export interface AlarmRow {
  readonly people: number;
  /** Total outages that were seen within 15 and 30 minutes. */
  readonly within15: number;
  readonly within30: number;
  /** Outages of a third of the pages that were seen within 30 minutes. */
  readonly thirdWithin30: number;
  readonly falseAlarmsAMonth: number;
}

/** A row of what a page does to the function on AWS. */
export interface ScaleRow {
  readonly page: string;
  readonly requests: number;
  readonly spreadMs: number;
  readonly provisioned: number;
  readonly instances: number;
  readonly coldStarts: number;
  readonly kmsCalls: number;
  readonly jwksFetches: number;
  readonly readableMs: { readonly p50: number; readonly p99: number };
}

const NAMES = [
  'latest',
  'message',
  'cold',
  'linear',
  'memory',
  'scale',
  'alarms',
  'write-keys',
  'worker',
  'histories',
] as const;
/** The rivals beside Go, which is the one that ratios refer to. */
const OTHERS = ['java', 'python', 'express'] as const;

/** Reads the results. @throws Error naming a file that is missing */
export function readResults(folder = new URL('./results/', import.meta.url)): Results {
  const entries = NAMES.map((name) => {
    const file = new URL(`${name}.json`, folder);
    if (!existsSync(file)) throw new Error(`bench/results/${name}.json is missing: run npm run bench:all`);
    return [name, JSON.parse(readFileSync(file, 'utf8'))];
  });
  return Object.fromEntries(entries) as Results;
}

const cpu = (round: Round): number => round.cpuMsPerRequest;

/** The median, over the rounds, of how much CPU a contestant takes per request compared with another. */
export function cpuRatio(result: Result, contestant: string, reference: string, workload: string): number {
  return ratio(result, contestant, reference, workload, cpu)?.median ?? Number.NaN;
}

/** Median CPU milliseconds per request. */
export function cpuMs(result: Result, contestant: string, workload: string): number {
  return figure(result, contestant, workload, cpu)?.median ?? Number.NaN;
}

/** What the product aims at, and what was measured. */
export function figuresOf({ latest, message, cold, linear, memory, histories }: Results): Figure[] {
  const cli = cliExport();
  const vsGo = (contestant: string, workload: string, aim: number, what: string): Figure => ({
    what: `CPU per request, ${what}, ${workload}, of the Go handler's`,
    measured: cpuRatio(latest, contestant, 'go', workload),
    unit: '×',
    aim,
  });
  const vsOther = OTHERS.flatMap((rival) =>
    ['w1', 'w2', 'w3'].map((workload) => ({
      what: `CPU per request, ${workload}, of ${rival}'s`,
      measured: cpuRatio(latest, 'ours', rival, workload),
      unit: '×' as const,
      aim: 0.5,
    })),
  );
  const official = message.measured['read  1024 B, @aws-crypto/client-node'];
  const ourReader = message.measured['read  1024 B, ours'];
  const pageP99 = (it: Round): number | undefined => it.page?.p99;
  return [
    vsGo('ours', 'w1', 1, "the samples' format"),
    vsGo('ours', 'w2', 1, "the samples' format"),
    vsGo('ours', 'w3', 0.65, "the samples' format"),
    ...vsOther,
    vsGo('guarded', 'w1', 1.25, 'with tokens, policy, audit log and metrics'),
    vsGo('guarded', 'w2', 1.05, 'with tokens, policy, audit log and metrics'),
    {
      what: 'our format in process, 100 payloads of 1 KB, of plain AES-GCM with the same JSON work',
      measured: cpuRatio(latest, 'in-process-own', 'in-process', 'w2'),
      unit: '×',
      aim: 2,
    },
    {
      what: 'messages of 1 KB read in the time in which @aws-crypto/client-node reads one',
      measured: (official?.median ?? Number.NaN) / (ourReader?.median ?? Number.NaN),
      unit: '×',
      aim: 15,
      atLeast: true,
    },
    vsGo('own', 'w2', 1.5, 'our format'),
    {
      what: "99th percentile of a Web UI page, of the Go handler's",
      measured: ratio(latest, 'ours', 'go', 'page', pageP99)?.median ?? Number.NaN,
      unit: '×',
      aim: 1,
    },
    {
      what: `the server's CPU in the ${cli.seconds} s in which the Temporal CLI exports ${cli.events} events, ${cli.requests} requests`,
      measured: (cli.requests * cpuMs(latest, 'ours', 'export')) / (cli.seconds * 1000),
      unit: '',
      aim: 0.5,
    },
    {
      what: "memory after an hour's worth of traffic, of that after a minute's",
      measured: memory.traffic.growth,
      unit: '×',
      aim: 1.2,
    },
    { what: 'memory at most with 50 requests of 4 MB at once', measured: memory.large.peakMiB, unit: 'MiB', aim: 488 },
    ...coldFigures(cold),
    {
      what: 'code that the function loads at the start',
      measured: cold.settings.startBytes / 1000,
      unit: 'KB',
      aim: 450,
    },
    { what: 'exponent of the cost by number of payloads', measured: linear.exponents.byCount, unit: '', aim: 1.1 },
    { what: 'exponent of the cost by size of a payload', measured: linear.exponents.bySize, unit: '', aim: 1.1 },
    ...historyFigures(histories),
  ];
}

/** The function beside the floor that loads the KMS client. */
function coldFigures({ measured }: Results['cold']): Figure[] {
  const median = (name: 'ours' | 'kms', of: 'init' | 'initAndFirst'): number =>
    quantile(measured[name]?.[of] ?? [], 0.5);
  return [
    {
      what: 'init of the function, of the init of a handler that only loads the KMS client and calls it once',
      measured: median('ours', 'init') / median('kms', 'init'),
      unit: '×',
      aim: 1.25,
    },
    {
      what: "init and first decoding, more than that handler's init and first call",
      measured: median('ours', 'initAndFirst') - median('kms', 'initAndFirst'),
      unit: 'ms',
      aim: 10,
    },
  ];
}

/** The export by the real CLI that the end-to-end suite wrote down. */
function cliExport(): { readonly events: number; readonly requests: number; readonly seconds: number } {
  const page = readFileSync(new URL('../docs/compatibility.md', import.meta.url), 'utf8');
  const [, events, requests, seconds] = /1,000 events.* (\d+) events, (\d+) requests, ([\d.]+) s/.exec(page) ?? [];
  if (seconds === undefined) throw new Error('docs/compatibility.md does not say what an export of 1,000 events takes');
  return { events: Number(events), requests: Number(requests), seconds: Number(seconds) };
}

/** Whether a figure is what was aimed at, at the precision at which it is shown. */
export function isMet({ measured, aim, atLeast }: Figure): boolean {
  const shown = Number(shownNumber(measured));
  return atLeast ? shown >= aim : shown <= aim;
}

/** Three significant digits at most, and never more than two after the point. */
export function shownNumber(value: number): string {
  return Math.abs(value) >= 100
    ? value.toFixed(0)
    : String(Number(Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)));
}
