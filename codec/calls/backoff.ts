/** How long to leave a service alone that has failed. */
import { ageOf } from './clock.ts';

export interface BackoffSettings {
  /** Milliseconds after the first failure; each further one in a row doubles them… */
  readonly firstMs: number;
  /** …up to so many. */
  readonly mostMs: number;
}

/**
 * Milliseconds to wait after so many failures in a row: doubled with each, up to the longest.
 *
 * @param failures one or more
 */
export function pauseAfter(failures: number, { firstMs, mostMs }: BackoffSettings): number {
  return Math.min(firstMs * 2 ** (failures - 1), mostMs);
}

/** Pauses that grow with every failure in a row, judged by the time at which somebody asks. */
export class Backoff {
  readonly #settings: BackoffSettings;
  readonly #now: () => number;
  #failures = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #pause = 0;

  /** @param now milliseconds since 1970 */
  constructor(settings: BackoffSettings, now: () => number = Date.now) {
    this.#settings = settings;
    this.#now = now;
  }

  /** Whether nobody should ask now. */
  get isOn(): boolean {
    return ageOf(this.#failedAt, this.#now()) < this.#pause;
  }

  /** Whether the last attempt failed. */
  get hasFailed(): boolean {
    return this.#failures > 0;
  }

  /** Whole seconds until somebody may ask, at least one: what a `Retry-After` says. */
  get retryAfterSeconds(): number {
    const left = this.#pause - ageOf(this.#failedAt, this.#now());
    return Number.isFinite(left) ? Math.max(1, Math.ceil(left / 1000)) : 1;
  }

  /** @param askedForMs milliseconds that the service itself asked for; counted up to the longest pause */
  failed(askedForMs = 0): void {
    this.#failures++;
    const pause = pauseAfter(this.#failures, this.#settings);
    this.#pause = Math.max(pause, Math.min(askedForMs, this.#settings.mostMs));
    this.#failedAt = this.#now();
  }

  succeeded(): void {
    this.#failures = 0;
    this.#failedAt = Number.NEGATIVE_INFINITY;
  }
}
