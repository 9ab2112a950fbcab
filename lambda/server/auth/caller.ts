/**
 * Who is calling, once proven. The rest of the server knows callers only in this form: nothing but
 * an {@link Authenticator} makes one, and nothing behind it sees a token.
 */
import { KeyUnavailableError, UnavailableError } from '../../../codec/errors.ts';

// Every way in which an identity is rejected. The word goes to the audit line; the caller is told
// what is missing or that a token is over, and otherwise one thing for all.

/**
 * - `missing`: no header carries an identity
 * - `duplicate-header`: a header comes more than once, so nobody can say which one counts
 * - `too-large`, `malformed`: no token at all
 * - `algorithm`, `critical-header`, `type`, `no-key-id`: a token that is not verified at all
 * - `unknown-issuer`, `audience`: a token for somebody else
 * - `unknown-key`: signed by a key that its issuer does not publish
 * - `signature`: not signed by the key it names
 * - `expired`, `not-yet-valid`, `issued-in-the-future`, `no-expiry`, `implausible-expiry`: not valid at this time
 * - `no-subject`: signed, but for nobody
 * - `unknown-service-token`, `service-token-expired`: no service token, or no more
 * - `session`: a sign-in session that is not valid, or no more
 * - `sign-in-state`: back from the provider without having started here
 * - `sign-in-refused`: the provider said no
 */
export type RejectionReason =
  | 'missing'
  | 'duplicate-header'
  | 'too-large'
  | 'malformed'
  | 'algorithm'
  | 'critical-header'
  | 'type'
  | 'no-key-id'
  | 'unknown-issuer'
  | 'audience'
  | 'unknown-key'
  | 'signature'
  | 'expired'
  | 'not-yet-valid'
  | 'issued-in-the-future'
  | 'no-expiry'
  | 'implausible-expiry'
  | 'no-subject'
  | 'unknown-service-token'
  | 'service-token-expired'
  | 'session'
  | 'sign-in-state'
  | 'sign-in-refused';

const REALM = 'Bearer realm="codec-server"';

/** What a caller is told apart from the one thing for all. Nothing here depends on an unverified signature. */
const TOLD: Partial<Record<RejectionReason, string>> = {
  'duplicate-header': 'a header with an identity was sent more than once',
  'too-large': 'the token is too large',
  expired: 'the token has expired: sign in again, or reload the page',
  'service-token-expired': 'the service token has expired',
};

/**
 * The error for a rejected identity, with the challenge of RFC 6750 section 3.
 *
 * @param signInAddress where people can sign in; undefined where an environment has no sign-in
 */
export function rejected(reason: RejectionReason, signInAddress?: string): UnauthenticatedError {
  if (reason === 'session') {
    const message = `the sign-in session has ended or is not one of this server's: sign in at ${signInAddress ?? 'its address'}`;
    return new UnauthenticatedError(reason, message, REALM);
  }
  if (reason === 'missing' && signInAddress !== undefined) {
    const message = `no identity: sign in at ${signInAddress} and switch on "Include cross-origin credentials", or send a token in the Authorization header`;
    return new UnauthenticatedError(reason, message, REALM);
  }
  if (reason === 'missing') {
    const message =
      'no identity: send a token in the Authorization header ("Pass access token" in the Web UI, --codec-auth in the CLI)';
    return new UnauthenticatedError(reason, message, REALM);
  }
  const told = TOLD[reason] ?? 'the token is not valid for this server';
  return new UnauthenticatedError(reason, told, `${REALM}, error="invalid_token", error_description="${told}"`);
}

/** A proven caller. */
export interface Caller {
  /**
   * - `token`: a verified JWT of a configured issuer
   * - `service-token`: a named token of the team's own
   * - `session`: a person who signed in here
   * - `loopback`: nobody was asked, on a loopback address
   */
  readonly method: 'token' | 'service-token' | 'session' | 'loopback';
  /** The token's `sub`, the service token's name, or `loopback`. */
  readonly subject: string;
  readonly issuer: string | undefined;
  /** Only when the token does not say that it is unverified. As the token spells it. */
  readonly email: string | undefined;
  /** The verified token's claims; empty for service tokens and on loopback. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The headers that may carry an identity; every value as received, duplicates as separate elements. */
export interface Credentials {
  readonly authorization: readonly string[];
  readonly authorizationExtras: readonly string[];
  readonly cookie: readonly string[];
}

/** Proves who is calling. */
export interface Authenticator {
  /**
   * Answers at once, without a promise, when it can (a remembered token): a server that turns a flood away has to know
   * who is known within the turn of the event loop in which they come.
   *
   * @throws UnauthenticatedError when there is no valid identity
   * @throws IdentityUnavailableError when it cannot be verified now (issuer keys or tokens out of reach)
   */
  authenticate(credentials: Credentials): Caller | Promise<Caller>;
}

/** No valid identity: a 401. The message says what is missing, never why a signature failed. */
export class UnauthenticatedError extends Error {
  override readonly name = 'UnauthenticatedError';
  /** For the audit line. */
  readonly reason: RejectionReason;
  /** The value of `WWW-Authenticate`. */
  readonly challenge: string;

  constructor(reason: RejectionReason, message: string, challenge = 'Bearer') {
    super(message);
    this.reason = reason;
    this.challenge = challenge;
  }
}

/** What an identity may wait for: keys of issuers, secrets, roles, the provider that people sign in at. */
export type IdentityDependency = 'jwks' | 'secrets' | 'cloud-ops' | 'provider';

/** An identity or a right cannot be verified now. */
export class IdentityUnavailableError extends UnavailableError {
  override readonly name = 'IdentityUnavailableError';
  readonly dependency: IdentityDependency;
  readonly reason = undefined;

  constructor(dependency: IdentityDependency, message: string, retryAfterSeconds = 1, options?: ErrorOptions) {
    super(message, retryAfterSeconds, options);
    this.dependency = dependency;
  }
}

/**
 * What `ask` gives, at once where it can; a secret that cannot be read now is an identity that cannot be verified now.
 *
 * @param secret the secret in words, as the subject of a sentence
 * @throws IdentityUnavailableError (or rejects with it)
 */
export function whenReadable<T>(secret: string, ask: () => T | Promise<T>): T | Promise<T> {
  const failed = (error: unknown): never => secretUnavailable(secret, error);
  try {
    const value = ask();
    return value instanceof Promise ? value.catch(failed) : value;
  } catch (error) {
    return failed(error);
  }
}

/** Throws an {@link IdentityUnavailableError} for a secret that cannot be read now, and any other error as it is. */
export function secretUnavailable(secret: string, cause: unknown): never {
  if (!(cause instanceof KeyUnavailableError)) throw cause;
  const message = `${secret} cannot be read at the moment`;
  throw new IdentityUnavailableError('secrets', message, cause.retryAfterSeconds, { cause });
}
