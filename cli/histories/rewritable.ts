/** A stretch of a document with payloads in it, which can be written again with others in their place. */
import type { Payload } from '../../codec/payload.ts';

/** A payload, and where it stands. */
export interface FoundPayload {
  /** Such as `events[0].workflowExecutionStartedEventAttributes.input.payloads[0]`; empty at the top of a document. */
  readonly place: string;
  /** Undefined when a value of it is no bytes. */
  readonly payload: Payload | undefined;
}

/** Bytes with payloads in them. */
export interface Rewritable {
  /** As they were read. */
  readonly raw: Buffer;
  readonly payloads: readonly FoundPayload[];
  /** Places that carry the mark of a payload and could not be understood. */
  readonly notUnderstood: readonly string[];
  /**
   * The same bytes with other payloads; every byte that belongs to none stays.
   *
   * @param replaced by index of {@link payloads}; undefined leaves one as it was written
   */
  render(replaced: readonly (Payload | undefined)[]): Buffer;
}

/** What cannot be read at all. The message is one sentence. */
export class UnreadableDocumentError extends Error {
  override readonly name = 'UnreadableDocumentError';
}
