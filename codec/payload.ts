/**
 * The Temporal Payload (`temporal.api.common.v1.Payload`) and its protobuf encoding, without a
 * protobuf runtime: a payload has three fields, and loading a reflection library to read three
 * fields costs more than everything else this codec does at start.
 *
 * ```proto
 * message Payload {
 *   map<string, bytes> metadata = 1;
 *   bytes data = 2;
 *   repeated ExternalPayloadDetails external_payloads = 3;   // { int64 size_bytes = 1; }
 * }
 * ```
 */
import { CannotEncodeError, MalformedPayloadError } from './errors.ts';

/** Names the size of a payload that lives in external storage. */
export interface ExternalPayloadDetails {
  /** Bytes, a signed 64-bit integer. */
  readonly sizeBytes: bigint;
}

/** Metadata of a payload, from {@link emptyMetadata}: no key is special. */
export type PayloadMetadata = Record<string, Uint8Array>;

/** A payload with every field present; `externalPayloads` only when there is at least one. */
export interface Payload {
  readonly metadata: PayloadMetadata;
  readonly data: Uint8Array;
  readonly externalPayloads?: readonly ExternalPayloadDetails[];
}

/** The metadata key that says how `data` is to be read. */
export const ENCODING = 'encoding';

const EMPTY = new Uint8Array(0);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * What `new` makes has no key of its own and inherits none, as `Object.create(null)`, whose objects V8
 * keeps as hash tables: slower to make, to fill and to read than the objects of a constructor.
 */
function Metadata(): void {}
Metadata.prototype = Object.create(null);
const MetadataConstructor = Metadata as unknown as new () => PayloadMetadata;

/** An empty metadata map: no key is special, `__proto__` and `constructor` included. */
export function emptyMetadata(): PayloadMetadata {
  return new MetadataConstructor();
}

/** Metadata from text values, each as UTF-8. */
export function metadataOf(values: Record<string, string>): PayloadMetadata {
  const metadata = emptyMetadata();
  for (const [key, value] of Object.entries(values)) metadata[key] = Buffer.from(value, 'utf8');
  return metadata;
}

/**
 * A metadata value as text, or undefined when the key is absent.
 *
 * Not for key material: a value that is not valid UTF-8 comes back with replacement characters.
 */
export function metadataText(payload: Payload, key: string): string | undefined {
  const value = payload.metadata[key];
  if (value === undefined) return undefined;
  return asBuffer(value).toString('utf8');
}

/** The payload's `encoding`, or undefined when it names none. */
export function encodingOf(payload: Payload): string | undefined {
  return metadataText(payload, ENCODING);
}

/** A Buffer view of the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether bytes hold `expected` at a place. For a few bytes: a call to compare them takes longer than looking at each. */
export function standsAt(bytes: Uint8Array, start: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false;
  return true;
}

/** The bytes of standard, padded base64 (RFC 4648 section 4); undefined for anything else that `Buffer.from` would take. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/**
 * Serializes a payload as protobuf. Metadata is written in the order of the object's keys.
 *
 * @returns a new buffer, exactly as long as the message
 * @throws CannotEncodeError when it has more entries or external payloads than {@link deserializePayload} reads
 */
