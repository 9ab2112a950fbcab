/** That nobody unknown gets anything: without a token, with a forged one, with an expired one. */

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isLoopbackHostname } from '../../config/addresses.ts';
import { TEMPORAL_CLOUD } from '../../config/issuers.ts';
import { answered, said } from './exchange.ts';
import { type Finding, failure, ok, skipped, unanswered, warning } from './report.ts';
import { plainBody, type Target } from './target.ts';

const IDENTITY_FIX = 'set identity in the configuration: without it every caller is let in';

/** A request without any identity. */
export async function checkAnonymous(target: Target): Promise<Finding> {
  const { endpoint, token } = target.options;
  const answer = await target.post('decode', plainBody(), { authorization: null });
  if (!answered(answer)) return unanswered('anonymous', answer);
  const { status } = answer;
  if (status === 401) return ok('anonymous', 'without a token: 401');
  if (status !== 200)
    return warning(
      'anonymous',
      `a request without a token gets a ${status}`,
      `it is refused, but not with 401, by which the clients recognize a missing token; the server says: ${said(answer.body)}`,
      'answer 401 with WWW-Authenticate',
    );
  target.asksNobody = true;
  if (isLoopbackHostname(endpoint.hostname) && token === undefined)
    return warning(
      'anonymous',
      'nobody is asked for a token',
      'the server runs on this machine without identity',
      'fine for development here; never expose it on another address',
    );
  return failure('anonymous', 'a request without a token gets a 200', 'the server verifies nobody', IDENTITY_FIX);
}

/** A perfect-looking Temporal Cloud token with a signature of our own, and one without any. */
export async function checkForeignToken(target: Target): Promise<Finding> {
  if (target.asksNobody) return skipped('foreign-token', 'nobody is asked for a token');
  for (const token of [forgedToken(3600), unsignedToken()]) {
    const answer = await target.post('decode', plainBody(), { authorization: `Bearer ${token}` });
    if (!answered(answer)) return unanswered('foreign-token', answer);
    if (answer.status === 200)
      return failure(
        'foreign-token',
        'a token that we made up ourselves is accepted',
        'the signature is not verified against the keys of the issuer',
        'verify signature, issuer, audience and expiry of every token; do not put this server on a network until it does',
      );
    if (answer.status >= 500)
      return failure(
        'foreign-token',
        `a foreign token gets a ${answer.status}`,
        `the server cannot verify tokens, for example because it cannot fetch the keys of the issuer; it says: ${said(answer.body)}`,
        'check that the server reaches the JWKS address of its issuers',
      );
    if (answer.status !== 401)
      return warning(
        'foreign-token',
        `a foreign token gets a ${answer.status}`,
        `it is refused with an unusual status; the server says: ${said(answer.body)}`,
        'answer 401',
      );
  }
  return ok('foreign-token', 'a foreign token and an unsigned one: 401');
}

/** An expired token: one the user kept, else one of our own. */
export async function checkExpiredToken(target: Target): Promise<Finding> {
  if (target.asksNobody) return skipped('expired-token', 'nobody is asked for a token');
  const expired = target.options.expiredToken ?? forgedToken(-3600);
  const answer = await target.post('decode', plainBody(), { authorization: `Bearer ${expired}` });
  if (!answered(answer)) return unanswered('expired-token', answer);
  if (answer.status === 200)
    return failure(
      'expired-token',
      'an expired token is accepted',
      'the server does not check exp: whoever found an old token may read',
      'require exp and refuse what is past it',
    );
  return ok('expired-token', `an expired token: ${answer.status}`);
}

/** Whether the token that was given is accepted. */
export async function checkGivenToken(target: Target): Promise<Finding> {
  if (target.options.token === undefined) return skipped('token', 'no --token given');
  const answer = await target.post('decode', plainBody());
  if (!answered(answer)) return unanswered('token', answer);
  target.acceptsToken = answer.status === 200;
  if (target.acceptsToken) return ok('token', 'the given token is accepted');
  if (answer.status === 401)
    return failure(
      'token',
      'the given token is refused (401)',
      'it is expired, of another issuer or audience, or not a token of this server',
      "take a fresh one (the Web UI's is valid for minutes), or make one with: codec-server token NAME",
    );
  return failure(
    'token',
    `the given token gets a ${answer.status}`,
    `the server says: ${said(answer.body)}`,
    answer.status >= 500
      ? 'see the server log under the request id: it names the service, such as the issuer whose keys cannot be fetched'
      : 'see the server log under the request id of the answer',
  );
}

function claims(secondsValid: number): Record<string, unknown> {
  const seconds = Math.floor(Date.now() / 1000);
  return {
    iss: TEMPORAL_CLOUD.issuer,
    aud: [TEMPORAL_CLOUD.audience],
    sub: 'codec-server-doctor',
    [TEMPORAL_CLOUD.emailClaim]: 'codec-server-doctor@example.com',
    iat: seconds - 7200,
    exp: seconds + secondsValid,
  };
}

/** A key of nobody's, made when first needed. */
let forger: KeyObject | undefined;

function forgedToken(secondsValid: number): string {
  forger ??= generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const input = `${part({ alg: 'RS256', typ: 'JWT', kid: 'codec-server-doctor' })}.${part(claims(secondsValid))}`;
  return `${input}.${sign('sha256', Buffer.from(input), forger).toString('base64url')}`;
}

function unsignedToken(): string {
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims(3600))}.`;
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
