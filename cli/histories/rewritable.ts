/** A stretch of a document with payloads in it, which can be written again with others in their place. */
import type { Payload } from '../../codec/payload.ts';

/** A payload, and where it stands. */
export interface FoundPayload {
  /** Such as `events[0].workflowExecutionStartedEventAttributes.input.payloads[0]`; empty at the top of a document. */
  readonly place: string;
  /** Undefined when a value of it is not bytes. */
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

/**
 * The marks by which a payload is seen in bytes without understanding what is around it: its metadata
 * has a key `encoding`. What carries a mark and was not found as a payload was not understood, and
 * nothing can be proven of it.
 */

/** A metadata entry with the key `encoding`, in protobuf: field 1, length 8. */
const WIRE_MARKER = Buffer.from('\n\x08encoding', 'latin1');

/** The same inside base64, at each of the three places at which it can begin. */
const WIRE_IN_BASE64 = base64Forms(WIRE_MARKER);
/** A key `encoding` of JSON. */
const JSON_MARKER = Buffer.from('"encoding"');
/** The same inside a JSON string and inside base64. */
const JSON_IN_TEXT = [Buffer.from('\\"encoding\\"'), ...base64Forms(JSON_MARKER)];

/** Every mark there is, for one look at bytes that most often have none. */
const ANY_MARK = new RegExp(
  [WIRE_MARKER, JSON_MARKER, ...WIRE_IN_BASE64, ...JSON_IN_TEXT]
    .map((mark) => mark.toString('hex').replaceAll(/../g, '\\x$&'))
    .join('|'),
);
/** Bytes up to which one pattern is found faster than each mark by itself. */
const SHORT = 2_048;

/** What base64 always makes of some bytes, whatever stands before and after them. */
function base64Forms(bytes: Uint8Array): Buffer[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return Buffer.from(text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6)));
  });
}

/** Where protobuf's mark stands in some bytes, ascending. */
export function wireMarkers(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(WIRE_MARKER); at >= 0; at = bytes.indexOf(WIRE_MARKER, at + WIRE_MARKER.length))
    found.push(at);
  return found;
}

/** Whether bytes may carry a mark of any kind; false is certain. */
export function mayHoldMarks(bytes: Buffer): boolean {
  return bytes.length > SHORT || ANY_MARK.test(bytes.toString('latin1'));
}

/** Whether base64 text holds protobuf with a payload in it. */
export function holdsWireInBase64(text: Buffer): boolean {
  return WIRE_IN_BASE64.some((form) => text.includes(form));
}

/** Whether text holds JSON with a payload in it, escaped or in base64. */
export function holdsJsonInText(text: Buffer): boolean {
  return JSON_IN_TEXT.some((form) => text.includes(form));
}
