/**
 * The signing keys of one issuer: fetched early, refreshed in the background, kept through an outage
 * for a stated time, and not to be made to fetch by whoever invents key ids.
 */
import { IdentityUnavailableError } from './caller.ts';
import { type HttpsGet, HttpsGetError } from './https-get.ts';
import { readKeySet, type SignatureAlgorithm, type VerificationKey } from './verification-key.ts';

/** Keys are fetched again in the background when older than this: how long a withdrawn key may still verify. */
export const REFRESH_AFTER_MS = 15 * 60_000;
/** Keys older than this are not believed any more: how long tokens verify while the issuer cannot be reached. */
export const MAX_AGE_MS = 12 * 60 * 60_000;
/** At most one fetch in this time for key ids that are not in the set, however many tokens name one. */
export const UNKNOWN_KID_INTERVAL_MS = 10_000;
/** Time for one fetch; the CLI gives up after 10 seconds, so a request that waits for it can still answer. */
export const FETCH_TIMEOUT_MS = 3_000;
/** After a failed fetch none is tried for this long, doubled with every further failure… */
const FIRST_BACKOFF_MS = 1_000;
/** …up to this. */
const MAX_BACKOFF_MS = 30_000;
/** A key set of a few keys has a few kilobytes. */
const MAX_KEY_SET_BYTES = 256 * 1024;

/** Told how a question to somebody else went, and why it failed. */
export type LookupObserver = (outcome: 'ok' | 'failed', error?: unknown) => void;

/** What the keys of an issuer need from outside. */
export interface IssuerKeysDeps {
  readonly get: HttpsGet;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of every fetch, for the metrics. */
  readonly onFetch?: LookupObserver;
}

/** The keys of one issuer, by key id. */
export class IssuerKeys {
  readonly #uri: string;
  readonly #algorithms: readonly SignatureAlgorithm[];
  readonly #deps: IssuerKeysDeps;
  #keys: ReadonlyMap<string, VerificationKey> = new Map();
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #lastUnknownKidFetch = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;
  #flight: Promise<void> | undefined;
  #flightStartedAt = 0;
  #flights = 0;

  constructor(uri: string, algorithms: readonly SignatureAlgorithm[], deps: IssuerKeysDeps) {
    this.#uri = uri;
    this.#algorithms = algorithms;
    this.#deps = deps;
  }

  /** Fetches the keys unless they are there. Never rejects: the first request that needs them tries again. */
  async warmUp(): Promise<void> {
    if (this.#isUsable(this.#deps.now())) return;
    await this.#fetch().catch(() => undefined);
  }

  /**
   * Finds the key of that id; undefined when the issuer has none. Answers at once when it can.
   *
   * @throws IdentityUnavailableError (or rejects with it) when the issuer would have to be asked and cannot be
   */
  find(kid: string): VerificationKey | undefined | Promise<VerificationKey | undefined> {
    const now = this.#deps.now();
    if (!this.#isUsable(now)) return this.#fetchUnlessBackingOff(now).then(() => this.#keys.get(kid));
    this.#refreshIfDue(now);
    const key = this.#keys.get(kid);
    if (key !== undefined) return key;
    // What is on its way may have been asked before the issuer rotated its keys: look again when it is here.
    if (this.#flight !== undefined) return this.#flight.catch(() => undefined).then(() => this.find(kid));
    if (this.#failures === 0 && now - this.#lastUnknownKidFetch < UNKNOWN_KID_INTERVAL_MS) return undefined;
    if (now >= this.#notBefore) this.#lastUnknownKidFetch = now;
    return this.#fetchUnlessBackingOff(now).then(() => this.#keys.get(kid));
  }

  /** Whether a key that was found earlier is still the issuer's. Refreshes in the background when that is due. */
  isCurrent(key: VerificationKey): boolean {
    const now = this.#deps.now();
    if (!this.#isUsable(now)) return false;
    this.#refreshIfDue(now);
    return this.#keys.get(key.kid) === key;
  }

  #isUsable(now: number): boolean {
    return now - this.#fetchedAt <= MAX_AGE_MS;
  }

  #refreshIfDue(now: number): void {
    if (now - this.#fetchedAt <= REFRESH_AFTER_MS || now < this.#notBefore) return;
    this.#fetch().catch(() => undefined);
  }

  async #fetchUnlessBackingOff(now: number): Promise<void> {
    if (now < this.#notBefore && this.#flight === undefined) throw this.#unavailable(now);
    await this.#fetch();
  }

  /** One flight for all who wait. A flight that froze together with its Lambda instance is given up. */
  #fetch(): Promise<void> {
    const now = this.#deps.now();
    if (this.#flight !== undefined && now - this.#flightStartedAt <= 2 * FETCH_TIMEOUT_MS) return this.#flight;
    const number = ++this.#flights;
    const flight = this.#fetchNow(number).finally(() => {
      if (number === this.#flights) this.#flight = undefined;
    });
    this.#flight = flight;
    this.#flightStartedAt = now;
    return flight;
  }

  /** @param number of this flight: one that was given up changes nothing when it lands after all */
  async #fetchNow(number: number): Promise<void> {
    let retryAfterSeconds: number | undefined;
    try {
      const options = { timeoutMs: FETCH_TIMEOUT_MS, maxBytes: MAX_KEY_SET_BYTES };
      const response = await this.#deps.get(this.#uri, options);
      retryAfterSeconds = response.retryAfterSeconds;
      if (response.status !== 200) throw new HttpsGetError(`the issuer answered with status ${response.status}`);
      const keys = readKeySet(response.body, this.#algorithms, this.#keys);
      if (keys.size === 0) throw new HttpsGetError('the issuer publishes no key that could verify a token');
      if (number !== this.#flights) return;
      this.#keys = keys;
      this.#fetchedAt = this.#deps.now();
      this.#failures = 0;
      this.#notBefore = Number.NEGATIVE_INFINITY;
      this.#deps.onFetch?.('ok');
    } catch (cause) {
      if (number !== this.#flights) throw this.#unavailable(this.#deps.now(), { cause });
      const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, MAX_BACKOFF_MS);
      const asked = Math.min((retryAfterSeconds ?? 0) * 1000, MAX_BACKOFF_MS);
      this.#failures++;
      const now = this.#deps.now();
      this.#notBefore = now + Math.max(backoff, asked);
      this.#deps.onFetch?.('failed', cause);
      throw this.#unavailable(now, { cause });
    }
  }

  #unavailable(now: number, options?: ErrorOptions): IdentityUnavailableError {
    const seconds = Math.max(1, Math.ceil((this.#notBefore - now) / 1000));
    const message = 'the keys of the token issuer cannot be fetched at the moment';
    return new IdentityUnavailableError('jwks', message, seconds, options);
  }
}
