/**
 * Cross-origin resource sharing for the local server. On AWS the gateway answers preflight and writes
 * these headers itself, from the same settings; there must be one owner of them, so nothing in the
 * pipeline knows about CORS.
 *
 * Follows the Fetch standard, https://fetch.spec.whatwg.org/#http-cors-protocol.
 */
import { PREFLIGHT_MAX_AGE_SECONDS, WEB_UI_HEADERS } from '../../../config/preflight.ts';

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
