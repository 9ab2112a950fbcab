/** The pages of the sign-in. */
import { escaped, htmlPage } from '../http/html-page.ts';
import type { CodecResponse } from '../http/message.ts';
import type { ReadableNamespaces } from './readable-namespaces.ts';

/** Headers of a redirect: as little as possible goes along with it. */
export const REDIRECT_HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Who signed in, for {@link statusPage}. */
export interface SignedIn {
  /** Email or subject. */
  readonly person: string;
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
  readonly idleEndsAt: number;
  readonly namespaces: readonly ReadableNamespaces[];
}

/** What stands where an address, `it`, has to be pasted. */
export interface PageSettings {
  readonly publicUrl: string;
  readonly origins: readonly string[];
}

export function statusPage(signedIn: SignedIn | undefined, settings: PageSettings, requestId: string): CodecResponse {
  return htmlPage(
    200,
    'Codec server',
    (signedIn === undefined ? signedOutPart() : signedInPart(signedIn)) + howToPart(settings),
    requestId,
  );
}

/** A page that says one thing, and where to go from there. */
export function messagePage(
  status: number,
  title: string,
  text: string,
  link: { readonly to: string; readonly text: string },
  requestId: string,
): CodecResponse {
  const more = status < 400 ? '' : `<p>Request <code>${escaped(requestId)}</code></p>`;
  const body = `<p>${escaped(text)}</p><p><a href="${escaped(link.to)}">${escaped(link.text)}</a></p>${more}`;
  return htmlPage(status, title, body, requestId);
}

function signedOutPart(): string {
  return '<p>You are not signed in here.</p><p><a href="/login">Sign in</a></p>';
}

function signedInPart({ person, issuer, endsAt, idleEndsAt, namespaces }: SignedIn): string {
  return [
    '<dl>',
    `<dt>Signed in as</dt><dd>${escaped(person)}</dd>`,
    `<dt>By</dt><dd>${escaped(issuer)}</dd>`,
    `<dt>Until</dt><dd>${time(endsAt)}, or ${time(idleEndsAt)} when nothing is read until then</dd>`,
    `<dt>May read</dt><dd>${namespacesPart(namespaces)}</dd>`,
    '</dl>',
    '<p><a href="/logout">Sign out</a></p>',
  ].join('');
}

function namespacesPart(namespaces: readonly ReadableNamespaces[]): string {
  if (namespaces.length === 0) return 'no namespace: no access rule is about you. Ask whoever runs this codec server.';
  const items = namespaces.map(({ pattern, rule, role }) => {
    const condition = role === undefined ? '' : ` where your Temporal Cloud role is ${role} or higher`;
    return `<li><code>${escaped(pattern)}</code>${condition}, by the rule “${escaped(rule)}”</li>`;
  });
  return `<ul>${items.join('')}</ul>`;
}

function howToPart({ publicUrl, origins }: PageSettings): string {
  return [
    '<h2>Reading payloads in the Web UI</h2>',
    `<p>In the Namespace settings (or under the glasses at the top of the Web UI), set the Codec Server endpoint to <code>${escaped(publicUrl)}</code> `,
    'and switch on “Include cross-origin credentials”. This works from ',
    origins.map((origin) => `<code>${escaped(origin)}</code>`).join(', '),
    '.</p>',
    '<h2>When it does not work</h2>',
    '<p>Browsers that block third-party cookies send this session only when the Web UI is on the same site as this server: ',
    'the same registered domain, and https for both. From another site, the Temporal Cloud UI among them, use “Pass access token” instead, ',
    'or allow third-party cookies for this server.</p>',
  ].join('');
}

function time(milliseconds: number): string {
  const text = new Date(milliseconds).toISOString();
  return `<time datetime="${text}">${text.slice(0, 16).replace('T', ' ')} UTC</time>`;
}
