/**
 * The codec's errors as a worker reports them. The SDK copies every error but an `ApplicationFailure`
 * before it converts it, and writes into those, so that what is thrown to it is an error of its own
 * kind and thrown once: errors of a key source are remembered and thrown again.
 */
import { CodecError } from '../errors.ts';

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
  for (const marker of SDK_CLASSES) Object.defineProperty(copy, marker, { value: true });
  return copy;
}
