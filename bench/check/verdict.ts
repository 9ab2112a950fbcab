/** Whether the tree that is worked on is slower than the last commit, case by case. */
import type { Round } from '../result.ts';
import { type Spread, spreadOf } from '../statistics.ts';

/** A case may take so many times the CPU of the last commit. */
export const MOST = 1.1;

/** The name under which the last commit's server is measured. */
export function before(contestant: string): string {
  return `${contestant} of the last commit`;
}

export interface Case {
  readonly contestant: string;
  readonly workload: string;
  /** CPU per request, of the last commit's, round by round. Undefined: one of the two was not measured. */
  readonly ratio: Spread | undefined;
  /** The same of the best rounds of each: what else a machine does only ever adds. */
  readonly best: number | undefined;
  /** Whether one of the two, the median of the ratios or the best rounds, is within the bound. */
  readonly passes: boolean;
}

/**
 * Compares round by round, so that what slows a round down for both cancels out.
 *
 * @param measured rounds by contestant and workload, `ours/w1`; those of the last commit by {@link before}
 */
export function compare(
  measured: ReadonlyMap<string, readonly Pick<Round, 'cpuMsPerRequest'>[]>,
  contestants: readonly string[],
  workloads: readonly string[],
): Case[] {
  return contestants.flatMap((contestant) =>
    workloads.map((workload): Case => {
      const now = measured.get(`${contestant}/${workload}`) ?? [];
      const then = measured.get(`${before(contestant)}/${workload}`) ?? [];
      if (now.length === 0 || now.length !== then.length)
        return { contestant, workload, ratio: undefined, best: undefined, passes: false };
      const cpu = (rounds: readonly Pick<Round, 'cpuMsPerRequest'>[]) => rounds.map((it) => it.cpuMsPerRequest);
      const ratio = spreadOf(cpu(now).map((value, index) => value / (cpu(then)[index] ?? Number.NaN)));
      const best = Math.min(...cpu(now)) / Math.min(...cpu(then));
      return { contestant, workload, ratio, best, passes: Math.min(ratio.median, best) <= MOST };
    }),
  );
}

/** The rounds of two measurements, those of the second after those of the first. */
export function together<T>(
  first: ReadonlyMap<string, readonly T[]>,
  second: ReadonlyMap<string, readonly T[]>,
): Map<string, T[]> {
  const names = new Set([...first.keys(), ...second.keys()]);
  return new Map([...names].map((name) => [name, [...(first.get(name) ?? []), ...(second.get(name) ?? [])]]));
}

/** A line for each case. */
export function renderCases(cases: readonly Case[]): string {
  const lines = cases.map(({ contestant, workload, ratio, best, passes }) => {
    const name = `${contestant} ${workload}`.padEnd(16);
    if (ratio === undefined || best === undefined) return `${name} not measured: see above`;
    const [median, min, max] = [ratio.median, ratio.min, ratio.max].map((value) => value.toFixed(2));
    return `${name} ${median} (${min} to ${max}), best rounds ${best.toFixed(2)}${passes ? '' : `  more than ${MOST}`}`;
  });
  return `${lines.join('\n')}\n`;
}
