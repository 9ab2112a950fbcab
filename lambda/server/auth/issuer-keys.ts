/**
 * The signing keys of one issuer: never older than a stated age while the issuer can be asked, kept
 * through an outage for a stated time, and not to be made to fetch by whoever invents key ids.
 *
 * Every fetch belongs to a request: on Lambda nothing happens between two of them. Keys that get old
 * are fetched beside a request, and the request that finds them too old waits for new ones.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { Backoff } from '../../../codec/calls/backoff.ts';
import { ageOf } from '../../../codec/calls/clock.ts';
import { SingleFlight } from '../../../codec/calls/single-flight.ts';
import type { OidcIssuerConfig } from '../../../config/schema.ts';
import { IdentityUnavailableError } from './caller.ts';
import { type HttpsGet, HttpsGetError } from './https-get.ts';

// The keys of a JSON Web Key Set (RFC 7517) that may verify a signature here.

export type SignatureAlgorithm = NonNullable<OidcIssuerConfig['algorithms']>[number];

/** A public key of an issuer. */
export interface VerificationKey {
  readonly kid: string;
  /** The public members of the JWK, as `aws-jwt-verify` wants it. */
  readonly jwk: { readonly kty: string; readonly [member: string]: string };
  readonly keyObject: KeyObject;
  /** What it may verify: the pinned algorithms that its type, curve and `alg` permit. */
  readonly algorithms: readonly SignatureAlgorithm[];
}

/** More than any issuer publishes. */
const MAX_KEYS = 64;
/** NIST SP 800-131A: no signature is to be believed under a shorter RSA key. */
const MIN_RSA_BITS = 2048;
const PUBLIC_MEMBERS = ['kty', 'use', 'alg', 'kid', 'n', 'e', 'crv', 'x', 'y'];

/**
 * Reads a key set. Keys that cannot verify one of `pinned` (another use, another type, symmetric, too
 * short, without `kid`) are passed over, as RFC 7517 section 5 asks.
 *
 * @param known keys read before: a key that has not changed comes back as the same object
 * @throws Error when the text is not a key set at all
 */
export function readKeySet(
  text: string,
  pinned: readonly SignatureAlgorithm[],
  known: ReadonlyMap<string, VerificationKey> = new Map(),
): Map<string, VerificationKey> {
  const keySet: unknown = JSON.parse(text);
  const entries = isObject(keySet) ? keySet['keys'] : undefined;
  if (!Array.isArray(entries)) throw new Error('the key set has no array "keys"');
  const keys = new Map<string, VerificationKey>();
  for (const entry of entries.slice(0, MAX_KEYS)) {
    const key = isObject(entry) ? readKey(entry, pinned) : undefined;
    if (key === undefined || keys.has(key.kid)) continue;
    const before = known.get(key.kid);
    keys.set(key.kid, before !== undefined && isSameKey(before, key) ? before : key);
  }
  return keys;
}

function isSameKey(a: VerificationKey, b: VerificationKey): boolean {
  return a.keyObject.equals(b.keyObject) && a.algorithms.join() === b.algorithms.join();
}

function readKey(entry: Record<string, unknown>, pinned: readonly SignatureAlgorithm[]): VerificationKey | undefined {
  const { kid, use, key_ops: operations, alg } = entry;
  if (typeof kid !== 'string' || kid === '') return undefined;
  if (use !== undefined && use !== 'sig') return undefined;
  if (Array.isArray(operations) && !operations.includes('verify')) return undefined;
  const algorithms = pinned.filter((it) => fits(it, entry) && (alg === undefined || alg === it));
  if (algorithms.length === 0) return undefined;
  const jwk: { kty: string; [member: string]: string } = { kty: String(entry['kty']) };
  for (const member of PUBLIC_MEMBERS) {
    const value = entry[member];
    if (typeof value === 'string') jwk[member] = value;
  }
  try {
    const keyObject = createPublicKey({ key: jwk, format: 'jwk' });
    const bits = keyObject.asymmetricKeyDetails?.modulusLength;
    if (bits !== undefined && bits < MIN_RSA_BITS) return undefined;
    return { kid, jwk, keyObject, algorithms };
  } catch {
    return undefined;
  }
}

