/**
 * Payloads in protobuf, without a schema: histories, exports, schedules, and what the server keeps in
 * payloads of its own hold them in many message types, some of which no library knows.
 *
 * A payload gives itself away: its metadata is a map with the key `encoding` (see {@link wireMarkers}).
 * From each such mark, the messages around it are taken apart field by field, and the innermost that
 * reads as a payload with a printable encoding is one. What carries a mark and does not is reported.
 * All other bytes are kept, fields that nobody knows included.
 */
import { CannotOpenError } from '../../codec/errors.ts';
import { deserializePayload, ENCODING, type Payload, serializePayload } from '../../codec/payload.ts';
import { type FoundPayload, type Rewritable, wireMarkers } from './rewritable.ts';

/** Messages nested in one another, as protobuf's own readers allow. */
const MAX_DEPTH = 100;
/** Places that are reported: enough to say that there are some. */
const MAX_REPORTED = 1_000;
/** What an encoding looks like: printable ASCII, which no serialized message is. */
const PRINTABLE = /^[\x21-\x7e]{1,255}$/;

/** A field that holds payloads: its content, from the varint of its length on. */
interface Holder {
  /** Where the varint of the length begins. */
  readonly lengthAt: number;
  readonly start: number;
  readonly end: number;
  /** Either the payload that it is, by index, or the fields inside it. */
  readonly payload: number | undefined;
  readonly inside: readonly Holder[];
}

/**
 * Finds the payloads of a serialized message.
 *
 * @param place of the message, for the places of what is in it
 * @returns undefined when the bytes are not a message
 */
export function walkWire(bytes: Buffer, place = ''): Rewritable | undefined {
  const walk = new WireWalk(bytes);
  const holders = walk.message(0, bytes.length, place, 0);
  if (holders === undefined) return undefined;
  return {
    raw: bytes,
    payloads: walk.payloads,
    notUnderstood: walk.notUnderstood,
    render: (replaced) => Buffer.concat(rendered(bytes, 0, bytes.length, holders, replaced).parts),
  };
}

class WireWalk {
  readonly payloads: FoundPayload[] = [];
  readonly notUnderstood: string[] = [];
  readonly #bytes: Buffer;
  readonly #markers: readonly number[];
  readonly #cursor: WireCursor;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#markers = wireMarkers(bytes);
    this.#cursor = new WireCursor(bytes);
  }

  /** The fields of a message that hold payloads; undefined when it is not a message. */
  message(start: number, end: number, place: string, depth: number): Holder[] | undefined {
    const fields = this.#fieldsWithMarkers(start, end);
    if (fields === undefined || depth > MAX_DEPTH) return undefined;
    const holders: Holder[] = [];
    for (const { number, nth, lengthAt, start: from, end: to } of fields) {
      const inner = `${place}${place === '' ? '' : '.'}${number}${nth === 0 ? '' : `[${nth}]`}`;
      const base = { lengthAt, start: from, end: to };
      const payload = payloadIn(this.#bytes.subarray(from, to));
      if (payload !== undefined) {
        holders.push({ ...base, payload: this.payloads.length, inside: [] });
        this.payloads.push({ place: inner, payload });
        continue;
      }
      const reported = this.notUnderstood.length;
      const inside = this.message(from, to, inner, depth + 1) ?? [];
      if (inside.length > 0) holders.push({ ...base, payload: undefined, inside });
      else if (this.notUnderstood.length === reported && reported < MAX_REPORTED) this.notUnderstood.push(inner);
    }
    return holders;
  }

  /** The length-delimited fields with a mark inside; undefined when this is not a message. */
  #fieldsWithMarkers(start: number, end: number) {
    const cursor = this.#cursor.at(start, end);
    const found: { number: number; nth: number; lengthAt: number; start: number; end: number }[] = [];
    const counts = new Map<number, number>();
    while (!cursor.done) {
      if (!cursor.field()) return undefined;
      if (cursor.wireType !== 2) continue;
      const { number, lengthAt, contentStart, contentEnd } = cursor;
      const nth = counts.get(number) ?? 0;
      counts.set(number, nth + 1);
      if (this.#hasMarker(contentStart, contentEnd))
        found.push({ number, nth, lengthAt, start: contentStart, end: contentEnd });
    }
    return found;
  }

  #hasMarker(start: number, end: number): boolean {
    let low = 0;
    let high = this.#markers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#markers[middle] as number) < start) low = middle + 1;
      else high = middle;
    }
    return (this.#markers[low] ?? Number.POSITIVE_INFINITY) < end;
  }
}

