/** Waits, and stops waiting when somebody says so. */
import { setTimeout } from 'node:timers/promises';

/**
 * @param ms milliseconds
 * @returns early, without an error, when the signal is given
 */
export async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  }
}
