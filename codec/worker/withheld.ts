/**
 * What stands for a failure that cannot be encrypted when it has to be reported: that there was one
 * and why it is not told, in one of three sentences that hold nothing of it.
 */
import type { Payload as TemporalPayload } from '@temporalio/common';
import { BoundedCache } from '../bounded-cache.ts';
import { CannotEncodeError, CODEC_ERROR_TEXT, CodecError, KeyUnavailableError } from '../errors.ts';
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

/** Tells of refusals without flooding: a Nexus operation that is refused is tried again for hours. */

/** Milliseconds for which the same text is told once. */
const PAUSE = 60_000;
/** Texts remembered. */
const MOST_TEXTS = 100;

/** A function that passes a text on, at most once a minute. */
export function occasionally(tell: (message: string) => void, now: () => number = Date.now): (message: string) => void {
  const told = new BoundedCache<true>(MOST_TEXTS, PAUSE);
  return (message) => {
    const time = now();
    if (told.get(message, time)) return;
    told.set(message, true, time);
    tell(message);
  };
}

/** Node's own channel for what a library has to say to its program. */
export function warnProcess(message: string): void {
  process.emitWarning(message, { type: 'TemporalCodecWarning' });
}

// The codec's errors as a worker reports them. The SDK copies every error but an `ApplicationFailure`
// before it converts it, and writes into those, so that what is thrown to it is an error of its own
// kind and thrown once: errors of a key source are remembered and thrown again.

/** How the SDK tells its classes apart, whichever copy of it made them. */
const SDK_CLASSES = ['TemporalFailure', 'ApplicationFailure'].map((name) => Symbol.for(`__temporal_is${name}`));

/**
 * A copy of an error of the codec, of the same class, that the SDK takes for a retryable
 * `ApplicationFailure`; anything else is returned as it is.
 */
export function reportedError(error: unknown): unknown {
  if (!(error instanceof CodecError)) return error;
  // Made as an Error with the prototype of the class: every class has a constructor of its own.
  const copy = Reflect.construct(Error, [error.message], error.constructor) as Error;
  Object.assign(copy, error, { type: error.name, nonRetryable: false });
  Object.defineProperty(copy, CODEC_ERROR_TEXT, { value: Reflect.get(error, CODEC_ERROR_TEXT) });
  for (const marker of SDK_CLASSES) Object.defineProperty(copy, marker, { value: true });
  return copy;
}
