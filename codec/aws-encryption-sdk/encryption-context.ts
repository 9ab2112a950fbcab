/**
 * The encryption context of an AWS Encryption SDK message: additional authenticated data that sits
 * in the message header in the clear, and that KMS authenticates and writes to CloudTrail.
 *
 * Serialized (specification: `framework/structures.md`) as a count and, per entry, length ‖ key ‖
 * length ‖ value, all lengths unsigned 16-bit big-endian, ascending by the UTF-8 bytes of the key.
 * Exactly one sequence of bytes stands for a context, so that nobody can write the same context in
 * two ways, or a context that two readers understand differently.
 */
import { isUtf8 } from 'node:buffer';
import { CannotEncodeError, MalformedPayloadError } from '../errors.ts';
import { asBuffer } from '../payload.ts';

/** Key and value pairs, in the order of the header: ascending by the UTF-8 bytes of the key. */
export type EncryptionContext = ReadonlyMap<string, string>;

/** The key under which our messages carry the full namespace name, such as `orders-prod.a1b2c`. */
export const NAMESPACE_CONTEXT_KEY = 'temporal-namespace';

/** The key under which a signed message carries the key that verifies it. */
export const PUBLIC_KEY_CONTEXT_KEY = 'aws-crypto-public-key';

/** Lengths are 16 bits wide, the length of all pairs together as well. */
const MAX_BYTES = 0xffff;
const EMPTY: EncryptionContext = new Map();

/** The context of a message that belongs to a namespace. */
export function contextOfNamespace(namespace: string): EncryptionContext {
  return new Map([[NAMESPACE_CONTEXT_KEY, namespace]]);
}

/**
 * Serializes a context in the one way there is, whatever the order of the map: as the key-value
 * pairs of a message header, and as the additional authenticated data of a raw AES keyring. An
 * empty context is not bytes at all.
 *
 * @throws CannotEncodeError when it is longer than a header can say, or a key or value is no
 *   well-formed Unicode (it would be replaced, and name another namespace than the caller's)
 */
export function serializeEncryptionContext(context: EncryptionContext): Buffer {
  if (context.size === 0) return Buffer.alloc(0);
  const entries: [key: Buffer, value: Buffer][] = [];
  let length = 2;
  for (const [key, value] of context) {
    const entry: [Buffer, Buffer] = [utf8BytesOf(key), utf8BytesOf(value)];
    length += 4 + entry[0].length + entry[1].length;
    entries.push(entry);
  }
  if (length > MAX_BYTES)
    throw new CannotEncodeError(
      `the encryption context takes ${length} bytes, and a message has room for ${MAX_BYTES}`,
    );
  if (entries.length > 1) entries.sort(([a], [b]) => Buffer.compare(a, b));

  const out = Buffer.allocUnsafe(length);
  let at = out.writeUInt16BE(entries.length, 0);
  for (const entry of entries) {
    for (const bytes of entry) {
      at = out.writeUInt16BE(bytes.length, at);
      out.set(bytes, at);
      at += bytes.length;
    }
  }
  return out;
}

/**
 * Reads the key-value pairs of a message header; no bytes are an empty context.
 *
 * @throws MalformedPayloadError unless it is exactly what {@link serializeEncryptionContext} writes:
 *   valid UTF-8, keys ascending and no key twice, nothing missing and nothing left over
 */
export function parseEncryptionContext(pairs: Uint8Array): EncryptionContext {
  if (pairs.length === 0) return EMPTY;
  const bytes = asBuffer(pairs);
  const context = new Map<string, string>();
  const count = readLength(bytes, 0);
  if (count === 0) throw new MalformedPayloadError('an empty encryption context is written with bytes');
  let at = 2;
  let previous: Buffer | undefined;
  for (let i = 0; i < count; i++) {
    const key = readBytes(bytes, at);
    at += 2 + key.length;
    const value = readBytes(bytes, at);
    at += 2 + value.length;
    if (previous !== undefined && Buffer.compare(previous, key) >= 0)
      throw new MalformedPayloadError('the keys of the encryption context are not in ascending order');
    previous = key;
    context.set(textOf(key), textOf(value));
  }
  if (at !== bytes.length) throw new MalformedPayloadError('bytes are left over after the encryption context');
  return context;
}

function utf8BytesOf(text: string): Buffer {
  if (!text.isWellFormed())
    throw new CannotEncodeError('the encryption context contains half of a surrogate pair, which UTF-8 cannot express');
  return Buffer.from(text, 'utf8');
}

function readLength(bytes: Buffer, at: number): number {
  if (at + 2 > bytes.length) throw new MalformedPayloadError('the encryption context ends early');
  return bytes.readUInt16BE(at);
}

function readBytes(bytes: Buffer, at: number): Buffer {
  const start = at + 2;
  const end = start + readLength(bytes, at);
  if (end > bytes.length) throw new MalformedPayloadError('the encryption context ends early');
  return bytes.subarray(start, end);
}

function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new MalformedPayloadError('the encryption context is not UTF-8');
  return bytes.toString('utf8');
}
