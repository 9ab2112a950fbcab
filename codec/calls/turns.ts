/**
 * Waits for every result before failing with the first failure in order: behind a thrown error
 * nothing is still running that uses a data key.
 */
export async function allOrFirstFailure<T>(results: readonly (T | Promise<T>)[]): Promise<T[]> {
  const settled = await Promise.allSettled(results);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

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

/**
 * Lets a limited number of calls run side by side; the others wait in order. One for each KMS key,
 * so that a key that hangs or is throttled keeps the calls of no other key waiting.
 */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number) {
    this.#free = width;
  }

  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await call();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
