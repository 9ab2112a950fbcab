/**
 * What a front's events and results have to do with requests and responses. One adapter for each kind of front.
 */
import type { Context } from 'aws-lambda';
import { asBuffer } from '../codec/payload.ts';
import type { CorsConfig } from '../config/schema.ts';
import type { CodecRequest, CodecResponse } from './server/http/message.ts';

/** Between a front and the pipeline. */
export interface EventAdapter<Event, Result> {
  /** The front whose events these are, in words. */
  readonly front: string;
  recognizes(event: unknown): event is Event;
  /** The id by which the request is found in the logs; nothing that a caller can choose. */
  requestIdOf(event: Event, context: Context): string;
  /** @param deadline point in time, in milliseconds of `Date.now()`, by which the answer must be out */
  requestOf(event: Event, requestId: string, deadline: number): CodecRequest;
  /** An answer that needs no pipeline, such as the one to a preflight; undefined where there is none. */
  answerOf?(event: Event): Result | undefined;
  /** @param event undefined where nobody knows it any more */
  resultOf(response: CodecResponse, event: Event | undefined): Result;
}

/** The body as every kind of event carries it. */
interface CarriedBody {
  readonly body?: string | null | undefined;
  readonly isBase64Encoded?: boolean | undefined;
}

/** A request out of an event; each kind of front has its headers in a form of its own. */
export abstract class EventRequest implements CodecRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly deadline: number;
  readonly requestId: string;
  readonly sourceAddress: string | undefined;
  answeredInstead: ((status: number) => void) | undefined;
  readonly #carried: CarriedBody;
  #body: Buffer | undefined;

  /** @param carried the event itself, whose body is converted when it is asked for */
  constructor(carried: CarriedBody, parts: Omit<CodecRequest, 'body' | 'header' | 'answeredInstead'>) {
    this.#carried = carried;
    this.method = parts.method;
    this.path = parts.path;
    this.query = parts.query;
    this.deadline = parts.deadline;
    this.requestId = parts.requestId;
    this.sourceAddress = parts.sourceAddress;
  }

  get body(): Buffer {
    const { body, isBase64Encoded } = this.#carried;
    this.#body ??= Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
    return this.#body;
  }

  abstract header(name: string): readonly string[];
}

/** Makes the adapter of an environment. */
// biome-ignore lint/suspicious/noExplicitAny: what Lambda hands over is the adapter's business alone
export type OpenEvents = (cors: CorsConfig) => EventAdapter<any, unknown>;

/** Bytes of JSON that Lambda returns for an invocation: 6 MiB. Above it the gateway would answer 502 in our place. */
const MOST_RESPONSE_BYTES = 6 * 1024 * 1024;

/** Bytes left for what surrounds the body in the result: status, headers, punctuation. */
const RESULT_OVERHEAD_BYTES = 4096;

/**
 * Characters that fit without a closer look: one takes two bytes when it has to be escaped and three
 * when it is not ASCII, and JSON has no control characters, which would take six.
 */
const SURELY_FITS_CHARACTERS = Math.floor((MOST_RESPONSE_BYTES - RESULT_OVERHEAD_BYTES) / 3);

/** The body as text; or the response in its place when Lambda could not carry it. */
export function withinLambda(response: CodecResponse): CodecResponse & { readonly body: string } {
  const body = typeof response.body === 'string' ? response.body : asBuffer(response.body).toString('utf8');
  return fits(body) ? { ...response, body } : tooLarge(response);
}

/** Whether Lambda can carry a body. The pipeline asks first, so that its audit line has the status that is sent. */
export function fitsInLambda(body: string | Uint8Array): boolean {
  return fits(typeof body === 'string' ? body : asBuffer(body).toString('utf8'));
}

/** Whether a body, escaped in the JSON of a result, stays within Lambda's limit. */
function fits(body: string): boolean {
  if (body.length <= SURELY_FITS_CHARACTERS) return true;
  return Buffer.byteLength(JSON.stringify(body)) <= MOST_RESPONSE_BYTES - RESULT_OVERHEAD_BYTES;
}

function tooLarge({ headers }: CodecResponse): CodecResponse & { readonly body: string } {
  const body =
    'The decoded payloads are larger than the 6 MB that AWS Lambda can answer with: ask for fewer payloads at a time.';
  return { status: 413, headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' }, body };
}

/**
 * Headers whose values hold no comma, so that a comma proves that a header was sent twice: a gateway
 * joins duplicates, and a second token must not hide behind the first.
 */
const WITHOUT_COMMA = new Set([
  'authorization',
  'authorization-extras',
  'content-length',
  'host',
  'origin',
  'x-namespace',
]);

/** The values that a gateway may have joined to one. */
export function separated(name: string, value: string): readonly string[] {
  return WITHOUT_COMMA.has(name) && value.includes(',') ? value.split(',').map((part) => part.trim()) : [value];
}

/**
 * A path, percent-encoded again. A gateway may hand it over decoded; what cannot stand in an encoded path
 * is encoded, and what can, such as `%2F`, stays, so that an encoded path comes out as it went in.
 */
export function encodedPath(path: string): string {
  if (/^[\w\-.~!$&'()*+,;=:@/]*$/.test(path)) return path;
  return path.replace(/%(?![0-9a-f]{2})|[^\w\-.~!$&'()*+,;=:@/%]/giu, (character) =>
    character === '%' ? '%25' : percentEncoded(character),
  );
}

/** UTF-8, percent-encoded; a lone surrogate, which has no UTF-8, as the replacement character. */
function percentEncoded(character: string): string {
  return [...Buffer.from(character, 'utf8')]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}
