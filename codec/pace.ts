/**
 * Lets others have a turn of the event loop. One request may hold thousands of payloads, and some take
 * half a millisecond each (a signature to verify): without a pause, nobody else is answered meanwhile.
 */

/** Milliseconds of work in one turn; what is asked at the same time waits no longer than a few of these. */
const SLICE_MS = 10;

/** The pace of one request. */
export class Pace {
  #since = performance.now();
  #waiting: (() => void)[] = [];

  /** Whether it is time for a pause. */
  get isUp(): boolean {
    return this.#waiting.length > 0 || performance.now() - this.#since > SLICE_MS;
  }

  /** Waits for a turn, in the order in which it was asked for. */
  rest(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) setImmediate(() => void this.#goOn());
    });
  }

  async #goOn(): Promise<void> {
    this.#since = performance.now();
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      next();
      // Whoever was woken works in the microtasks before this one goes on.
      for (let ticks = 0; ticks < 4; ticks++) await undefined;
      this.#waiting.shift();
      if (this.#waiting.length === 0 || performance.now() - this.#since <= SLICE_MS) continue;
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      this.#since = performance.now();
    }
  }
}
