/** The figures of a soak: for people, for a file, and against what must hold. */
import type { FullFigures } from './full.ts';
import type { OverloadFigures } from './overload.ts';
import type { LatencyFigures, Verdict } from './tally.ts';

/** How much more resident memory than the most of the first half there may be at the end. */
const MOST_GROWTH = 1.2;
/** MB that come and go with bodies of 4 MB, several of which are in memory until they are collected. */
const BODIES_MB = 64;
/** How many medians of its kind the 99th percentile of a request may take. */
const MOST_TAIL = 25;
/** Milliseconds of a 99th percentile that are in order whatever the median: a page is read before anyone notices. */
const TAIL_FLOOR_MS = 1_000;
/** Right answers below which a soak means nothing. */
const FEWEST = 1_000;

export interface SoakFigures {
  readonly server: string;
  readonly minutes: number;
  readonly requests: number;
  readonly answers: Readonly<Record<Verdict, number>>;
  readonly latencyMs: Readonly<Record<string, LatencyFigures>>;
  /** Of the largest process; `settled` is the most of the first half, `series` one value after each fault. */
  readonly memoryMb: {
    readonly settled: number;
    readonly most: number;
    readonly end: number;
    readonly series: readonly number[];
  };
  readonly faults: readonly string[];
  readonly kmsCalls: number;
  readonly issuerFetches: number;
  readonly overload: OverloadFigures;
}

/** The most memory at the end that is not growth, MB. @param settled the most of the first half */
export function mostMegabytes(settled: number): number {
  return Math.max(settled * MOST_GROWTH, settled + BODIES_MB);
}

/** What does not hold. */
export function problemsOf({ answers, latencyMs, memoryMb, overload }: SoakFigures): string[] {
  const { settled, end } = memoryMb;
  return [
    ...(answers.wrong > 0 ? [`${answers.wrong} wrong answers`] : []),
    ...(answers.lost > 0 ? [`${answers.lost} lost requests`] : []),
    ...(answers.right < FEWEST ? ['too few right answers to mean anything'] : []),
    ...(settled === 0 || end > mostMegabytes(settled) ? [`memory grew from ${settled} to ${end} MB`] : []),
    ...Object.entries(latencyMs)
      .filter(([, { p50, p99 }]) => p99 > Math.max(TAIL_FLOOR_MS, p50 * MOST_TAIL))
      .map(([kind, { p50, p99 }]) => `${kind}: p99 of ${p99} ms for a median of ${p50} ms`),
    ...overload.problems,
  ];
}

/** The figures in lines for people. */
export function linesOf(figures: SoakFigures): string[] {
  const { answers, latencyMs, memoryMb, overload } = figures;
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  return [
    `requests   ${figures.requests}: ${list(answers)}`,
    ...Object.entries(latencyMs).map(
      ([kind, { requests, p50, p99 }]) =>
        `latency    ${kind.padEnd(18)} p50 ${String(p50).padStart(6)} ms   p99 ${String(p99).padStart(6)} ms   ${requests} requests`,
    ),
    `memory     ${memoryMb.settled} MB at most in the first half, ${memoryMb.most} MB at most, ${memoryMb.end} MB at the end`,
    `faults     ${figures.faults.length} survived; ${figures.kmsCalls} calls to KMS, ${figures.issuerFetches} fetches of issuer keys`,
    `overload   ${overload.requests} requests at once: ${overload.served} served (half within ${overload.servedP50} ms), ` +
      `refused ${list(overload.refused) || 'none'} (half within ${overload.refusedP50} ms), ` +
      `slowest ${overload.slowest} ms; afterwards ${overload.afterwards} ms`,
    ...(overload.full === undefined ? [] : [lineOfFull(overload.full)]),
  ];
}

function lineOfFull({ held, served, refused, refusedP50, refusedMost, afterwards }: FullFigures): string {
  return (
    `full       of bodies that do not end: ${held} held, ${refused} more refused (half within ${refusedP50} ms, ` +
    `all within ${refusedMost} ms); ${served} served when they ended; afterwards ${afterwards} ms`
  );
}
