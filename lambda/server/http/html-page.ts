/**
 * Pages for people: plain HTML without scripts. Whatever is not ours is escaped, and the policy sent along forbids
 * everything but the one style sheet, by its hash.
 */
import { hash } from 'node:crypto';
import type { CodecResponse } from './message.ts';

const STYLE =
  // Colors are the browser's, so that whoever has it dark reads a dark page.
  ':root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}' +
  'h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}dt{font-weight:600}dd{margin:0 0 .5rem}' +
  'code{background:#8883;padding:.1rem .3rem;border-radius:.2rem;overflow-wrap:anywhere}';

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

/** @param body HTML: whatever in it is not ours has to be {@link escaped} */
export function htmlPage(status: number, title: string, body: string, requestId: string): CodecResponse {
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

/** Text as it may stand in an element or a quoted attribute. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
