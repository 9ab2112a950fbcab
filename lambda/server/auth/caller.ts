/**
 * Who is calling, once proven. The rest of the server knows callers only in this form: nothing but
 * an {@link Authenticator} makes one, and nothing behind it sees a token.
 */
import type { RejectionReason } from './rejection.ts';

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
   * Answers at once, without a promise, when it can (a remembered token).
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

/** An identity or a right cannot be verified now: a 503. */
export class IdentityUnavailableError extends Error {
  override readonly name = 'IdentityUnavailableError';
  /** For the audit line and metrics: `jwks`, `secrets`, `cloud-ops`, `provider`. */
  readonly dependency: IdentityDependency;
  readonly retryAfterSeconds: number;

  constructor(dependency: IdentityDependency, message: string, retryAfterSeconds = 1, options?: ErrorOptions) {
    super(message, options);
    this.dependency = dependency;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
