/** A request as it may be written down: what differs from run to run, or is secret, is replaced by what it is. */
import type { IncomingHttpHeaders } from 'node:http';

/** Headers that matter to a codec server. */
const HEADERS = [
  'content-type',
  'x-namespace',
  'authorization',
  'authorization-extras',
  'origin',
  'cookie',
  'access-control-request-headers',
];

/** The headers that matter, values replaced where they are secret or differ. */
export function headersShown(headers: IncomingHttpHeaders, namespace: string): Record<string, string> {
  const seen = HEADERS.filter((name) => headers[name] !== undefined);
  return Object.fromEntries(seen.map((name) => [name, headerShownAs(name, String(headers[name]), namespace)]));
}

/** Path and query, the namespace replaced. */
export function urlShown(url: string, namespace: string): string {
  return url.replaceAll(namespace, '<namespace>');
}

/** Bytes of all headers as they travel. */
export function headerBytes(headers: IncomingHttpHeaders): number {
  return Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + String(value).length + 4, 0);
}

/** A header's value, replaced by what it is where it is secret or differs. */
export function headerShownAs(name: string, value: string, namespace: string): string {
  switch (name) {
    case 'authorization':
    case 'authorization-extras':
      return value.replace(/[\w-]+\.[\w-]+\.[\w-]+$/, '<JWT>').replace(/^(Bearer )?[^<]{20,}$/, '$1<token>');
    case 'x-namespace':
      return value === namespace ? '<namespace>' : value;
    case 'origin':
      return value.replace(/:\d+$/, ':<port>');
    case 'cookie':
      return '<cookies>';
    default:
      return value;
  }
}
