/**
 * What stands for a failure that cannot be encrypted when it has to be reported: that there was one
 * and why it is not told, in one of three sentences that hold nothing of it.
 */
import type { Payload as TemporalPayload } from '@temporalio/common';
import { CannotEncodeError, KeyUnavailableError } from '../errors.ts';
import { asBuffer, ENCODING } from '../payload.ts';
import { failurePartOf } from './failure-parts.ts';

const UNAVAILABLE = 'Withheld: the key service did not answer, so this failure could not be encrypted.';
const REFUSED = 'Withheld: the key service refuses the writing key, so this failure could not be encrypted.';
const OTHER = 'Withheld: this failure could not be encrypted.';

const JSON_PLAIN = Buffer.from('json/plain');

/** The payloads of a failure, without what they said: of its details nothing is left. */
export function withheld(payloads: readonly TemporalPayload[], error: unknown): TemporalPayload[] {
  const data = attributesOf(sentenceFor(error));
  return payloads
    .filter((payload) => failurePartOf(payload) === 'attributes')
    .map(() => ({ metadata: { [ENCODING]: JSON_PLAIN }, data }));
}

/** Whether these payloads are of a failure that is being reported. */
export function areOfFailure(payloads: readonly TemporalPayload[]): boolean {
  return payloads.length > 0 && payloads.every((payload) => failurePartOf(payload) !== undefined);
}

/** Whether a payload is, byte for byte, one of those that {@link withheld} makes. */
export function isWithheld({ metadata, data }: TemporalPayload): boolean {
  const encoding = metadata?.[ENCODING];
  if (!encoding || !data || !JSON_PLAIN.equals(encoding)) return false;
  return [UNAVAILABLE, REFUSED, OTHER].some((sentence) => attributesOf(sentence).equals(asBuffer(data)));
}

function sentenceFor(error: unknown): string {
  if (error instanceof KeyUnavailableError) return UNAVAILABLE;
  return error instanceof CannotEncodeError ? REFUSED : OTHER;
}

function attributesOf(message: string): Buffer {
  return Buffer.from(JSON.stringify({ message, stack_trace: '' }));
}
