/**
 * The keys of a JSON Web Key Set (RFC 7517) that may verify a signature here.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { OidcIssuerConfig } from '../../../config/schema.ts';

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
 * @throws Error when the text is no key set at all
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
