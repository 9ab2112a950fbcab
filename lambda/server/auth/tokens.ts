/**
 * Verifies JSON Web Tokens (RFC 7519) of the configured issuers. The one file that knows
 * `aws-jwt-verify`; what that library leaves open (a missing `exp`, any `typ`, a future `iat`, keys
 * cached for ever) is closed here and in issuer-keys.ts.
 */
import { hash } from 'node:crypto';
import {
  JwtExpiredError,
  JwtInvalidAudienceError,
  JwtInvalidIssuerError,
  JwtInvalidSignatureError,
  JwtNotBeforeError,
} from 'aws-jwt-verify/error';
import { decomposeUnverifiedJwt } from 'aws-jwt-verify/jwt';
import type { JwtHeader, JwtPayload } from 'aws-jwt-verify/jwt-model';
import { verifyJwtSync } from 'aws-jwt-verify/jwt-verifier';
import { BoundedCache } from '../../../codec/bounded-cache.ts';
import { asOidcIssuer } from '../../../config/issuers.ts';
import type { IdentityConfig, IssuerConfig, OidcIssuerConfig } from '../../../config/schema.ts';
import { type Caller, type RejectionReason, rejected, UnauthenticatedError } from './caller.ts';
import { createHttpsGet, type HttpsGet } from './https-get.ts';
import { IssuerKeys, type LookupObserver, type SignatureAlgorithm, type VerificationKey } from './issuer-keys.ts';

/** The header that a token came in. */
export type TokenHeader = OidcIssuerConfig['from'];

/** What the verifier needs from outside; everything has a default. */
export interface TokenVerifierDeps {
  readonly get?: HttpsGet | undefined;
  /** Told of every fetch of issuer keys, for the metrics. */
  readonly onKeyFetch?: LookupObserver | undefined;
}

/** Longer than any header a gateway or Node lets through by default, and short enough to be hashed in microseconds. */
const MAX_TOKEN_LENGTH = 12_288;
/** Verified tokens remembered; with its claims one takes a few kilobytes. */
const MAX_REMEMBERED_TOKENS = 2_000;
/** Default of {@link IdentityConfig.clockLeewaySeconds}. */
const DEFAULT_LEEWAY_SECONDS = 30;
/** An `exp` further away than this is no point in time but a mistake, such as milliseconds. */
const MAX_LIFETIME_SECONDS = 10 * 365 * 86_400;
const MAX_KID_LENGTH = 256;
const MAX_SUBJECT_LENGTH = 512;

/** RFC 7515 section 3.1: three parts of unpadded base64url. */
const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** RFC 7519 section 5.1 and RFC 9068 section 2.1; any other type is a token made for something else. */
const TOKEN_TYPES: ReadonlySet<string> = new Set(['jwt', 'application/jwt', 'at+jwt', 'application/at+jwt']);

/** An issuer, ready to verify. */
interface Issuer {
  readonly name: string;
  readonly audience: string | string[] | null;
  readonly from: TokenHeader;
  readonly algorithms: readonly SignatureAlgorithm[];
  readonly emailClaim: string;
  readonly keys: IssuerKeys;
}

interface RememberedToken {
  readonly caller: Caller;
  readonly issuer: Issuer;
  readonly key: VerificationKey;
}

/** What of a token is known before its signature is. */
interface UnverifiedToken {
  readonly text: string;
  readonly header: JwtHeader;
  readonly issuer: Issuer;
  readonly kid: string;
  readonly memoryKey: string;
}

/** Verifies the tokens of the issuers of a configuration, and remembers those it has verified. */
export class TokenVerifier {
  readonly #issuers: readonly Issuer[];
  readonly #leewaySeconds: number;
  /** By SHA-256 of header name and token: the tokens themselves are not kept. */
  readonly #remembered = new BoundedCache<RememberedToken>(MAX_REMEMBERED_TOKENS);

