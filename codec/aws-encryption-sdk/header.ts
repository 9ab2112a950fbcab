/**
 * The header of an AWS Encryption SDK message, version 2. All numbers are big-endian:
 *
 * | bytes | field |
 * | --- | --- |
 * | 1 | version, 2 |
 * | 2 | algorithm suite |
 * | 32 | message id |
 * | 2 + n | encryption context |
 * | 2 + n | encrypted data keys: each provider id, provider information and ciphertext, with lengths |
 * | 1 | content type |
 * | 4 | frame length |
 * | 32 | key commitment |
 * | 16 | authentication tag of everything above |
 *
 * Specification: `data-format/message-header.md`.
 */

import { isUtf8 } from 'node:buffer';
import { BoundedCache } from '../bounded-cache.ts';
import { CannotEncodeError, MalformedPayloadError } from '../errors.ts';
import type { EncryptedDataKey } from '../keys/key-source.ts';
import { asBuffer } from '../payload.ts';
import {
  type AlgorithmSuite,
  algorithmSuiteOf,
  IV_LENGTH,
  KEY_LENGTH,
  MESSAGE_ID_LENGTH,
  TAG_LENGTH,
} from './algorithm-suites.ts';
import {
  type EncryptionContext,
  PUBLIC_KEY_CONTEXT_KEY,
  parseEncryptionContext,
  serializeEncryptionContext,
} from './encryption-context.ts';

// The encryption context and the encrypted data keys of a header are the same bytes in every message
// of one data key: what was read lately is kept, and found again by comparing the bytes, in a tenth of
// the time of reading them. That the same objects come back saves whoever looks a data key up by them
// the same work once more. Together it is a quarter of what it takes to open a small payload.
//
// Nothing is trusted for being here: the fields stand in the clear in every message, and each
// message's own tag authenticates them.

/** The fields of a header by which the data key is found. Never changed once read: messages share them. */
export interface KeyFields {
  readonly encryptionContext: EncryptionContext;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** Bytes of both in the header. */
  readonly length: number;
}

interface KeptFields extends KeyFields {
  /** What they were read from. */
  readonly bytes: Buffer;
}

/** As many as there are data keys in a cache: an export has those of every worker for every day. */
const MAX_KEPT = 1000;
/** Longer fields are read anew each time: strangers must not choose how much memory this takes. */
const MAX_KEPT_BYTES = 2048;

/** By their last four bytes, which are the end of a wrapped data key and differ from key to key. */
const recent = new BoundedCache<KeptFields, number>(MAX_KEPT);

/**
 * Encrypted data keys that a message may have. Each one costs a reader that has to try it a call to
 * KMS, so a message must not be able to ask for 65,535 of them. Enough for a key, its replicas in
 * other Regions, and one from before a migration.
 */
const MAX_ENCRYPTED_DATA_KEYS = 5;

/**
 * Frames of fewer than {@link LEAST_FRAME} bytes that a message may have. Each frame costs about as much as a message of
 * its own, and none of them gives others a turn: four megabytes of frames of one byte would hold up a server for a second.
 * Whatever Temporal stores in frames of 256 bytes is less, and the official libraries write 4,096.
 */
const MAX_SMALL_FRAMES = 8192;
const LEAST_FRAME = 512;
/** What a frame has around its content: sequence number, IV, tag. */
const FRAME_OVERHEAD = 4 + IV_LENGTH + TAG_LENGTH;

/** How the body is divided. */
export type ContentType = 'framed' | 'non-framed';

/** A parsed header. Its byte fields are views of the message; none is authenticated before the tag is. */
export interface MessageHeader {
  readonly suite: AlgorithmSuite;
  readonly messageId: Buffer;
  readonly encryptionContext: EncryptionContext;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly contentType: ContentType;
  /** Bytes of plaintext in every frame but the last; 0 for a body without frames. */
  readonly frameLength: number;
  readonly commitKey: Buffer;
  /** Everything before the tag, which the tag authenticates. */
  readonly authenticated: Buffer;
  readonly tag: Buffer;
  /** Bytes before the body, tag included. */
  readonly length: number;
}