/** A message as a payload, if it is one. */
function payloadIn(bytes: Buffer): Payload | undefined {
  // The first field of every payload is its metadata: most messages are told apart by their first byte.
  if (bytes[0] !== 0x0a && bytes[0] !== 0x12) return undefined;
  try {
    const payload = deserializePayload(bytes);
    const encoding = payload.metadata[ENCODING];
    return encoding !== undefined && PRINTABLE.test(Buffer.from(encoding).toString('latin1')) ? payload : undefined;
  } catch (error) {
    if (error instanceof CannotOpenError) return undefined;
    throw error;
  }
}

interface Rendered {
  readonly parts: Uint8Array[];
  readonly length: number;
}

/** The content of a message with payloads replaced; lengths are written anew only where they changed. */
function rendered(
  bytes: Buffer,
  start: number,
  end: number,
  holders: readonly Holder[],
  replaced: readonly (Payload | undefined)[],
): Rendered {
  const parts: Uint8Array[] = [];
  let length = 0;
  let at = start;
  const add = (part: Uint8Array): void => {
    parts.push(part);
    length += part.length;
  };
  for (const holder of holders) {
    const content = contentOf(bytes, holder, replaced);
    if (content === undefined) continue;
    add(bytes.subarray(at, holder.lengthAt));
    add(varint(content.length));
    for (const part of content.parts) add(part);
    at = holder.end;
  }
  add(bytes.subarray(at, end));
  return { parts, length };
}

/** Undefined where nothing in it changed. */
function contentOf(
  bytes: Buffer,
  { start, end, payload, inside }: Holder,
  replaced: readonly (Payload | undefined)[],
): Rendered | undefined {
  if (payload === undefined)
    return inside.some((it) => changes(it, replaced)) ? rendered(bytes, start, end, inside, replaced) : undefined;
  const other = replaced[payload];
  if (other === undefined) return undefined;
  const content = serializePayload(other);
  return { parts: [content], length: content.length };
}

function changes({ payload, inside }: Holder, replaced: readonly (Payload | undefined)[]): boolean {
  return payload === undefined ? inside.some((it) => changes(it, replaced)) : replaced[payload] !== undefined;
}

/** A protobuf varint. */
export function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80);
  out.push(rest);
  return Buffer.from(out);
}

/** Steps over the fields of a message. Never reads past its end. */
export class WireCursor {
  readonly #bytes: Uint8Array;
  #at = 0;
  #end = 0;
  /** Of the field that {@link field} has stepped over. */
  number = 0;
  wireType = 0;
  /** Where the varint of the length begins, and the content; of wire type 2 alone. */
  lengthAt = 0;
  contentStart = 0;
  contentEnd = 0;
  /** The value of wire type 0, as far as a number holds it. */
  value = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** Begins at the start of a message. */
  at(start: number, end: number): this {
    this.#at = start;
    this.#end = end;
    return this;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** Where the next field begins. */
  get offset(): number {
    return this.#at;
  }

  /** Steps over one field. @returns whether there was a whole one */
  field(): boolean {
    const tag = this.#varint();
    if (tag < 0 || tag > 0xffffffff) return false;
    this.number = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.number === 0 || this.number > 0x1fffffff) return false;
    switch (this.wireType) {
      case 0:
        this.value = this.#varint();
        return this.value >= 0;
      case 1:
        return this.#skip(8);
      case 2: {
        this.lengthAt = this.#at;
        const length = this.#varint();
        if (length < 0) return false;
        this.contentStart = this.#at;
        this.contentEnd = this.#at + length;
        return this.#skip(length);
      }
      case 5:
        return this.#skip(4);
      default:
        return false;
    }
  }

  #skip(length: number): boolean {
    if (this.#at + length > this.#end) return false;
    this.#at += length;
    return true;
  }

  /** -1 when it does not end, or is longer than 10 bytes. */
  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 10; i++) {
      if (this.#at >= this.#end) return -1;
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    return -1;
  }
}
