/**
 * What the failure converter and the codec know of each other, though the SDK hands the codec bare
 * payloads: which of them belong to a failure that a worker is about to report. The SDK ends the
 * worker when reporting a failure fails, so these must never be refused.
 *
 * The marks live in the process alone: they are symbols of the registry, since converter and codec
 * may come from different copies of this package, and nothing serializes them.
 */

/** Where a failure with this `source` comes from: the codec itself, whose text is readable and holds no secret. */
export const CODEC_FAILURE_SOURCE = 'temporal-codec-server';

/** `attributes`: message and stack trace of a failure; `details`: what it carries besides. */
export type FailurePart = 'attributes' | 'details';

/** Found in every workflow bundle that holds the failure converter, minified or not. */
export const FAILURE_PART_NAME = 'temporal-codec-server/failure-part';

/** A property of the global object of a workflow that is replayed: set there by nobody but the plugin's replay. */
export const REPLAY_NAME = 'temporal-codec-server/replay';

const FAILURE_PART = Symbol.for(FAILURE_PART_NAME);

interface Marked {
  readonly [FAILURE_PART]?: FailurePart;
}

/** Says that a payload is part of a failure. */
export function markFailurePart(payload: object, part: FailurePart): void {
  if (Object.isExtensible(payload)) Object.defineProperty(payload, FAILURE_PART, { value: part, configurable: true });
}

/** Which part of a failure a payload is, if any. */
export function failurePartOf(payload: object): FailurePart | undefined {
  return (payload as Marked)[FAILURE_PART];
}
