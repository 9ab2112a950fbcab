/**
 * Calls KMS until it answers, refuses, or nobody waits any more: attempts with a timeout each, pauses
 * with jitter between them, at most so many calls per key side by side, and a short memory for keys
 * that are refused as such, whatever they are to decrypt.
 */

import type { EncryptionContext } from '../../aws-encryption-sdk/encryption-context.ts';
import { BoundedCache } from '../../bounded-cache.ts';
import { pauseAfter } from '../../calls/backoff.ts';
import { type Clock, pause } from '../../calls/clock.ts';
import { Semaphore } from '../../calls/turns.ts';
import { KmsFault, type KmsKey } from './kms-api.ts';

/** How calls are repeated. */
export interface CallSettings {
  /** Attempts, the first included. Default 5. */
  readonly attempts: number;
  /** Milliseconds that one attempt may take. Default 2,000. */
  readonly attemptMs: number;
  /** Milliseconds that the first pause takes at most; each following one twice as many. Default 100. */
  readonly pauseMs: number;
  /** Calls per key side by side. Default 50. */
  readonly concurrency: number;
  /** Milliseconds for which a key that is refused as such is not asked again. Default 5,000. */
  readonly refusalMs: number;
}

const DEFAULT_CALL_SETTINGS: CallSettings = {
  attempts: 5,
  attemptMs: 2000,
  pauseMs: 100,
  concurrency: 50,
  refusalMs: 5000,
};

const PASSING: ReadonlySet<string> = new Set(['throttled', 'unreachable', 'timed-out']);

/** Whether a later attempt may succeed. */
export function mayPass(fault: KmsFault): boolean {
  return PASSING.has(fault.kind);
}

export class KmsCaller {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #settings: CallSettings;
  readonly #semaphores = new Map<string, Semaphore>();
  readonly #refusals: BoundedCache<KmsFault>;

  /** @param random numbers from 0 to 1, for the jitter */
  constructor(clock: Clock, settings: Partial<CallSettings> = {}, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
    this.#settings = { ...DEFAULT_CALL_SETTINGS, ...settings };
    this.#refusals = new BoundedCache(1000, this.#settings.refusalMs);
  }

  /**
   * @param deadline milliseconds of the clock, asked anew for every attempt
   * @throws KmsFault the last one
   */
  async call<T>(
    key: KmsKey,
    context: EncryptionContext,
    deadline: () => number,
    attempt: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    for (let count = 1; ; count++) {
      try {
        return await this.#semaphoreOf(key).run(() => this.#once(key, context, deadline(), attempt));
      } catch (error) {
        const wait =
          this.#random() * pauseAfter(count, { firstMs: this.#settings.pauseMs, mostMs: Number.POSITIVE_INFINITY });
        const again = error instanceof KmsFault && mayPass(error) && count < this.#settings.attempts;
        if (!again || this.#clock.now() + wait >= deadline()) throw error;
        await pause(this.#clock, wait);
      }
    }
  }

  async #once<T>(
    key: KmsKey,
    context: EncryptionContext,
    deadline: number,
    attempt: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    this.#throwRefusal(key, context);
    const time = Math.min(this.#settings.attemptMs, deadline - this.#clock.now());
    if (time <= 0) throw new KmsFault('timed-out', 'deadline');
    const abort = new AbortController();
    let callOff = () => {};
    // Raced, too: not everything on the way to KMS, such as assuming a role, listens to the signal.
    const late = new Promise<never>((_, reject) => {
      callOff = this.#clock.after(time, () => {
        abort.abort();
        reject(new KmsFault('timed-out', 'TimeoutError'));
      });
    });
    try {
      return await Promise.race([attempt(abort.signal), late]);
    } catch (error) {
      if (error instanceof KmsFault) this.#rememberRefusal(key, context, error);
      throw error;
    } finally {
      callOff();
    }
  }

  #semaphoreOf(key: KmsKey): Semaphore {
    let semaphore = this.#semaphores.get(key.arn);
    if (semaphore === undefined) {
      semaphore = new Semaphore(this.#settings.concurrency);
      this.#semaphores.set(key.arn, semaphore);
    }
    return semaphore;
  }

  #throwRefusal(key: KmsKey, context: EncryptionContext): void {
    const now = this.#clock.now();
    const refusal = this.#refusals.get(key.arn, now) ?? this.#refusals.get(nameOfRight(key, context), now);
    if (refusal !== undefined) throw refusal;
  }

  /** A disabled key is disabled for everybody; access may depend on the encryption context. */
  #rememberRefusal(key: KmsKey, context: EncryptionContext, fault: KmsFault): void {
    if (fault.kind === 'disabled') this.#refusals.set(key.arn, fault, this.#clock.now());
    if (fault.kind === 'access-denied' || fault.kind === 'no-credentials')
      this.#refusals.set(nameOfRight(key, context), fault, this.#clock.now());
  }
}

function nameOfRight(key: KmsKey, context: EncryptionContext): string {
  return `${key.arn} ${JSON.stringify([...context])}`;
}
