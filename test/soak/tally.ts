/** What came of the requests. */
import type { SoakAnswer } from './client.ts';

export type Verdict = 'right' | 'refused' | 'unavailable' | 'wrong' | 'lost';

/** Latencies are kept in buckets of a tenth of a millisecond: a soak must not grow by what it measures. */
const BUCKETS = 150_000;

/** Latencies of one kind of request between faults, milliseconds. */
export interface LatencyFigures {
  readonly requests: number;
  readonly p50: number;
  /** The 99th percentile; of fewer than a hundred the second slowest, since one may have met a cold start. */
  readonly p99: number;
}

export class Tally {
  readonly counts: Record<Verdict, number> = { right: 0, refused: 0, unavailable: 0, wrong: 0, lost: 0 };
  /** The first few answers that were wrong or lost, for the report. */
  readonly complaints: string[] = [];
  readonly #latencies = new Map<string, Uint32Array>();

  /**
   * @param kind what is counted together: the 99th percentile of bodies of different sizes says nothing
   * @param timed whether its time counts: nothing was out that it had to wait for
   */
  add(verdict: Verdict, kind: string, { status, body, milliseconds }: SoakAnswer, timed: boolean): void {
    this.counts[verdict]++;
    if (verdict === 'wrong' || verdict === 'lost') {
      if (this.complaints.length < 10) this.complaints.push(`${kind}: ${status} ${body.slice(0, 120)}`);
    }
    if (verdict !== 'right' || !timed) return;
    const buckets = this.#latencies.get(kind) ?? new Uint32Array(BUCKETS);
    this.#latencies.set(kind, buckets);
    const bucket = Math.min(BUCKETS - 1, Math.floor(milliseconds * 10));
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** Latencies of the right answers, by kind. */
  latencies(): Record<string, LatencyFigures> {
    const figures = [...this.#latencies].map(([kind, buckets]) => {
      const requests = buckets.reduce((sum, count) => sum + count, 0);
      const tail = Math.min(0.99, 1 - 1 / requests);
      return [kind, { requests, p50: percentile(buckets, requests, 0.5), p99: percentile(buckets, requests, tail) }];
    });
    return Object.fromEntries(figures);
  }
}

/** Milliseconds below which this share lies. */
function percentile(buckets: Uint32Array, total: number, share: number): number {
  let left = share * total;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    left -= buckets[bucket] ?? 0;
    if (left <= 0) return (bucket + 1) / 10;
  }
  return BUCKETS / 10;
}
