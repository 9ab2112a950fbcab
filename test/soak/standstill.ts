/**
 * Moments in which the soak itself stood still, since the machine did something else: KMS and the issuer, which it plays,
 * were out then, and no time that it measured is the server's own.
 */

/** Milliseconds between two looks at the clock. */
const LOOK_MS = 50;
/** Milliseconds that a look has to be late to count: less is what this process does itself, with bodies of 4 MB. */
const LEAST_MS = 250;
/** Milliseconds after which a standstill is forgotten: longer than any request takes. */
const KEPT_MS = 120_000;

export class Standstills {
  #standstills: { readonly end: number; readonly milliseconds: number }[] = [];
  #last = performance.now();
  readonly #timer = setInterval(() => this.#look(), LOOK_MS).unref();

  /** Milliseconds of the longest one that ended after a moment of `performance.now()`; 0 for none. */
  longestSince(moment: number): number {
    this.#look();
    return Math.max(0, ...this.#standstills.filter(({ end }) => end >= moment).map((it) => it.milliseconds));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const milliseconds = now - this.#last - LOOK_MS;
    this.#last = now;
    if (milliseconds < LEAST_MS) return;
    this.#standstills = [...this.#standstills.filter(({ end }) => end > now - KEPT_MS), { end: now, milliseconds }];
  }
}
