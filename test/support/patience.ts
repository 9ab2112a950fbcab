/** Waiting in tests: until something is so, not for a time. */

/**
 * Milliseconds until a wait is given up. A wait ends as soon as what it waits for is there, so this costs nothing
 * where all is well, and has to be enough on a machine that is many times slower, or busy with something else.
 */
export const PATIENCE_MS = 120_000;

/** Between two looks. */
const PAUSE_MS = 50;

/**
 * Looks until a look shows something.
 *
 * @param look what it returns other than `undefined` and `false` is what was waited for
 * @param what says at the end what did not happen
 * @throws Error when the patience is at its end
 */
export async function until<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  what: string | (() => string),
  patienceMs: number = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadline) {
      throw new Error(`after ${Math.round(patienceMs / 1000)} seconds: ${typeof what === 'string' ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
