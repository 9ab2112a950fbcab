/** What went wrong with a request, as the refusal that its caller gets, and as the cause that the record keeps. */
import {
  CannotEncodeError,
  CannotOpenError,
  CodecError,
  TooManyKeysError,
  UnavailableError,
} from '../../codec/errors.ts';
import type { AuditRecord } from './audit/audit.ts';
import { UnauthenticatedError } from './auth/caller.ts';
import { HttpError } from './http/message.ts';
import { ForbiddenOriginError } from './http/origin.ts';

/** The refusal that an error means, its cause noted in the record, or undefined for a bug. */
export function httpErrorOf(error: unknown, record: AuditRecord): HttpError | undefined {
  record.refusedOrigin = error instanceof ForbiddenOriginError;
  if (error instanceof CodecError || error instanceof HttpError) record.cause = causeOf(error);
  if (error instanceof HttpError) return error;
  if (error instanceof UnauthenticatedError) {
    record.unauthenticated = error.reason;
    return new HttpError(401, error.message, { 'www-authenticate': error.challenge });
  }
  if (error instanceof UnavailableError) {
    record.fault = error.reason === undefined ? error.dependency : `${error.dependency}:${error.reason}`;
    return unavailable(error.retryAfterSeconds);
  }
  if (error instanceof TooManyKeysError)
    return new HttpError(413, 'These payloads need too many different data keys: send fewer payloads at a time');
  if (error instanceof CannotEncodeError || error instanceof CannotOpenError) {
    record.count(error.reason ?? 'no-key-to-write');
    if (error.reason === 'custom-codec') return new HttpError(403, 'A codec of the configuration cannot encode this');
    if (error.reason === 'object-missing' || error.reason === 'object-access-denied')
      return new HttpError(403, 'External storage does not take payloads of this namespace');
    return new HttpError(403, 'There is no usable key to encode for this namespace');
  }
  return undefined;
}

/** In words for whoever runs the server; the caller learns less. */
function causeOf(error: CodecError | HttpError): string {
  if (!(error instanceof ForbiddenOriginError)) return error.message;
  return `the origin ${JSON.stringify(error.origin)} is not in cors.origins: add it there, or start with --origin`;
}

function unavailable(retryAfterSeconds: number): HttpError {
  const message = 'A service that this codec server depends on does not answer now: try again in a moment';
  return new HttpError(503, message, { 'retry-after': String(Math.max(1, Math.ceil(retryAfterSeconds))) });
}
