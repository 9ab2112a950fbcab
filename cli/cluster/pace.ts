/** So many a second and no more: what others may still call of a namespace depends on it. */
import { wait } from '../histories/wait.ts';

/** Lets callers pass at a rate, in the order in which they came. */
export class Pace {
  readonly #intervalMs: number;
  #next = 0;

  /** @param perSecond how many */
  constructor(perSecond: number) {
    this.#intervalMs = 1000 / perSecond;
  }

  /** Returns when it is the caller's turn. */
  async turn(): Promise<void> {
    const now = performance.now();
    // A tenth of a second may be made up for, so that rounding of timers costs nothing.
    this.#next = Math.max(this.#next + this.#intervalMs, now - 100);
    if (this.#next > now) await wait(this.#next - now);
  }
}

/** Runs work over items, several at a time. The first failure is thrown when all that had begun has ended. */
export async function sideBySide<T>(items: Iterable<T>, most: number, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const run = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && failure === undefined; next = iterator.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: most }, run));
  if (failure !== undefined) throw failure.error;
}
