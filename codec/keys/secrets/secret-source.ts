/**
 * Secrets that a service keeps: static keys, digests of service tokens, an API key. Cached, refreshed
 * after a while and when something unknown is asked for, and used a little longer while the service
 * behind them is out. Knows nothing of AWS: see `secrets-manager.ts` for the reading itself.
 *
 * "Cannot be reached" and "cannot be used" are two things. A document that was changed so that it does
 * not parse, is gone or may not be read any more may be somebody's attempt to revoke: what it said
 * before counts for its time to live and not a second longer, and whoever runs the server is told at once.
 *
 * How to use it: parse once per version, keep nothing yourself, and when an id is not found in what
 * {@link SecretSource.get} gave, look once more in what {@link SecretSource.refresh} gives:
 *
 * ```ts
 * const tokens = createSecretSource({ read: await readSecret({ arn }), parse: parseTokens });
 * const found = (await tokens.get()).find(digest) ?? (await tokens.refresh()).find(digest);
 * ```
 */
import { Backoff } from '../../calls/backoff.ts';
import { ageOf, type Clock, systemClock } from '../../calls/clock.ts';
import { SingleFlight } from '../../calls/single-flight.ts';
import { CodecError, KeyUnavailableError } from '../../errors.ts';

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

/**
 * Told of every reading that failed, and of the first that worked again (`undefined`). The message of
 * the error says what is wrong and repeats nothing of the secret.
 */
export type SecretObserver = (failure: KeyUnavailableError | undefined) => void;

export interface SecretSourceOptions<T> {
  readonly read: SecretReader;
  readonly observe?: SecretObserver | undefined;
  /**
   * Makes the value of the text, or throws a `CodecError` whose message says what is wrong with it and
   * holds none of the text: it is logged. When the
   * previous version does not parse, it is the same as having none: parse it leniently.
   */
  readonly parse: (versions: SecretVersions) => T;
  /** Called with a value that is no longer used, to erase it. Default: nothing. */
  readonly discard?: (value: T) => void;
  /** Seconds after which it is read anew. Default 300. */
  readonly ttlSeconds?: number;
  /** Seconds for which an old value is still used when the secret cannot be reached. Default 3,600. */
  readonly staleSeconds?: number;
  /** Seconds between two readings that an unknown id causes. Default 30. */
  readonly refreshSeconds?: number;
  /** Seconds that one reading may take. Default 5. */
  readonly timeoutSeconds?: number;
  readonly clock?: Clock;
}

/** Milliseconds between two attempts while the secret cannot be read. */
const RETRY_MS = 5_000;

export function createSecretSource<T>(options: SecretSourceOptions<T>): SecretSource<T> {
  return new CachedSecret(options);
}

class CachedSecret<T> implements SecretSource<T> {
  readonly #options: SecretSourceOptions<T>;
  readonly #clock: Clock;
  readonly #reading = new SingleFlight<T>();
  readonly #backoff: Backoff;
  #known: { readonly versions: SecretVersions; readonly value: T } | undefined;
  /** When the reading began that last confirmed what is known. */
  #confirmed = Number.NEGATIVE_INFINITY;
  #failure: KeyUnavailableError | undefined;

  constructor(options: SecretSourceOptions<T>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = new Backoff({ firstMs: RETRY_MS, mostMs: RETRY_MS }, () => this.#clock.now());
  }

  get(): T | Promise<T> {
    const { ttlSeconds = 300 } = this.#options;
    if (this.#known !== undefined && this.#isYoungerThan(ttlSeconds)) return this.#known.value;
    if (this.#failure !== undefined && this.#backoff.isOn && !this.#reading.isUnderWay)
      return this.#fallBack(this.#failure);
    return this.#read();
  }

  refresh(): T | Promise<T> {
    if (this.#reading.isUnderWay) return this.#read();
    // Nothing known is no reason to wait, and neither is an attempt that failed a while ago.
    const tooSoon = this.#backoff.isOn || this.#isYoungerThan(this.#options.refreshSeconds ?? 30);
    return tooSoon ? this.get() : this.#read();
  }

  #isYoungerThan(limit: number): boolean {
    return ageOf(this.#confirmed, this.#clock.now()) < seconds(limit);
  }

  async #read(): Promise<T> {
    try {
      return await this.#reading.run(
        () => this.#ask(),
        (error) => this.#failed(error as KeyUnavailableError),
      );
    } catch (error) {
      return this.#fallBack(error as KeyUnavailableError);
    }
  }

  async #ask(): Promise<T> {
    const { read, timeoutSeconds = 5 } = this.#options;
    const started = this.#clock.now();
    const versions = await read(started + seconds(timeoutSeconds)).catch(notRead);
    // A late answer, from before the process stood still, does not undo a newer one.
    if (this.#known !== undefined && started < this.#confirmed && this.#isYoungerThan(Number.POSITIVE_INFINITY))
      return this.#known.value;
    const value = this.#accept(versions);
    this.#confirmed = started;
    this.#backoff.succeeded();
    if (this.#failure !== undefined) this.#options.observe?.(undefined);
    this.#failure = undefined;
    return value;
  }

  #failed(failure: KeyUnavailableError): void {
    this.#failure = failure;
    this.#backoff.failed();
    this.#options.observe?.(failure);
  }

  /** The same text is the same value, so that whoever keeps something derived from it can tell. */
  #accept(versions: SecretVersions): T {
    const known = this.#known;
    if (known?.versions.current === versions.current && known.versions.previous === versions.previous)
      return known.value;
    const value = this.#parse(versions);
    this.#known = { versions, value };
    if (known !== undefined) this.#options.discard?.(known.value);
    return value;
  }

  #parse(versions: SecretVersions): T {
    try {
      return this.#options.parse(versions);
    } catch (error) {
      throw unusable(error);
    }
  }

  #fallBack(failure: KeyUnavailableError): T {
    const { ttlSeconds = 300, staleSeconds = 3600 } = this.#options;
    const limit = failure.reason === 'unusable' ? ttlSeconds : ttlSeconds + staleSeconds;
    if (this.#known !== undefined && this.#isYoungerThan(limit)) return this.#known.value;
    throw failure;
  }
}

function seconds(count: number): number {
  return count * 1000;
}

/** A reader of files says with an error of ours what is wrong with the file; anything else came in between. */
function notRead(error: unknown): never {
  if (error instanceof KeyUnavailableError) throw error;
  if (error instanceof CodecError) throw unusable(error);
  const message = 'the secret cannot be read';
  throw new KeyUnavailableError('unreachable', message, 5, { dependency: 'secrets', cause: error });
}

function unusable(error: unknown): KeyUnavailableError {
  const message = error instanceof CodecError ? error.message : 'the secret is not what it must be';
  return new KeyUnavailableError('unusable', message, 5, { dependency: 'secrets', cause: error });
}
