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
import {
  asBuffer,
  deserializePayload,
  ENCODING,
  type Payload,
  serializePayload,
  varintLength,
  writeVarint,
} from '../../codec/payload.ts';
import { type FoundPayload, type Rewritable, wireMarkers } from './rewritable.ts';

/** Messages nested in one another, as protobuf's own readers allow. */
const MAX_DEPTH = 100;
/** Places that are reported: enough to say that there are some. */
const MAX_REPORTED = 1_000;
/** What an encoding looks like: printable ASCII, which no serialized message is. */
const PRINTABLE = /^[\x21-\x7e]{1,255}$/;

/** Of a payload: the map in which its encoding is. */
const METADATA_FIELD = 1;
const EMPTY = Buffer.alloc(0);

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
 * @param nth how many fields of the same number stood before the one that the bytes are, where they are
 *   one field of a longer message
 * @returns undefined when the bytes are not a message
 */
export function walkWire(bytes: Buffer, place = '', nth = 0): Rewritable | undefined {
  const walk = new WireWalk(bytes);
  const holders = walk.message(0, bytes.length, place, 0, nth);
  if (holders === undefined) return undefined;
  // Marks in no field: the bytes begin inside of a payload, or only look like a message.
  if (walk.isMarked && walk.payloads.length + walk.notUnderstood.length === 0) walk.notUnderstood.push(place);
  return {
    raw: bytes,
    payloads: walk.payloads,
    notUnderstood: walk.notUnderstood,
    render(replaced) {
      const parts: Uint8Array[] = [];
      return Buffer.concat(parts, render(bytes, 0, bytes.length, holders, replaced, parts));
    },
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

  get isMarked(): boolean {
    return this.#markers.length > 0;
  }

  /** The fields of a message that hold payloads; undefined when it is not a message. */
  message(start: number, end: number, place: string, depth: number, before = 0): Holder[] | undefined {
    const fields = this.#fieldsWithMarkers(start, end, before);
    if (fields === undefined || depth > MAX_DEPTH) return undefined;
    const holders: Holder[] = [];
    for (const { number, nth, lengthAt, start: from, end: to } of fields) {
      const inner = `${place}${place === '' ? '' : '.'}${number}${nth === 0 ? '' : `[${nth}]`}`;
      const base = { lengthAt, start: from, end: to };
      const payload = this.#mayBePayload(from, to) ? payloadIn(this.#bytes.subarray(from, to)) : undefined;
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
  #fieldsWithMarkers(start: number, end: number, before: number) {
    const cursor = this.#cursor.at(start, end);
    const found: { number: number; nth: number; lengthAt: number; start: number; end: number }[] = [];
    const counts = new Map<number, number>();
    while (!cursor.done) {
      if (!cursor.field()) return undefined;
      if (cursor.wireType !== 2) continue;
      const { number, lengthAt, contentStart, contentEnd } = cursor;
      const nth = counts.get(number) ?? before;
      counts.set(number, nth + 1);
      if (this.#hasMarker(contentStart, contentEnd))
        found.push({ number, nth, lengthAt, start: contentStart, end: contentEnd });
    }
    return found;
  }

  /**
   * Whether an entry of what would be its metadata has the mark at its top, which is seen without reading
   * a payload: most messages with a mark have it further inside.
   */
  #mayBePayload(start: number, end: number): boolean {
    const cursor = this.#cursor.at(start, end);
    while (!cursor.done) {
      if (!cursor.field()) return false;
      const { number, wireType, contentStart, contentEnd, offset } = cursor;
      if (number !== METADATA_FIELD || wireType !== 2 || !this.#hasMarker(contentStart, contentEnd)) continue;
      cursor.at(contentStart, contentEnd);
      while (!cursor.done && cursor.field())
        if (cursor.wireType === 2 && this.#isMarker(cursor.lengthAt - 1)) return true;
      cursor.at(offset, end);
    }
    return false;
  }

  #hasMarker(start: number, end: number): boolean {
    return (this.#markers[this.#markerFrom(start)] ?? Number.POSITIVE_INFINITY) < end;
  }

  #isMarker(at: number): boolean {
    return this.#markers[this.#markerFrom(at)] === at;
  }

  /** The first mark at or after an offset, by index. */
  #markerFrom(start: number): number {
    let low = 0;
    let high = this.#markers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#markers[middle] as number) < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A message as a payload, if it is one. */
function payloadIn(bytes: Buffer): Payload | undefined {
  try {
    const payload = deserializePayload(bytes);
    const encoding = payload.metadata[ENCODING];
    return encoding !== undefined && PRINTABLE.test(asBuffer(encoding).toString('latin1')) ? payload : undefined;
  } catch (error) {
    if (error instanceof CannotOpenError) return undefined;
    throw error;
  }
}

/**
 * Adds the parts of a message with payloads replaced; lengths are written anew only where they changed.
 *
 * @returns the bytes that were added
 */
function render(
  bytes: Buffer,
  start: number,
  end: number,
  holders: readonly Holder[],
  replaced: readonly (Payload | undefined)[],
  parts: Uint8Array[],
): number {
  let added = 0;
  let at = start;
  for (const holder of holders) {
    if (!changes(holder, replaced)) continue;
    const lengthPart = parts.length + 1;
    parts.push(bytes.subarray(at, holder.lengthAt), EMPTY);
    const length = renderContent(bytes, holder, replaced, parts);
    const varintOfLength = varint(length);
    parts[lengthPart] = varintOfLength;
    added += holder.lengthAt - at + varintOfLength.length + length;
    at = holder.end;
  }
  parts.push(bytes.subarray(at, end));
  return added + end - at;
}

function renderContent(
  bytes: Buffer,
  { start, end, payload, inside }: Holder,
  replaced: readonly (Payload | undefined)[],
  parts: Uint8Array[],
): number {
  const other = payload === undefined ? undefined : replaced[payload];
  if (other === undefined) return render(bytes, start, end, inside, replaced, parts);
  const content = serializePayload(other);
  parts.push(content);
  return content.length;
}

function changes({ payload, inside }: Holder, replaced: readonly (Payload | undefined)[]): boolean {
  return payload === undefined ? inside.some((it) => changes(it, replaced)) : replaced[payload] !== undefined;
}

/** A protobuf varint. */
export function varint(value: number): Buffer {
  const out = Buffer.allocUnsafe(varintLength(value));
  writeVarint(out, 0, value);
  return out;
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
    this.number = tag >>> 3;
    this.wireType = tag & 7;
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
    if (this.#at >= this.#end) return -1;
    const first = this.#bytes[this.#at++] as number;
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let factor = 128;
    for (let i = 1; i < 10; i++) {
      if (this.#at >= this.#end) return -1;
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    return -1;
  }
}