/** The fields of a header that a writer chooses. */
export interface HeaderFields {
  readonly suite: AlgorithmSuite;
  readonly encryptionContext: EncryptionContext;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly frameLength: number;
}

const VERSION = 2;
const MESSAGE_ID_AT = 3;
const CONTEXT_AT = MESSAGE_ID_AT + MESSAGE_ID_LENGTH;
const NON_FRAMED = 1;
const FRAMED = 2;
/** Fields of the encrypted data keys have 16-bit lengths. */
const MAX_FIELD = 0xffff;

/** Where the message id stands in a serialized header. */
export const MESSAGE_ID_SLICE = [MESSAGE_ID_AT, CONTEXT_AT] as const;

/**
 * Parses the header at the start of a message, without any key.
 *
 * @throws MalformedPayloadError when it is not version 2, its suite does not commit to the key, it
 *   has no or more than {@link MAX_ENCRYPTED_DATA_KEYS} encrypted data keys or more than
 *   {@link MAX_SMALL_FRAMES} small frames, a length reaches past the end, or the encryption context is not canonical
 */
export function parseHeader(bytes: Uint8Array): MessageHeader {
  const message = asBuffer(bytes);
  if (message.length > 0 && message[0] !== VERSION)
    throw new MalformedPayloadError(
      message[0] === 1
        ? 'it is a message of version 1, which does not commit to its data key'
        : 'it is not an AWS Encryption SDK message of version 2',
    );
  if (message.length < CONTEXT_AT) throw endsEarly();
  const suite = algorithmSuiteOf(message.readUInt16BE(1));
  const { encryptionContext, encryptedDataKeys, length: keyFieldsLength } = readKeyFields(message, suite);
  const contentTypeAt = CONTEXT_AT + keyFieldsLength;
  const commitKeyAt = contentTypeAt + 1 + 4;
  const tagAt = commitKeyAt + KEY_LENGTH;
  const length = tagAt + TAG_LENGTH;
  if (length > message.length) throw endsEarly();
  const contentType = contentTypeOf(message[contentTypeAt]);
  const frameLength = message.readUInt32BE(contentTypeAt + 1);
  if ((frameLength === 0) !== (contentType === 'non-framed'))
    throw new MalformedPayloadError('the frame length does not fit the content type');
  if (contentType === 'framed' && frameLength < LEAST_FRAME) {
    const mostFrames = (message.length - length) / (FRAME_OVERHEAD + frameLength);
    if (mostFrames > MAX_SMALL_FRAMES)
      throw new MalformedPayloadError(`it has more than ${MAX_SMALL_FRAMES} frames of fewer than ${LEAST_FRAME} bytes`);
  }
  return {
    suite,
    messageId: message.subarray(MESSAGE_ID_AT, CONTEXT_AT),
    encryptionContext,
    encryptedDataKeys,
    contentType,
    frameLength,
    commitKey: message.subarray(commitKeyAt, tagAt),
    authenticated: message.subarray(0, tagAt),
    tag: message.subarray(tagAt, length),
    length,
  };
}

/**
 * Serializes a framed header up to its tag, with room left for the message id and, at the end, for
 * the key commitment.
 *
 * @returns the bytes that the tag will authenticate
 * @throws CannotEncodeError when a field does not fit the format
 */
export function serializeHeader(fields: HeaderFields): Buffer {
  const { encryptedDataKeys } = fields;
  if (encryptedDataKeys.length === 0 || encryptedDataKeys.length > MAX_ENCRYPTED_DATA_KEYS)
    throw new CannotEncodeError(
      `a message has 1 to ${MAX_ENCRYPTED_DATA_KEYS} encrypted data keys, not ${encryptedDataKeys.length}`,
    );
  const context = serializeEncryptionContext(fields.encryptionContext);
  let length = CONTEXT_AT + 2 + context.length + 2 + 1 + 4 + KEY_LENGTH;
  for (const { providerId, providerInfo, ciphertext } of encryptedDataKeys) {
    const providerIdLength = Buffer.byteLength(providerId);
    if (providerIdLength > MAX_FIELD || providerInfo.length > MAX_FIELD || ciphertext.length > MAX_FIELD)
      throw new CannotEncodeError('an encrypted data key is longer than a message header can say');
    length += 6 + providerIdLength + providerInfo.length + ciphertext.length;
  }

  const out = Buffer.alloc(length);
  out[0] = VERSION;
  out.writeUInt16BE(fields.suite.id, 1);
  let at = writeField(out, CONTEXT_AT, context);
  at = out.writeUInt16BE(encryptedDataKeys.length, at);
  for (const { providerId, providerInfo, ciphertext } of encryptedDataKeys) {
    at = writeField(out, at, Buffer.from(providerId, 'utf8'));
    at = writeField(out, at, providerInfo);
    at = writeField(out, at, ciphertext);
  }
  out[at] = FRAMED;
  out.writeUInt32BE(fields.frameLength, at + 1);
  return out;
}

