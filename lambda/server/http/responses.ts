/**
 * Every answer there is. All of them forbid caching and type guessing, and name the request. An error
 * is a sentence in plain text: the CLI prints it as it is, and the Web UI never reads it.
 */
import type { Payload } from '../../../codec/payload.ts';
import type { HttpError } from './http-error.ts';
import type { CodecResponse } from './message.ts';
import { writePayloads } from './payload-json-writer.ts';

const NOT_STORED = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** 200 with payloads. Its body is ASCII. */
export function payloadsResponse(payloads: readonly Payload[], requestId: string): CodecResponse {
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
    },
    body: writePayloads(payloads),
  };
}

/** A line of plain text. */
export function textResponse(
  status: number,
  text: string,
  requestId: string,
  headers?: Readonly<Record<string, string>>,
): CodecResponse {
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      ...NOT_STORED,
      'x-request-id': requestId,
      ...headers,
    },
    body: `${text}\n`,
  };
}

/** An error on purpose, with the request id where whoever reads it can pass it on. */
export function httpErrorResponse({ status, message, headers }: HttpError, requestId: string): CodecResponse {
  return textResponse(status, `${message} (request ${requestId})`, requestId, headers);
}

/** A bug: says nothing but where to look. */
export function bugResponse(requestId: string): CodecResponse {
  return textResponse(500, `Internal error (request ${requestId})`, requestId);
}
