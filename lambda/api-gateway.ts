/**
 * Between API Gateway's HTTP API (payload format version 2.0) and the pipeline. The gateway owns
 * CORS: it answers preflight itself and drops the CORS headers of what comes back.
 */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { asBuffer } from '../codec/payload.ts';
import type { CodecRequest, CodecResponse } from './server/http/message.ts';

/** Bytes of JSON that Lambda returns for an invocation: 6 MiB. Above it the gateway would answer 502 in our place. */
export const MOST_RESPONSE_BYTES = 6 * 1024 * 1024;

/** Bytes left for what surrounds the body in the result: status, headers, punctuation. */
const RESULT_OVERHEAD_BYTES = 4096;

/**
 * Characters that fit without a closer look: one takes two bytes when it has to be escaped and three
 * when it is not ASCII, and JSON has no control characters, which would take six.
 */
const SURELY_FITS_CHARACTERS = Math.floor((MOST_RESPONSE_BYTES - RESULT_OVERHEAD_BYTES) / 3);

/**
 * Headers whose values hold no comma, so that a comma proves that a header was sent twice: the
 * gateway joins duplicates, and a second token must not hide behind the first.
 */
const WITHOUT_COMMA = new Set([
  'authorization',
  'authorization-extras',
  'content-length',
  'host',
  'origin',
  'x-namespace',
]);

/** The gateway answers by the origin, and does not say so itself. */
const VARY = { vary: 'origin' };

const NO_VALUES: readonly string[] = [];

/** A request out of an event. */
export class ApiGatewayRequest implements CodecRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly deadline: number;
  readonly requestId: string;
  readonly #event: APIGatewayProxyEventV2;
  #body: Buffer | undefined;

  /** @param deadline point in time, in milliseconds of `Date.now()`, by which the answer must be out */
  constructor(event: APIGatewayProxyEventV2, deadline: number) {
    this.#event = event;
    this.method = event.requestContext.http.method;
    this.path = encodedPath(event.rawPath);
    this.query = event.rawQueryString;
    this.requestId = event.requestContext.requestId;
    this.deadline = deadline;
  }

  get body(): Buffer {
    const { body, isBase64Encoded } = this.#event;
    this.#body ??= Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
    return this.#body;
  }

  header(name: string): readonly string[] {
    if (name === 'cookie') return cookieHeader(this.#event);
    const value = this.#event.headers[name];
    if (typeof value !== 'string') return NO_VALUES;
    if (WITHOUT_COMMA.has(name) && value.includes(',')) return value.split(',').map((part) => part.trim());
    return [value];
  }
}

/** The gateway takes the Cookie header apart; together again they are one header. */
function cookieHeader({ cookies }: APIGatewayProxyEventV2): readonly string[] {
  return cookies === undefined || cookies.length === 0 ? NO_VALUES : [cookies.join('; ')];
}

/**
 * The path, percent-encoded again. An HTTP API hands the path over decoded; what cannot stand in an
 * encoded path is encoded, and what can, such as `%2F`, stays, so that an encoded path comes out as it went in.
 */
function encodedPath(rawPath: string): string {
  if (/^[\w\-.~!$&'()*+,;=:@/]*$/.test(rawPath)) return rawPath;
  return rawPath.replace(/%(?![0-9a-f]{2})|[^\w\-.~!$&'()*+,;=:@/%]/giu, (character) =>
    character === '%' ? '%25' : percentEncoded(character),
  );
}

/** UTF-8, percent-encoded; a lone surrogate, which has no UTF-8, as the replacement character. */
function percentEncoded(character: string): string {
  return [...Buffer.from(character, 'utf8')]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}

/** The result of a response; a 413 of our own when the gateway could not carry it. */
export function apiGatewayResult(response: CodecResponse): APIGatewayProxyStructuredResultV2 {
  const body = typeof response.body === 'string' ? response.body : asBuffer(response.body).toString('utf8');
  if (!fits(body)) return tooLarge(response);
  const { cookies } = response;
  return {
    statusCode: response.status,
    headers: { ...response.headers, ...VARY },
    body,
    ...(cookies === undefined ? {} : { cookies: [...cookies] }),
  };
}

/** Whether a body, escaped in the JSON of a result, stays within Lambda's limit. */
function fits(body: string): boolean {
  if (body.length <= SURELY_FITS_CHARACTERS) return true;
  return Buffer.byteLength(JSON.stringify(body)) <= MOST_RESPONSE_BYTES - RESULT_OVERHEAD_BYTES;
}

function tooLarge({ headers }: CodecResponse): APIGatewayProxyStructuredResultV2 {
  const message =
    'The decoded payloads are larger than the 6 MB that AWS Lambda can answer with: ask for fewer payloads at a time.';
  return {
    statusCode: 413,
    headers: { ...headers, ...VARY, 'content-type': 'text/plain; charset=utf-8' },
    body: message,
  };
}
