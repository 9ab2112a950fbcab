/** Whether people can sign in at the server itself, and whether the Web UI's browser may send the session along. */
import { answered } from './exchange.ts';
import { type Finding, failure, ok, skipped, unanswered, warning } from './report.ts';
import type { Target } from './target.ts';

/** How our status page begins; it says nothing of whoever asks without a cookie. */
const STATUS_PAGE = '<title>Codec server</title>';

/** The sign-in of a server, as somebody sees it who has not signed in. */
export async function examineSignIn(target: Pick<Target, 'options' | 'preflight' | 'page'>): Promise<Finding> {
  const { origin, endpoint } = target.options;
  const preflight = await target.preflight('decode', origin);
  const page = await target.page('/');
  if (!answered(preflight)) return unanswered('sign-in', preflight);
  if (!answered(page)) return unanswered('sign-in', page);
  const takesCookies = preflight.headers['access-control-allow-credentials'] === 'true';
  const isOurs = page.status === 200 && page.body.includes(STATUS_PAGE);
  if (!isOurs) {
    return takesCookies
      ? ok('sign-in', `${origin} may send cookies (Access-Control-Allow-Credentials); the sign-in is of another server`)
      : skipped('sign-in', 'no sign-in of its own: callers bring tokens');
  }
  if (!takesCookies)
    return failure(
      'sign-in',
      `people can sign in at ${endpoint.origin}/login, and ${origin} may not send their session`,
      'the preflight has no Access-Control-Allow-Credentials: true',
      'set cors.credentials: true, or let what stands in front of the server leave its headers alone',
    );
  const login = await target.page('/login');
  if (!answered(login)) return unanswered('sign-in', login);
  if (login.status === 503)
    return warning(
      'sign-in',
      'nobody can sign in at the moment; who is signed in goes on',
      'the server cannot reach the identity provider, or a secret that signing in needs',
      'check that the server reaches identity.signIn.issuer, and read its log for the cause',
    );
  const problem = problemOf(login.status, login.headers);
  if (problem !== undefined)
    return failure(
      'sign-in',
      `/login does not lead to an identity provider: ${problem}`,
      'the server does not begin a sign-in by OpenID Connect with PKCE, or a proxy changes its answer',
      'open /login in a browser, and read the server log under the request id of the answer',
    );
  if (isSurelyAnotherSite(new URL(origin), endpoint))
    return warning(
      'sign-in',
      `people sign in at ${endpoint.origin}/login, and few browsers will send their session from ${origin}`,
      `${origin} is another site, so that the cookie is a third-party one`,
      'use "Pass access token" there, or name the Web UI that is on the same site with --origin',
    );
  return ok('sign-in', `people sign in at ${endpoint.origin}/login, and ${origin} may send their session`);
}

/** What is wrong with the answer of `/login`. */
function problemOf(status: number, headers: Readonly<Record<string, string>>): string | undefined {
  if (status !== 303 && status !== 302) return `it gets a ${status}`;
  const to = URL.parse(headers['location'] ?? '');
  if (to?.protocol !== 'https:') return 'it does not redirect to an https address';
  const missing = ['client_id', 'state', 'nonce', 'code_challenge'].filter((name) => !to.searchParams.has(name));
  if (missing.length > 0) return `its redirect lacks ${missing.join(', ')}`;
  const cookie = headers['set-cookie'] ?? '';
  return /; Secure\b/i.test(cookie) && /; HttpOnly\b/i.test(cookie)
    ? undefined
    : 'it sets no cookie that is Secure and HttpOnly';
}

/**
 * Whether two addresses cannot be of one site: their hosts differ in the last two labels, or their schemes
 * differ. Where they agree, only the list of public suffixes could tell, and nothing is claimed.
 */
function isSurelyAnotherSite(a: URL, b: URL): boolean {
  const end = ({ hostname }: URL): string => hostname.split('.').slice(-2).join('.');
  return a.protocol !== b.protocol || end(a) !== end(b);
}
