import type { Limits } from '../../../config/schema.ts';
import { HttpError } from './message.ts';

/**
 * What a request is about, by the final segment of its path alone: clients put any prefix and any
 * number of slashes before it, and none of them agree about either. The path is taken as it is
 * written. Nothing is decoded or resolved first, so there is one way to write an operation.
 */

/** What can be asked for. */
export type RequestedOperation = 'decode' | 'encode' | 'download' | 'healthz' | 'readyz';

/** Where a request goes. */
export interface Route {
  /** Undefined: nowhere. */
  readonly operation: RequestedOperation | undefined;
  /** The path segment before the operation, as written; undefined when there is none. */
  readonly prefix: string | undefined;
}

const OPERATIONS: ReadonlyMap<string, RequestedOperation> = new Map(
  (['decode', 'encode', 'download', 'healthz', 'readyz'] as const).map((operation) => [operation, operation]),
);

/** @param path without a query */
export function routeOf(path: string): Route {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  const start = path.lastIndexOf('/', end - 1) + 1;
  const operation = OPERATIONS.get(path.slice(start, end));
  if (operation === undefined) return NOWHERE;
  let prefixEnd = start;
  while (prefixEnd > 0 && path[prefixEnd - 1] === '/') prefixEnd--;
  if (prefixEnd === 0) return WITHOUT_PREFIX[operation];
  return { operation, prefix: path.slice(path.lastIndexOf('/', prefixEnd - 1) + 1, prefixEnd) };
}

/** Whether references to external storage are to be returned as they are, instead of what they refer to; in any case of letters, as the Go SDK reads it. */
export function preservesStorageRefs(query: string): boolean {
  if (query === '') return false;
  return new URLSearchParams(query).get('preserveStorageRefs')?.toLowerCase() === 'true';
}

/**
 * Whether a client reads in bulk, as `codec-server decode` does: it takes every payload for data, so it
 * gets originals and never an explanation, nor a refusal of all for the sake of one; and the audit line
 * says so.
 */
export function isBulkRead(query: string): boolean {
  return query !== '' && new URLSearchParams(query).get('bulk') === 'true';
}

const NOWHERE: Route = { operation: undefined, prefix: undefined };

const WITHOUT_PREFIX = Object.fromEntries(
  [...OPERATIONS.values()].map((operation) => [operation, { operation, prefix: undefined }]),
) as Readonly<Record<RequestedOperation, Route>>;

// What a request body is sent as, and how much of it.

const JSON_TYPE = 'application/json';
/** Of parameters only the charset matters; JSON is UTF-8 (RFC 8259 section 8.1). */
const PARAMETER_NAME = /^[\w-]+$/;
const UTF_8 = /^"?utf-?8"?$/i;

/**
 * Makes sure that the body is JSON as it stands. A type is required: without one, a page of another
 * site could send a body that its browser does not ask us about first.
 *
 * @param contentType every value of `Content-Type`
 * @param contentEncoding every value of `Content-Encoding`
 * @throws HttpError (415)
 */
export function requireJson(contentType: readonly string[], contentEncoding: readonly string[]): void {
  const [type] = contentType;
  if (contentType.length !== 1 || (type !== JSON_TYPE && !isJson(type ?? '')))
    throw new HttpError(415, 'Send the body as Content-Type: application/json');
  if (contentEncoding.length > 0 && contentEncoding.some((coding) => coding.toLowerCase() !== 'identity'))
    throw new HttpError(415, 'Send the body without a Content-Encoding');
}

/** Taken apart by hand: a pattern for all of it tries every way to share out the blanks. */
function isJson(type: string): boolean {
  const [essence = '', ...parameters] = type.split(';');
  return essence.trimEnd().toLowerCase() === JSON_TYPE && parameters.every(isHarmless);
}

/** Whether a parameter is one, or empty, and changes nothing. */
function isHarmless(parameter: string): boolean {
  const text = parameter.trim();
  if (text === '') return true;
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0)).trimEnd();
  if (!PARAMETER_NAME.test(name)) return false;
  return name.toLowerCase() !== 'charset' || UTF_8.test(text.slice(equals + 1).trimStart());
}

/** @throws HttpError (413) when a body of `bytes` is larger than allowed */
export function limitBody(bytes: number, { bodyBytes }: Limits): void {
  if (bytes > bodyBytes)
    throw new HttpError(413, `The body is larger than ${bodyBytes} bytes: send fewer payloads at a time`);
}
