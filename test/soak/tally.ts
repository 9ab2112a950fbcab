/** What came of the requests. */
import type { SoakAnswer } from './client.ts';

export type Verdict = 'right' | 'refused' | 'unavailable' | 'wrong' | 'lost';

/** Latencies are kept in buckets of a tenth of a millisecond: a soak must not grow by what it measures. */
const BUCKETS = 100_000;

export class Tally {
  readonly counts: Record<Verdict, number> = { right: 0, refused: 0, unavailable: 0, wrong: 0, lost: 0 };
  /** The first few answers that were wrong or lost, for the report. */
  readonly complaints: string[] = [];
  readonly #latencies = new Uint32Array(BUCKETS);

  add(verdict: Verdict, what: string, { status, body, milliseconds }: SoakAnswer): void {
    this.counts[verdict]++;
    if (verdict === 'wrong' || verdict === 'lost') {
      if (this.complaints.length < 10) this.complaints.push(`${what}: ${status} ${body.slice(0, 120)}`);
    }
    if (verdict !== 'right') return;
    const bucket = Math.min(BUCKETS - 1, Math.floor(milliseconds * 10));
    this.#latencies[bucket] = (this.#latencies[bucket] ?? 0) + 1;
  }

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** Milliseconds below which this share of the right answers came. */
  percentile(share: number): number {
    let left = share * this.counts.right;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#latencies[bucket] ?? 0;
      if (left <= 0) return (bucket + 1) / 10;
    }
    return BUCKETS / 10;
  }
}