/** RFC 7518 section 3.1 and RFC 8037 section 3.1: which type and curve an algorithm is for. */
function fits(algorithm: SignatureAlgorithm, { kty, crv }: Record<string, unknown>): boolean {
  switch (algorithm) {
    case 'RS256':
    case 'RS384':
    case 'RS512':
      return kty === 'RSA';
    case 'ES256':
      return kty === 'EC' && crv === 'P-256';
    case 'ES384':
      return kty === 'EC' && crv === 'P-384';
    case 'ES512':
      return kty === 'EC' && crv === 'P-521';
    case 'EdDSA':
      return kty === 'OKP' && (crv === 'Ed25519' || crv === 'Ed448');
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Keys are fetched again, without anybody waiting, when older than this. */
const REFRESH_AFTER_MS = 10 * 60_000;
/** Keys older than this are believed only if the issuer cannot be asked: how long a withdrawn key may still verify. */
const MAX_UNASKED_MS = 15 * 60_000;
/** Keys older than this are not believed any more: how long tokens verify while the issuer cannot be reached. */
const MAX_AGE_MS = 12 * 60 * 60_000;
/** At most one fetch in this time for key ids that are not in the set, however many tokens name one. */
const UNKNOWN_KID_INTERVAL_MS = 10_000;
/** Time for one fetch; the CLI gives up after 10 seconds, so a request that waits for it can still answer. */
const FETCH_TIMEOUT_MS = 3_000;
/** How long a failed fetch is the last one. */
const BACKOFF = { firstMs: 1_000, mostMs: 30_000 };
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
  readonly #fetching = new SingleFlight<void>();
  readonly #backoff: Backoff;
  #keys: ReadonlyMap<string, VerificationKey> = new Map();
  /** When the issuer was asked for them. */
  #askedAt = Number.NEGATIVE_INFINITY;
  #lastUnknownKidFetch = Number.NEGATIVE_INFINITY;

  constructor(uri: string, algorithms: readonly SignatureAlgorithm[], deps: IssuerKeysDeps) {
    this.#uri = uri;
    this.#algorithms = algorithms;
    this.#deps = deps;
    this.#backoff = new Backoff(BACKOFF, deps.now);
  }

  /** Fetches the keys unless they are there. Never rejects: the first request that needs them tries again. */
  async warmUp(): Promise<void> {
    if (this.#age <= MAX_AGE_MS) return;
    await this.#fetch().catch(() => undefined);
  }

  /**
   * Finds the key of that id; undefined when the issuer has none. Answers at once when it can.
   *
   * @throws IdentityUnavailableError (or rejects with it) when the issuer would have to be asked and cannot be
   */
  find(kid: string): VerificationKey | undefined | Promise<VerificationKey | undefined> {
    return this.#mayAnswer() ? this.#lookUp(kid) : this.#askFirst().then(() => this.#lookUp(kid));
  }

  /**
   * Whether a key that was found earlier is still the issuer's, as far as can be told without asking:
   * when it cannot, the answer is no, and {@link find} asks.
   */
  isCurrent(key: VerificationKey): boolean {
    return this.#mayAnswer() && this.#keys.get(key.kid) === key;
  }

  /** Milliseconds. */
  get #age(): number {
    return ageOf(this.#askedAt, this.#deps.now());
  }

  /** Whether the keys that are here are believed without asking. When they get old, new ones are fetched beside the request. */
  #mayAnswer(): boolean {
    const age = this.#age;
    if (age > MAX_AGE_MS) return false;
    if (age > MAX_UNASKED_MS && (this.#fetching.isUnderWay || !this.#backoff.isOn)) return false;
    if (age > REFRESH_AFTER_MS && !this.#backoff.isOn) this.#fetch().catch(() => undefined);
    return true;
  }

  /** Waits for new keys; while the issuer cannot be asked, old ones do. */
  async #askFirst(): Promise<void> {
    try {
      await this.#fetchUnlessBackingOff();
    } catch (error) {
      if (this.#age > MAX_AGE_MS) throw error;
    }
  }

  #lookUp(kid: string): VerificationKey | undefined | Promise<VerificationKey | undefined> {
    const key = this.#keys.get(kid);
    if (key !== undefined) return key;
    // What is on its way may have been asked before the issuer rotated its keys: look again when it is here.
    if (this.#fetching.isUnderWay)
      return this.#fetch()
        .catch(() => undefined)
        .then(() => this.find(kid));
    const now = this.#deps.now();
    if (!this.#backoff.hasFailed && ageOf(this.#lastUnknownKidFetch, now) < UNKNOWN_KID_INTERVAL_MS) return undefined;
    if (!this.#backoff.isOn) this.#lastUnknownKidFetch = now;
    return this.#fetchUnlessBackingOff().then(() => this.#keys.get(kid));
  }

  async #fetchUnlessBackingOff(): Promise<void> {
    if (this.#backoff.isOn && !this.#fetching.isUnderWay) throw this.#unavailable();
    await this.#fetch();
  }

  async #fetch(): Promise<void> {
    try {
      await this.#fetching.run(
        (startedAt) => this.#ask(startedAt),
        (error) => this.#failed(error),
      );
    } catch (cause) {
      throw this.#unavailable({ cause });
    }
  }

  /** @param startedAt whenever the answer arrives, it is as old as the question; a newer one is not undone */
  async #ask(startedAt: number): Promise<void> {
    const options = { timeoutMs: FETCH_TIMEOUT_MS, maxBytes: MAX_KEY_SET_BYTES };
    const { status, body, retryAfterSeconds } = await this.#deps.get(this.#uri, options);
    if (status !== 200) throw new KeySetError(`${this.#uri} answered with status ${status}`, retryAfterSeconds);
    const keys = readKeySet(body, this.#algorithms, this.#keys);
    if (keys.size === 0) throw new KeySetError(`${this.#uri} has no key that could verify a token`);
    if (startedAt >= this.#askedAt || this.#age > MAX_AGE_MS) {
      this.#keys = keys;
      this.#askedAt = startedAt;
      this.#backoff.succeeded();
    }
    this.#deps.onFetch?.('ok');
  }

  #failed(error: unknown): void {
    this.#backoff.failed(error instanceof KeySetError ? (error.retryAfterSeconds ?? 0) * 1000 : 0);
    this.#deps.onFetch?.('failed', error);
  }

  #unavailable(options?: ErrorOptions): IdentityUnavailableError {
    const message = 'the keys of the token issuer cannot be fetched at the moment';
    return new IdentityUnavailableError('jwks', message, this.#backoff.retryAfterSeconds, options);
  }
}

/** An answer that is not a key set. */
class KeySetError extends HttpsGetError {
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, retryAfterSeconds?: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
