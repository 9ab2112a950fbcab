/**
 * Readiness: proves now and then that a data key can be had, and remembers the answer, so that
 * whoever asks (nobody has to say who) can neither spend key calls nor learn more than yes or no.
 */
import { contextOfNamespace } from '../../codec/aws-encryption-sdk/encryption-context.ts';
import { ageOf } from '../../codec/calls/clock.ts';
import { SingleFlight } from '../../codec/calls/single-flight.ts';
import { CannotEncodeError, CannotOpenError, KeyUnavailableError } from '../../codec/errors.ts';
import type { KeySource } from '../../codec/keys/key-source.ts';

/** Milliseconds for which a yes is remembered. */
const YES_MS = 30_000;
/** Milliseconds for which a no is remembered: short, so that recovery shows, and no flood of calls. */
const NO_MS = 5_000;
/** Milliseconds that one attempt may take; health checks give up after a few seconds. */
const ATTEMPT_MS = 3_000;

export interface ReadinessParts {
  readonly keys: KeySource;
  /**
   * Namespaces, one a key that writes: ready is who has a key for any of them, since one team's
   * disabled key is no reason to take the server away from the others. None: nothing is written
   * here, and there is nothing to prove.
   */
  readonly namespaces: readonly string[];
  /** Milliseconds of `Date.now()`. */
  readonly now?: () => number;
}

/** Asks whether a key can be used; cheap however often it is called. Rejects only for a bug. */
export function createReadiness({ keys, namespaces, now = Date.now }: ReadinessParts): () => Promise<boolean> {
  let known: { readonly ready: boolean; readonly at: number } | undefined;
  const proving = new SingleFlight<void>();

  async function prove(): Promise<void> {
    for (const namespace of namespaces) if (await hasKey(keys, namespace, now() + ATTEMPT_MS)) return;
    if (namespaces.length > 0) throw new NoKeyError();
  }

  function remember(ready: boolean): boolean {
    known = { ready, at: now() };
    return ready;
  }

  return async () => {
    if (known !== undefined && ageOf(known.at, now()) < (known.ready ? YES_MS : NO_MS)) return known.ready;
    try {
      await proving.run(prove);
      return remember(true);
    } catch (error) {
      if (error instanceof NoKeyError) return remember(false);
      throw error;
    }
  };
}

/** A no, as a failure: one from across a freeze is not believed. */
class NoKeyError extends Error {}

async function hasKey(keys: KeySource, namespace: string, deadline: number): Promise<boolean> {
  const usage = { keyIds: new Set<string>(), cacheHits: 0, cacheMisses: 0 };
  try {
    const { dataKey } = await keys.materialsFor(contextOfNamespace(namespace), 1, { namespace, deadline, usage });
    dataKey.release();
    return true;
  } catch (error) {
    const expected =
      error instanceof KeyUnavailableError || error instanceof CannotEncodeError || error instanceof CannotOpenError;
    if (expected) return false;
    throw error;
  }
}
