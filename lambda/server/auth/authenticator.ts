/**
 * Who is calling, from the headers of a request. Which header counts is decided here, and only here:
 *
 * 1. A header that comes more than once is refused: two readers might take two different ones.
 * 2. `Authorization` holds a service token, or a JWT of an issuer that is configured for this header,
 *    with or without `Bearer `. Then it alone decides: a bad one is not made good by anything else.
 * 3. Otherwise `Authorization-Extras` decides where an issuer is configured for it: the Web UI sends
 *    its ID token there, beside an access token that may be opaque.
 * 4. Without either header, a sign-in session decides where the environment has one. An environment
 *    may put it first; then a token is looked at when there is no session cookie at all.
 *
 * A token anywhere else (query, body, cookie) is never looked at.
 */
import {
  type Authenticator,
  type Caller,
  type Credentials,
  type RejectionReason,
  rejected,
  UnauthenticatedError,
} from './caller.ts';
import { isServiceToken, type ServiceTokens } from './service-tokens.ts';
import type { TokenVerifier } from './tokens.ts';

/** The ways in which an environment lets callers prove who they are. */
export interface AuthenticatorParts {
  readonly tokens: TokenVerifier;
  /** Undefined where the environment has none. */
  readonly serviceTokens?: ServiceTokens | undefined;
  /**
   * Proves a sign-in session from the values of the `Cookie` headers; undefined when they hold none.
   *
   * @throws UnauthenticatedError when they hold one that is not valid
   */
  readonly sessions?: ((cookies: readonly string[]) => Caller | Promise<Caller> | undefined) | undefined;
  /** What decides when a request has both a token and a session. Default: the token. */
  readonly whenBoth?: 'token' | 'session' | undefined;
  /** Where people sign in, for whoever comes without an identity. */
  readonly signInAddress?: string | undefined;
}

/** RFC 6750 section 2.1; the scheme is case-insensitive by RFC 9110 section 11.1. The CLI may leave it out. */
const BEARER = /^bearer +/i;

/** Rejections that say no more than "this is not for us": what an opaque access token gets. */
const NOT_OURS: ReadonlySet<string> = new Set<RejectionReason>(['malformed', 'unknown-issuer']);

/** Composes the ways in which callers prove who they are. */
export function createAuthenticator(parts: AuthenticatorParts): Authenticator {
  const { tokens, serviceTokens, sessions, signInAddress } = parts;
  const sessionFirst = parts.whenBoth === 'session';
  const readsExtras = tokens.readsFrom('authorization-extras');

  return {
    authenticate({ authorization, authorizationExtras, cookie }: Credentials) {
      if (authorization.length > 1 || authorizationExtras.length > 1) throw rejected('duplicate-header');
      if (sessionFirst && cookie.length > 0) {
        const session = sessions?.(cookie);
        if (session !== undefined) return session;
      }
      const token = authorization[0]?.replace(BEARER, '');
      const extras = readsExtras ? authorizationExtras[0] : undefined;
      if (token !== undefined) {
        try {
          if (serviceTokens !== undefined && isServiceToken(token)) return serviceTokens.verify(token);
          return tokens.verify(token, 'authorization');
        } catch (error) {
          const isOurs = !(error instanceof UnauthenticatedError) || !NOT_OURS.has(error.reason);
          if (isOurs || extras === undefined) throw error;
        }
      }
      if (extras !== undefined) return tokens.verify(extras, 'authorization-extras');
      const session = cookie.length === 0 ? undefined : sessions?.(cookie);
      if (session !== undefined) return session;
      throw rejected('missing', signInAddress);
    },
  };
}

// Identity on a loopback address, where nobody is asked: whoever reaches the server is on this machine.

/** The one caller there is; rules name it `anyone-on-loopback`. */
const LOOPBACK_CALLER: Caller = Object.freeze({
  method: 'loopback',
  subject: 'loopback',
  issuer: undefined,
  email: undefined,
  claims: Object.freeze({}),
});

/** Only for a server that listens on loopback addresses and nowhere else. */
export const loopbackAuthenticator: Authenticator = { authenticate: () => LOOPBACK_CALLER };