  constructor(config: IdentityConfig, deps: TokenVerifierDeps = {}) {
    this.#leewaySeconds = config.clockLeewaySeconds ?? DEFAULT_LEEWAY_SECONDS;
    this.#issuers = createIssuers(config.issuers, deps);
  }

  /** Whether any issuer's tokens come in this header. */
  readsFrom(header: TokenHeader): boolean {
    return this.#issuers.some((issuer) => issuer.from === header);
  }

  /** Fetches the keys of every issuer. Never rejects. */
  async warmUp(): Promise<void> {
    await Promise.all([...new Set(this.#issuers.map((issuer) => issuer.keys))].map((keys) => keys.warmUp()));
  }

  /**
   * Proves who a token speaks for. Answers at once for a token it remembers, and whenever the
   * issuer's keys are there.
   *
   * @throws UnauthenticatedError when the token is not valid here; `malformed` and `unknown-issuer` are always
   *   thrown and never rejected with, so that another header can be looked at
   * @throws IdentityUnavailableError when the issuer's keys are out of reach
   */
  verify(text: string, header: TokenHeader): Caller | Promise<Caller> {
    if (text.length > MAX_TOKEN_LENGTH) throw rejected('too-large');
    const memoryKey = hash('sha256', `${header} ${text}`, 'base64url');
    const remembered = this.#remembered.get(memoryKey, Date.now());
    if (remembered !== undefined) {
      if (remembered.issuer.keys.isCurrent(remembered.key)) return remembered.caller;
      this.#remembered.delete(memoryKey);
    }
    const token = this.#read(text, header, memoryKey);
    const key = token.issuer.keys.find(token.kid);
    return key instanceof Promise ? key.then((it) => this.#verifyWith(token, it)) : this.#verifyWith(token, key);
  }

  /** Everything that can be refused before a key is looked for. */
  #read(text: string, from: TokenHeader, memoryKey: string): UnverifiedToken {
    if (!COMPACT_JWS.test(text)) throw rejected('malformed');
    const { header, payload, signatureB64 } = decompose(text);
    const issuer = this.#issuerOf(payload, from);
    if (header.alg === undefined || !issuer.algorithms.some((it) => it === header.alg)) throw rejected('algorithm');
    if (header['crit'] !== undefined || header['b64'] !== undefined) throw rejected('critical-header');
    const { typ } = header;
    if (typ !== undefined && !(typeof typ === 'string' && TOKEN_TYPES.has(typ.toLowerCase()))) throw rejected('type');
    const { kid } = header;
    if (kid === undefined || kid === '' || kid.length > MAX_KID_LENGTH) throw rejected('no-key-id');
    // Other spellings of the same signature would be remembered as further tokens.
    if (Buffer.from(signatureB64, 'base64url').toString('base64url') !== signatureB64) throw rejected('signature');
    return { text, header, issuer, kid, memoryKey };
  }

  #issuerOf(payload: JwtPayload, from: TokenHeader): Issuer {
    const named = this.#issuers.filter((issuer) => issuer.from === from && issuer.name === payload.iss);
    if (named.length === 0) throw rejected('unknown-issuer');
    const meant = named.find((issuer) => isAmong(issuer.audience, payload.aud));
    if (meant === undefined) throw rejected('audience');
    return meant;
  }

  #verifyWith(token: UnverifiedToken, key: VerificationKey | undefined): Caller {
    if (key === undefined) throw rejected('unknown-key');
    if (!key.algorithms.some((it) => it === token.header.alg)) throw rejected('algorithm');
    const claims = this.#verifiedClaims(token, key);
    const caller = callerOf(claims, token.issuer);
    const until = ((claims.exp ?? 0) + this.#leewaySeconds) * 1000;
    const now = Date.now();
    this.#remembered.set(token.memoryKey, { caller, issuer: token.issuer, key }, now, until - now);
    return caller;
  }

  #verifiedClaims({ text, issuer }: UnverifiedToken, key: VerificationKey): JwtPayload {
    try {
      return verifyJwtSync(
        text,
        key.jwk,
        {
          issuer: issuer.name,
          audience: issuer.audience,
          graceSeconds: this.#leewaySeconds,
          customJwtCheck: ({ payload }) => this.#checkTimes(payload),
        },
        () => key.keyObject,
      );
    } catch (error) {
      throw error instanceof UnauthenticatedError ? error : rejected(reasonOf(error));
    }
  }

  /** What the library leaves open. Runs once the signature is verified. */
  #checkTimes({ exp, iat }: JwtPayload): void {
    const now = Date.now() / 1000;
    if (exp === undefined) throw rejected('no-expiry');
    if (exp > now + MAX_LIFETIME_SECONDS) throw rejected('implausible-expiry');
    if (iat !== undefined && (iat > now + this.#leewaySeconds || iat > exp)) throw rejected('issued-in-the-future');
  }
}

/** Issuers with the same key set and algorithms share its keys, so that they are fetched once. */
function createIssuers(configs: readonly IssuerConfig[], deps: TokenVerifierDeps): Issuer[] {
  const get = deps.get ?? createHttpsGet();
  const onFetch = deps.onKeyFetch === undefined ? {} : { onFetch: deps.onKeyFetch };
  const keySets = new Map<string, IssuerKeys>();
  return configs.map(asOidcIssuer).map((config) => {
    const algorithms = config.algorithms ?? ['RS256'];
    const id = `${config.jwksUri} ${algorithms.join()}`;
    const keys =
      keySets.get(id) ?? new IssuerKeys(config.jwksUri, algorithms, { get, now: () => Date.now(), ...onFetch });
    keySets.set(id, keys);
    return {
      name: config.issuer,
      audience:
        typeof config.audience === 'object' && config.audience !== null ? [...config.audience] : config.audience,
      from: config.from,
      algorithms,
      emailClaim: config.emailClaim ?? 'email',
      keys,
    };
  });
}

function decompose(text: string): ReturnType<typeof decomposeUnverifiedJwt> {
  try {
    return decomposeUnverifiedJwt(text);
  } catch {
    throw rejected('malformed');
  }
}

function isAmong(
  accepted: string | readonly string[] | null,
  audience: string | readonly string[] | undefined,
): boolean {
  if (accepted === null) return true;
  if (audience === undefined) return false;
  const named = typeof audience === 'string' ? [audience] : audience;
  return named.some((it) => (typeof accepted === 'string' ? accepted === it : accepted.includes(it)));
}

function callerOf(claims: JwtPayload, issuer: Issuer): Caller {
  const { sub } = claims;
  if (sub === undefined || sub === '' || sub.length > MAX_SUBJECT_LENGTH) throw rejected('no-subject');
  return { method: 'token', subject: sub, issuer: issuer.name, email: emailOf(claims, issuer.emailClaim), claims };
}

/** The email, unless the token says in any way that it is not verified. */
function emailOf(claims: JwtPayload, emailClaim: string): string | undefined {
  const email = Object.hasOwn(claims, emailClaim) ? claims[emailClaim] : undefined;
  if (typeof email !== 'string') return undefined;
  for (const statement of ['email_verified', `${emailClaim}_verified`]) {
    const verified = Object.hasOwn(claims, statement) ? claims[statement] : true;
    // Some issuers write booleans as text.
    if (verified !== true && verified !== 'true') return undefined;
  }
  return email;
}

function reasonOf(error: unknown): RejectionReason {
  if (error instanceof JwtExpiredError) return 'expired';
  if (error instanceof JwtNotBeforeError) return 'not-yet-valid';
  if (error instanceof JwtInvalidAudienceError) return 'audience';
  if (error instanceof JwtInvalidIssuerError) return 'unknown-issuer';
  if (error instanceof JwtInvalidSignatureError) return 'signature';
  return 'malformed';
}
