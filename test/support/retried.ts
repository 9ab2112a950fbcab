/** What fails now and then by no fault of what is tested: a connection to a registry that breaks, a port that somebody took. */

/** Milliseconds before the second and the third attempt. */
const PAUSES_MS: readonly number[] = [5_000, 20_000];

/**
 * Does something up to three times, until it does not fail.
 *
 * @param attempt has to be able to start over: a package manager goes on with what it has already fetched
 * @param pausesMs before each further attempt
 * @throws what the last attempt threw
 */
export async function retried<T>(attempt: () => Promise<T>, pausesMs: readonly number[] = PAUSES_MS): Promise<T> {
  for (const pause of pausesMs) {
    try {
      return await attempt();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return await attempt();
}
