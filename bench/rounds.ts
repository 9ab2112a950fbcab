/** Rounds of everyone and everything, one after the other. */
import type { Exchange } from './load/job.ts';
import type { LoadGenerator } from './load/load.ts';
import { type Entry, leave, measureRound } from './measure.ts';
import type { Round } from './result.ts';
import { type Effort, exchangesOf, type Workload } from './workloads.ts';

export interface Plan {
  readonly workloads: readonly Workload[];
  /** How often everyone is measured, after a round that warms them up. */
  readonly rounds: number;
  readonly effort: Effort;
  /** Told of every measurement. */
  readonly say: (line: string) => void;
}

/**
 * Measures, and puts whoever answers wrongly once out: its figures would mean nothing.
 *
 * @returns rounds by contestant and workload, `ours/w1`
 */
export async function measureAll(
  entries: Entry[],
  { workloads, rounds, effort, say }: Plan,
  load: LoadGenerator,
): Promise<Map<string, Round[]>> {
  const measured = new Map<string, Round[]>();
  const bodies = new Map<string, Exchange[]>();
  for (const entry of entries) {
    if ('absent' in entry) continue;
    const { seal, echoes } = entry.entered;
    for (const workload of workloads)
      bodies.set(`${entry.contestant.name}/${workload.name}`, await exchangesOf(workload, seal, echoes));
  }
  // Round 0 warms everyone up and is not counted.
  for (let round = 0; round <= rounds; round++)
    for (const workload of workloads)
      for (const [index, entry] of inTurn(entries, round)) {
        if ('absent' in entry) continue;
        const key = `${entry.contestant.name}/${workload.name}`;
        try {
          const figures = await measureRound(entry, workload, bodies.get(key) ?? [], effort, load);
          if (figures === undefined) continue;
          say(`round ${round} ${key}: ${figures.cpuMsPerRequest.toFixed(4)} ms CPU`);
          if (round > 0) measured.set(key, [...(measured.get(key) ?? []), figures]);
        } catch (error) {
          say(`${key} is out: ${(error as Error).message}`);
          await leave(entry);
          entries[index] = { contestant: entry.contestant, absent: `${workload.name}: ${(error as Error).message}` };
        }
      }
  return measured;
}

/** Every other round they go the other way about, and then another one goes first. */
export function inTurn<T>(entries: readonly T[], round: number): [index: number, entry: T][] {
  const indexed = [...entries.entries()];
  const shift = Math.floor(round / 2) % indexed.length;
  const rotated = [...indexed.slice(shift), ...indexed.slice(0, shift)];
  return round % 2 === 0 ? rotated : rotated.toReversed();
}
