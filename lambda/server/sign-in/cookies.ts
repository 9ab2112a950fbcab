/**
 * Our cookies (RFC 6265). The prefix `__Host-` makes browsers hold us to what we want: `Secure`, no
 * `Domain`, `Path=/`. So neither a subdomain nor a page over http can plant one (RFC 6265bis section 4.1.3.2), and it
 * rules out a narrower path, which protects nothing: any page of the host can ask for any path.
 */

/** The session; sent across sites, since the Web UI is another site for some. */
export const SESSION_COOKIE = '__Host-codec-server-session';
/** What a sign-in under way has to come back with; never sent by another site's page but to open one of ours. */
export const SIGN_IN_COOKIE = '__Host-codec-server-sign-in';

/** Longer than all the cookies that a gateway lets through. */
const MAX_HEADER_LENGTH = 16_384;

/**
 * The values of one cookie in the `Cookie` headers of a request. Nothing of the others is kept: the
 * Web UI's own refresh token may be among them.
 */
export function cookieValues(headers: readonly string[], name: string): string[] {
  const start = `${name}=`;
  return headers
    .filter((header) => header.length <= MAX_HEADER_LENGTH && header.includes(start))
    .flatMap((header) => header.split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start))
    .map((pair) => pair.slice(start.length));
}

/** A `Set-Cookie` value. @param maxAgeSeconds 0 removes the cookie */
export function setCookie(name: string, value: string, maxAgeSeconds: number): string {
  const sameSite = name === SESSION_COOKIE ? 'None' : 'Lax';
  return `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=${sameSite}; Max-Age=${maxAgeSeconds}`;
}