function writeField(out: Buffer, at: number, bytes: Uint8Array): number {
  const start = out.writeUInt16BE(bytes.length, at);
  out.set(bytes, start);
  return start + bytes.length;
}

function readKeyFields(message: Buffer, suite: AlgorithmSuite): KeyFields {
  const bytes = message.subarray(CONTEXT_AT, endOfKeyFields(message));
  // The context of a signed message holds a public key that no other message has.
  if (suite.signed || bytes.length > MAX_KEPT_BYTES) return parseKeyFields(bytes, suite);
  const end = bytes.readUInt32LE(bytes.length - 4);
  const known = recent.get(end);
  if (known?.bytes.equals(bytes)) return known;
  // From a copy, so that what is kept does not hold the message.
  const own = Buffer.from(bytes);
  const fields = { bytes: own, ...parseKeyFields(own, suite) };
  recent.set(end, fields);
  return fields;
}

/** Where they end by their lengths, without a look at what they say. */
function endOfKeyFields(message: Buffer): number {
  const countAt = endOfField(message, CONTEXT_AT);
  const count = uint16At(message, countAt);
  if (count === 0 || count > MAX_ENCRYPTED_DATA_KEYS)
    throw new MalformedPayloadError(
      `it has ${count} encrypted data keys, and 1 to ${MAX_ENCRYPTED_DATA_KEYS} are accepted`,
    );
  let at = countAt + 2;
  for (let fields = 3 * count; fields > 0; fields--) at = endOfField(message, at);
  return at;
}

/** @param bytes exactly those of the fields, as {@link endOfKeyFields} found their end */
function parseKeyFields(bytes: Buffer, { signed }: AlgorithmSuite): KeyFields {
  let at = 0;
  const nextField = (): Buffer => {
    const start = at + 2;
    at = endOfField(bytes, at);
    return bytes.subarray(start, at);
  };
  const encryptionContext = parseEncryptionContext(nextField());
  if (signed !== encryptionContext.has(PUBLIC_KEY_CONTEXT_KEY))
    throw new MalformedPayloadError('a message carries a public key exactly when its algorithm suite signs');
  const count = uint16At(bytes, at);
  at += 2;
  const encryptedDataKeys: EncryptedDataKey[] = [];
  for (let i = 0; i < count; i++) {
    const providerId = nextField();
    if (!isUtf8(providerId)) throw new MalformedPayloadError('a key provider id is not UTF-8');
    encryptedDataKeys.push({
      providerId: providerId.toString('utf8'),
      providerInfo: nextField(),
      ciphertext: nextField(),
    });
  }
  return { encryptionContext, encryptedDataKeys, length: bytes.length };
}

/** Where a field ends that has its length in front. */
function endOfField(message: Buffer, at: number): number {
  const end = at + 2 + uint16At(message, at);
  if (end > message.length) throw endsEarly();
  return end;
}

function uint16At(message: Buffer, at: number): number {
  if (at + 2 > message.length) throw endsEarly();
  return message.readUInt16BE(at);
}

function contentTypeOf(byte: number | undefined): ContentType {
  if (byte === FRAMED) return 'framed';
  if (byte === NON_FRAMED) return 'non-framed';
  throw new MalformedPayloadError('its content type is neither framed nor non-framed');
}

function endsEarly(): MalformedPayloadError {
  return new MalformedPayloadError('the message header ends early');
}