export function serializePayload(payload: Payload): Buffer {
  const keys = Object.keys(payload.metadata);
  const sizes = payload.externalPayloads ?? [];
  if (keys.length > MAX_METADATA_ENTRIES || sizes.length > MAX_EXTERNAL_PAYLOADS)
    throw new CannotEncodeError(
      `a payload has at most ${MAX_METADATA_ENTRIES} entries of metadata and ${MAX_EXTERNAL_PAYLOADS} external payloads`,
    );
  let length = 0;
  for (const key of keys) {
    const entry = metadataEntryLength(Buffer.byteLength(key), valueAt(payload, key).length);
    length += 1 + varintLength(entry) + entry;
  }
  if (payload.data.length > 0) length += 1 + varintLength(payload.data.length) + payload.data.length;
  for (const { sizeBytes } of sizes) {
    const inner = externalPayloadLength(sizeBytes);
    length += 1 + varintLength(inner) + inner;
  }

  const out = Buffer.allocUnsafe(length);
  let at = 0;
  for (const key of keys) {
    const value = valueAt(payload, key);
    const keyLength = Buffer.byteLength(key);
    out[at++] = 0x0a;
    at = writeVarint(out, at, metadataEntryLength(keyLength, value.length));
    out[at++] = 0x0a;
    at = writeVarint(out, at, keyLength);
    at += out.write(key, at, 'utf8');
    out[at++] = 0x12;
    at = writeVarint(out, at, value.length);
    out.set(value, at);
    at += value.length;
  }
  if (payload.data.length > 0) {
    out[at++] = 0x12;
    at = writeVarint(out, at, payload.data.length);
    out.set(payload.data, at);
    at += payload.data.length;
  }
  for (const { sizeBytes } of sizes) {
    out[at++] = 0x1a;
    at = writeVarint(out, at, externalPayloadLength(sizeBytes));
    if (sizeBytes === 0n) continue;
    out[at++] = 0x08;
    at = writeVarint64(out, at, BigInt.asUintN(64, sizeBytes));
  }
  return out;
}

/** Bytes of data from which on copying it takes longer than handling its parts. */
const LARGE = 16 * 1024;

/**
 * Serializes a payload as {@link serializePayload} does, in parts: large data is one of them, and not copied. At 100 KB
 * that saves a tenth of encrypting it.
 */
export function serializeInParts(payload: Payload): readonly Uint8Array[] {
  const { metadata, data, externalPayloads } = payload;
  if (data.length < LARGE) return [serializePayload(payload)];
  const before = serializePayload({ metadata, data: EMPTY });
  const length = Buffer.alloc(1 + varintLength(data.length), 0x12);
  writeVarint(length, 1, data.length);
  if (externalPayloads === undefined) return [before, length, data];
  return [before, length, data, serializePayload({ metadata: emptyMetadata(), data: EMPTY, externalPayloads })];
}

/**
 * Entries of metadata in a payload, and details of external payloads: many times what any SDK or codec
 * writes. Two bytes make an entry, so that what inflates to 32 MiB would become gigabytes of objects.
 */
export const MAX_METADATA_ENTRIES = 256;
export const MAX_EXTERNAL_PAYLOADS = 64;

/**
 * Reads a serialized payload. The metadata values and the data are views of `bytes`, not copies.
 * As protobuf prescribes, unknown fields are skipped and of a repeated single field the last counts.
 *
 * @throws MalformedPayloadError when the bytes are not a Payload message, or one with more than
 *   {@link MAX_METADATA_ENTRIES} or {@link MAX_EXTERNAL_PAYLOADS}
 */
export function deserializePayload(bytes: Uint8Array): Payload {
  const reader = new ProtobufReader(bytes);
  const metadata = emptyMetadata();
  let data: Uint8Array = EMPTY;
  let entries = 0;
  let externalPayloads: ExternalPayloadDetails[] | undefined;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x0a) {
      if (++entries > MAX_METADATA_ENTRIES)
        throw new MalformedPayloadError(`more than ${MAX_METADATA_ENTRIES} entries of metadata`);
      readMetadataEntry(reader, metadata);
    } else if (tag === 0x12) data = reader.bytes();
    else if (tag === 0x1a) {
      externalPayloads ??= [];
      if (externalPayloads.length === MAX_EXTERNAL_PAYLOADS)
        throw new MalformedPayloadError(`more than ${MAX_EXTERNAL_PAYLOADS} external payloads`);
      externalPayloads.push({ sizeBytes: readSizeBytes(reader) });
    } else reader.skip(tag);
  }
  return externalPayloads === undefined ? { metadata, data } : { metadata, data, externalPayloads };
}

