/**
 * Secrets that a service keeps: static keys, digests of service tokens, an API key. Cached, refreshed
 * after a while and when something unknown is asked for, and used a little longer while the service
 * behind them is out. Knows nothing of AWS: see `secrets-manager.ts` for the reading itself.
 *
 * How to use it: parse once per version, keep nothing yourself, and when an id is not found in what
 * {@link SecretSource.get} gave, look once more in what {@link SecretSource.refresh} gives:
 *
 * ```ts
 * const tokens = createSecretSource({ read: await readSecret({ arn }), parse: parseTokens });
 * const found = (await tokens.get()).find(digest) ?? (await tokens.refresh()).find(digest);
 * ```
 */
import { KeyUnavailableError } from '../../errors.ts';
import { type Clock, systemClock } from '../cache/clock.ts';

/** The text of a secret's versions. */
export interface SecretVersions {
  /** What is in force: `AWSCURRENT`. */
  readonly current: string;
  /** What was in force before it, where the service still has it: `AWSPREVIOUS`. */
  readonly previous: string | undefined;
}

/**
 * Reads a secret from where it is kept.
 *
 * @param deadline milliseconds of `Date.now()` after which an answer is of no use
 * @throws KeyUnavailableError when it cannot be read, now or for as long as nothing is changed
 */
export type SecretReader = (deadline: number) => Promise<SecretVersions>;

/** A secret, parsed. */
export interface SecretSource<T> {
  /**
   * The secret as it is known, at once when it is fresh. The same object until the secret changes.
   *
   * @throws KeyUnavailableError when it could not be read and there is none to fall back on
   */
  get(): T | Promise<T>;
  /**
   * The secret, read anew because something was not found in it; at most once in `refreshSeconds`,
   * whatever comes over the wire. Between, it answers what {@link get} would.
   */
  refresh(): T | Promise<T>;
}

export interface SecretSourceOptions<T> {
  readonly read: SecretReader;
  /**
   * Makes the value of the text. Must not put any of the text into the errors it throws. When the
   * previous version does not parse, it is the same as having none: parse it leniently.
   */
  readonly parse: (versions: SecretVersions) => T;
  /** Called with a value that is no longer used, to erase it. Default: nothing. */
  readonly discard?: (value: T) => void;
  /** Seconds after which it is read anew. Default 300. */
  readonly ttlSeconds?: number;
  /** Seconds for which an old value is still used when it cannot be read anew. Default 3,600. */
  readonly staleSeconds?: number;
  /** Seconds between two readings that an unknown id causes. Default 30. */
  readonly refreshSeconds?: number;
  /** Seconds that one reading may take. Default 5. */
  readonly timeoutSeconds?: number;
  readonly clock?: Clock;
}

/** Seconds between two attempts while the service is out. */
const RETRY_SECONDS = 5;

export function createSecretSource<T>(options: SecretSourceOptions<T>): SecretSource<T> {
  return new CachedSecret(options);
}

class CachedSecret<T> implements SecretSource<T> {
  readonly #options: SecretSourceOptions<T>;
  readonly #clock: Clock;
  #known: { readonly versions: SecretVersions; readonly value: T } | undefined;
  /** When what is known was last confirmed. */
  #confirmed = 0;
  #attempted = Number.NEGATIVE_INFINITY;
  #failure: KeyUnavailableError | undefined;
  #flight: Promise<T> | undefined;

  constructor(options: SecretSourceOptions<T>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  get(): T | Promise<T> {
    const now = this.#clock.now();
    if (this.#known !== undefined && now < this.#confirmed + seconds(this.#options.ttlSeconds ?? 300))
      return this.#known.value;
    if (this.#flight !== undefined) return this.#flight;
    if (this.#failure !== undefined && now < this.#attempted + seconds(RETRY_SECONDS))
      return this.#fallBack(this.#failure);
    return this.#fly();
  }

  refresh(): T | Promise<T> {
    const tooSoon = this.#clock.now() < this.#attempted + seconds(this.#options.refreshSeconds ?? 30);
    if (this.#flight !== undefined) return this.#flight;
    return tooSoon ? this.get() : this.#fly();
  }

  #fly(): Promise<T> {
    this.#attempted = this.#clock.now();
    this.#flight = this.#read().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  async #read(): Promise<T> {
    const started = this.#attempted;
    try {
      const versions = await this.#options.read(started + seconds(this.#options.timeoutSeconds ?? 5));
      const value = this.#accept(versions);
      this.#confirmed = started;
      this.#failure = undefined;
      return value;
    } catch (error) {
      this.#failure =
        error instanceof KeyUnavailableError
          ? error
          : new KeyUnavailableError('unreachable', messageOf(error), 5, { dependency: 'secrets' });
      return this.#fallBack(this.#failure);
    }
  }

  /** The same text is the same value, so that whoever keeps something derived from it can tell. */
  #accept(versions: SecretVersions): T {
    const known = this.#known;
    if (known?.versions.current === versions.current && known.versions.previous === versions.previous)
      return known.value;
    const value = this.#options.parse(versions);
    this.#known = { versions, value };
    if (known !== undefined) this.#options.discard?.(known.value);
    return value;
  }

  #fallBack(failure: KeyUnavailableError): T {
    const { ttlSeconds = 300, staleSeconds = 3600 } = this.#options;
    if (this.#known !== undefined && this.#clock.now() < this.#confirmed + seconds(ttlSeconds + staleSeconds))
      return this.#known.value;
    throw failure;
  }
}

function seconds(count: number): number {
  return count * 1000;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'the secret cannot be used';
}
