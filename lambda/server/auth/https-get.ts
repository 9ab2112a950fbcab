/**
 * One GET (or POST) over HTTPS with everything bounded: time, size, and no redirects. For what identity
 * needs from elsewhere, which is rare and small: issuer keys, roles, and the exchange of a sign-in.
 */
import { request } from 'node:https';

/** What came back, whatever the status. */
export interface HttpsResponse {
  readonly status: number;
  /** Seconds of a `Retry-After` that holds a number; undefined without one. */
  readonly retryAfterSeconds: number | undefined;
  /** Empty without one. */
  readonly contentType: string;
  readonly body: string;
}

/** A GET that brought no answer. The message names the host, and never the URL's query, a header or a body. */
export class HttpsGetError extends Error {
  override readonly name = 'HttpsGetError';
}

/** Bounds of a GET. */
export interface HttpsGetOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** A body to POST; undefined for a GET. */
  readonly post?: string | undefined;
  /** Milliseconds for all of it, from the name lookup to the last byte. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/**
 * Gets an `https:` URL.
 *
 * @throws HttpsGetError when it cannot be reached or exceeds a bound
 */
export type HttpsGet = (url: string, options: HttpsGetOptions) => Promise<HttpsResponse>;

/**
 * @param ca certificates in PEM to trust instead of the system's; undefined for the system's, to which
 *   `NODE_EXTRA_CA_CERTS` adds a company's own
 */
export function createHttpsGet(ca?: string): HttpsGet {
  return (url, options) =>
    new Promise((resolve, reject) => {
      const { host } = new URL(url);
      const headers = { accept: 'application/json', ...options.headers };
      const { post } = options;
      const method = post === undefined ? 'GET' : 'POST';
      const outgoing = request(url, { method, agent: false, headers, ...(ca === undefined ? {} : { ca }) });
      const fail = (problem: string): void => {
        clearTimeout(timer);
        outgoing.destroy();
        reject(new HttpsGetError(`${host} ${problem}`));
      };
      const timer = setTimeout(() => fail(`did not answer within ${options.timeoutMs} ms`), options.timeoutMs);
      outgoing.on('error', (error: NodeJS.ErrnoException) => fail(`cannot be reached (${error.code ?? 'error'})`));
      outgoing.on('response', (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on('error', () => fail('broke off its answer'));
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > options.maxBytes) fail(`answered with more than ${options.maxBytes} bytes`);
          else chunks.push(chunk);
        });
        incoming.on('end', () => {
          clearTimeout(timer);
          resolve({
            status: incoming.statusCode ?? 0,
            retryAfterSeconds: secondsOf(incoming.headers['retry-after']),
            contentType: incoming.headers['content-type'] ?? '',
            body: Buffer.concat(chunks).toString('utf8'),
          });
        });
      });
      outgoing.end(post);
    });
}

function secondsOf(retryAfter: string | undefined): number | undefined {
  return retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined;
}