function readMetadataEntry(reader: ProtobufReader, metadata: PayloadMetadata): void {
  let key = '';
  let value: Uint8Array = EMPTY;
  const outside = reader.enter();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x0a) key = reader.text();
    else if (tag === 0x12) value = reader.bytes();
    else reader.skip(tag);
  }
  reader.leave(outside);
  metadata[key] = value;
}

function readSizeBytes(reader: ProtobufReader): bigint {
  let size = 0n;
  const outside = reader.enter();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x08) size = BigInt.asIntN(64, reader.varint64());
    else reader.skip(tag);
  }
  reader.leave(outside);
  return size;
}

function valueAt(payload: Payload, key: string): Uint8Array {
  return payload.metadata[key] ?? EMPTY;
}

function metadataEntryLength(keyLength: number, valueLength: number): number {
  return 1 + varintLength(keyLength) + keyLength + 1 + varintLength(valueLength) + valueLength;
}

function externalPayloadLength(sizeBytes: bigint): number {
  if (sizeBytes === 0n) return 0;
  let rest = BigInt.asUintN(64, sizeBytes);
  let length = 2;
  while (rest > 0x7fn) {
    rest >>= 7n;
    length++;
  }
  return length;
}

/** Bytes of a protobuf varint. @param value a safe integer, not negative */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Writes a varint of {@link varintLength} bytes. @returns where it ends */
export function writeVarint(out: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest > 0x7f) {
    out[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  out[at++] = rest;
  return at;
}

function writeVarint64(out: Buffer, start: number, value: bigint): number {
  let at = start;
  let rest = value;
  while (rest > 0x7fn) {
    out[at++] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  out[at++] = Number(rest);
  return at;
}

/** The bytes of {@link ENCODING}, the key that every payload has. */
const ENCODING_BYTES = Buffer.from(ENCODING, 'latin1');

/** A cursor over protobuf wire format. Every read checks the end of the message it is in. */
class ProtobufReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** Whether the message is over. */
  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** Steps into the message here. Give {@link leave} what this returns. */
  enter(): number {
    const outside = this.#end;
    const length = this.#length();
    this.#end = this.#at + length;
    return outside;
  }

  /** Leaves a message that is {@link done}. */
  leave(outside: number): void {
    this.#end = outside;
  }

  /** A field's tag: field number and wire type in one number. */
  tag(): number {
    const tag = this.varint();
    if (tag > 0xffffffff || tag >>> 3 === 0)
      throw new MalformedPayloadError('a field of the inner payload has no number');
    return tag;
  }

  /** A varint that must be a safe integer: a tag or a length. */
  varint(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let factor = 128;
    for (let i = 1; i < 7; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw new MalformedPayloadError('a number of the inner payload is too large');
  }

  varint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new MalformedPayloadError('a number of the inner payload is too long');
  }

  bytes(): Uint8Array {
    const length = this.#length();
    const start = this.#at;
    this.#at = start + length;
    return this.#bytes.subarray(start, start + length);
  }

  text(): string {
    const length = this.#length();
    const start = this.#at;
    this.#at = start + length;
    // Compared in place, since nearly every key is this one.
    if (length === ENCODING_BYTES.length && standsAt(this.#bytes, start, ENCODING_BYTES)) return ENCODING;
    try {
      return utf8.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw new MalformedPayloadError('a metadata key of the inner payload is not UTF-8');
    }
  }

  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.varint64();
        return;
      case 1:
        this.#skipBytes(8);
        return;
      case 2:
        this.#skipBytes(this.varint());
        return;
      case 5:
        this.#skipBytes(4);
        return;
      default:
        throw new MalformedPayloadError('the inner payload uses an unknown protobuf wire type');
    }
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new MalformedPayloadError('the inner payload ends early');
    return this.#bytes[this.#at++] as number;
  }

  /** The length of what follows, which is inside the message. */
  #length(): number {
    const length = this.varint();
    if (this.#at + length > this.#end) throw new MalformedPayloadError('the inner payload ends early');
    return length;
  }

  #skipBytes(length: number): void {
    if (this.#at + length > this.#end) throw new MalformedPayloadError('the inner payload ends early');
    this.#at += length;
  }
}
