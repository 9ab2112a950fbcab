/**
 * The pages for people: plain HTML without scripts. Whatever is not ours is escaped, and the policy
 * sent along forbids everything but the one style sheet, by its hash.
 */
import { hash } from 'node:crypto';
import type { CodecResponse } from '../http/message.ts';
import type { ReadableNamespaces } from './readable-namespaces.ts';

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1b1b1f}' +
  'h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}dt{font-weight:600}dd{margin:0 0 .5rem}' +
  'code{background:#f0f0f3;padding:.1rem .3rem;border-radius:.2rem;overflow-wrap:anywhere}';

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

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
  return page(
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
  return page(status, title, body, requestId);
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

function page(status: number, title: string, body: string, requestId: string): CodecResponse {
  return {
    status,
    headers: { ...HEADERS, 'x-request-id': requestId },
    body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${STYLE}</style></head><body><h1>${escaped(title)}</h1>${body}</body></html>\n`,
  };
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
