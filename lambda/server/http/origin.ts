/**
 * Which web pages may call. A page of any other origin is refused outright: leaving the CORS headers
 * away would hide the answer from the page and still do the work.
 */

import { isLoopbackHostname } from '../../../config/addresses.ts';
import { PREFLIGHT_MAX_AGE_SECONDS, WEB_UI_HEADERS } from '../../../config/preflight.ts';
import { HttpError } from './message.ts';

/** A page of an origin that is not allowed: told apart from other refusals because a forgotten origin looks like it. */
export class ForbiddenOriginError extends HttpError {
  /** The value of the header. */
  readonly origin: string;

  constructor(origin: string) {
    super(403, 'This origin may not use the codec server: add it to cors.origins in the configuration');
    this.origin = origin;
  }
}

/**
 * The origin of the page that calls; undefined when no browser page does.
 *
 * @param values every value of the `Origin` header
 * @throws ForbiddenOriginError (403) when the origin is not allowed
 */
export function allowedOrigin(values: readonly string[], allowed: ReadonlySet<string>): string | undefined {
  const [origin] = values;
  if (origin === undefined) return undefined;
  if (values.length === 1 && allowed.has(origin)) return origin;
  throw new ForbiddenOriginError(values.join(', '));
}

// The `Host` check of a server on a loopback address. A page on the network can point its own name
// at 127.0.0.1 (DNS rebinding) and then reaches this server from the same origin, past CORS; but it
// cannot hide its name.

/** Whether a `Host` header names this machine. */
export function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && isLoopbackHostname(host.replace(/:\d{1,5}$/, ''));
}

/** Whether a host or address to listen on is reachable from this machine alone. */
export function isLoopbackAddress(host: string): boolean {
  return isLoopbackHostname(host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);
}

// Cross-origin resource sharing for the local server. On AWS the gateway answers preflight and writes
// these headers itself, from the same settings; there must be one owner of them, so nothing in the
// pipeline knows about CORS.
//
// Follows the Fetch standard, https://fetch.spec.whatwg.org/#http-cors-protocol.

/** The settings that CORS is made of. */
export interface CorsSettings {
  /** Exact origins. */
  readonly origins: readonly string[];
  /** Whether browsers may send cookies. */
  readonly credentials: boolean;
}

/** Names and values in turn, as `response.writeHead` takes them. */
export type RawHeaders = readonly string[];

/** Compiled CORS settings. */
export interface Cors {
  /** Headers of every answer to a request with this `Origin` (or none). Always has `Vary: Origin`. */
  headersFor(origin: string | undefined): RawHeaders;
  /** Headers of the answer to a preflight, or undefined when the origin is not allowed. */
  preflightHeaders(origin: string | undefined): RawHeaders | undefined;
}

/** Compiles the settings, once. */
export function createCors({ origins, credentials }: CorsSettings): Cors {
  const vary: RawHeaders = ['vary', 'Origin'];
  const answers = new Map<string, RawHeaders>();
  const preflights = new Map<string, RawHeaders>();
  for (const origin of origins) {
    const headers = ['access-control-allow-origin', origin, ...vary];
    if (credentials) headers.push('access-control-allow-credentials', 'true');
    answers.set(origin, headers);
    preflights.set(origin, [
      ...headers,
      ...['access-control-allow-methods', 'POST'],
      ...['access-control-allow-headers', WEB_UI_HEADERS.join(', ')],
      ...['access-control-max-age', String(PREFLIGHT_MAX_AGE_SECONDS)],
      // a page on the network asking for a server on this machine, in browsers that ask so
      ...['access-control-allow-private-network', 'true'],
    ]);
  }
  return {
    headersFor: (origin) => (origin === undefined ? vary : (answers.get(origin) ?? vary)),
    preflightHeaders: (origin) => (origin === undefined ? undefined : preflights.get(origin)),
  };
}
