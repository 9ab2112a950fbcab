/** The form of a result file. */
import type { Latency } from './load/job.ts';
import type { Provenance } from './machine.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** One contestant, one workload, one round. Times in milliseconds, memory in MiB. */
export interface Round {
  readonly requests: number;
  readonly wallMs: number;
  /** User and system time of the server process, from the operating system. */
  readonly cpuMs: number;
  readonly cpuMsPerRequest: number;
  readonly rssMiB: number;
  readonly peakRssMiB: number;
  readonly latency?: Latency;
  readonly page?: Latency;
  readonly clientCpuMs?: number;
}

export interface Measurement {
  readonly contestant: string;
  readonly workload: string;
  readonly rounds: readonly Round[];
}

export interface Result extends Provenance {
  readonly settings: Readonly<Record<string, number | boolean>>;
  readonly contestants: readonly {
    readonly name: string;
    readonly title: string;
    readonly kind: string;
    /** Why it was not measured; undefined when it was. */
    readonly absent?: string;
  }[];
  readonly workloads: readonly { readonly name: string; readonly title: string }[];
  readonly measurements: readonly Measurement[];
}

/** The spread of one figure over the rounds, or undefined where nothing was measured. */
export function figure(
  result: Result,
  contestant: string,
  workload: string,
  of: (round: Round) => number | undefined,
): Spread | undefined {
  const rounds = result.measurements.find((it) => it.contestant === contestant && it.workload === workload)?.rounds;
  const values = rounds?.map(of).filter((value) => value !== undefined);
  return values === undefined || values.length === 0 ? undefined : spreadOf(values);
}

/**
 * The spread of the ratio of two contestants, round by round: what slowed a whole round down
 * cancels out of it.
 */
export function ratio(
  result: Result,
  contestant: string,
  reference: string,
  workload: string,
  of: (round: Round) => number | undefined,
): Spread | undefined {
  const find = (name: string): readonly Round[] =>
    result.measurements.find((it) => it.contestant === name && it.workload === workload)?.rounds ?? [];
  const ours = find(contestant);
  const theirs = find(reference);
  const ratios: number[] = [];
  for (const [index, round] of ours.entries()) {
    const other = theirs[index];
    const value = of(round);
    const base = other && of(other);
    if (value !== undefined && base !== undefined && base > 0) ratios.push(value / base);
  }
  return ratios.length === 0 ? undefined : spreadOf(ratios);
}
