/**
 * Every way in which an identity is rejected. The word goes to the audit line; the caller is told
 * what is missing or that a token is over, and otherwise one thing for all.
 */
import { UnauthenticatedError } from './caller.ts';

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
    const message = `the sign-in session is over or is none of this server's: sign in at ${signInAddress ?? 'its address'}`;
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
