/** The limits on a request, with what holds where the configuration says nothing. */
import type { Limits } from '../../../config/schema.ts';
import { HttpError } from './http-error.ts';

const MIB = 1_048_576;

/** On Lambda: its event is 6 MiB, with the body escaped inside. */
export const LAMBDA_LIMITS: Limits = { bodyBytes: 4_000_000, payloads: 1_000, layers: 8, inflatedBytes: 32 * MIB };

/** On one's own machine. */
export const LOCAL_LIMITS: Limits = { bodyBytes: 16_000_000, payloads: 10_000, layers: 8, inflatedBytes: 32 * MIB };

/** @throws HttpError (413) when a body of `bytes` is larger than allowed */
export function limitBody(bytes: number, { bodyBytes }: Limits): void {
  if (bytes > bodyBytes)
    throw new HttpError(413, `The body is larger than ${bodyBytes} bytes: send fewer payloads at a time`);
}
