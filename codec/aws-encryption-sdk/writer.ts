/**
 * Writes AWS Encryption SDK messages of version 2, algorithm suite 0x0478, with a body of one frame.
 * The official libraries divide into frames of 4,096 bytes, to be able to stream; a payload is in memory
 * as a whole anyway. For 1 MB one frame is read in 0.28 ms instead of 1.87, and is 7.8 KB shorter.
 * Specification: `client-apis/encrypt.md`.
 */
import { createCipheriv, type KeyObject, randomFillSync } from 'node:crypto';
import { CannotEncodeError } from '../errors.ts';
import type { EncryptedDataKey } from '../keys/key-source.ts';
import { COMMITTED, deriveMessageKeys, IV_LENGTH, KEY_LENGTH, TAG_LENGTH } from './algorithm-suites.ts';
import { encryptFinalFrame, finalFrameLength } from './body.ts';
import type { EncryptionContext } from './encryption-context.ts';
import { MESSAGE_ID_SLICE, serializeHeader } from './header.ts';

/** What a message is written with. */
export interface WriteMaterials {
  /** 256 bits. */
  readonly dataKey: Uint8Array;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly encryptionContext: EncryptionContext;
}

/** The frame length of the official libraries; a longer plaintext has a frame as long as itself. */
const USUAL_FRAME_LENGTH = 4096;
/** Longest plaintext: the official Java library keeps the frame length in a signed 32-bit integer. */
const MAX_PLAINTEXT = 2 ** 31 - 1;
/** Keys of the encryption context that belong to the format itself. */
const RESERVED_CONTEXT_KEYS = 'aws-crypto-';
const HEADER_IV = Buffer.alloc(IV_LENGTH);

/**
 * Writes one message, under a fresh key that is derived from the data key: a data key may be used
 * for any number of messages.
 *
 * @throws CannotEncodeError when the format has no room for a field or the plaintext, or the
 *   encryption context uses a key reserved by the format
 */
export function encryptMessage(plaintext: Uint8Array, materials: WriteMaterials): Buffer {
  return encryptParts([plaintext], materials);
}

/** The same of a plaintext in parts, which are encrypted one after another, so that nobody has to put them together. */
export function encryptParts(parts: readonly Uint8Array[], materials: WriteMaterials): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  checkMaterials(length, materials);
  const head = serializeHeader({
    suite: COMMITTED,
    encryptionContext: materials.encryptionContext,
    encryptedDataKeys: materials.encryptedDataKeys,
    frameLength: Math.max(USUAL_FRAME_LENGTH, length),
  });
  const message = Buffer.allocUnsafe(head.length + TAG_LENGTH + finalFrameLength(length));
  message.set(head, 0);

  const messageId = message.subarray(...MESSAGE_ID_SLICE);
  // Drawn when it is needed: a stock of ids would be used twice by a process that is restored twice from a snapshot.
  randomFillSync(messageId);
  const { encryptionKey, commitKey } = deriveMessageKeys(COMMITTED, materials.dataKey, messageId);
  message.set(commitKey, head.length - KEY_LENGTH);
  message.set(headerTag(message.subarray(0, head.length), encryptionKey), head.length);
  encryptFinalFrame(parts, length, encryptionKey, messageId, message, head.length + TAG_LENGTH);
  return message;
}

function headerTag(header: Buffer, key: KeyObject): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, HEADER_IV);
  cipher.setAAD(header);
  cipher.final();
  return cipher.getAuthTag();
}

function checkMaterials(length: number, { dataKey, encryptionContext }: WriteMaterials): void {
  if (dataKey.length !== KEY_LENGTH)
    throw new CannotEncodeError(`the data key has ${dataKey.length} bytes, not ${KEY_LENGTH}`);
  if (length > MAX_PLAINTEXT)
    throw new CannotEncodeError(`a payload of ${length} bytes is too long for a message: ${MAX_PLAINTEXT} is the most`);
  for (const key of encryptionContext.keys())
    if (key.startsWith(RESERVED_CONTEXT_KEYS))
      throw new CannotEncodeError(`the encryption context key ${key} is reserved by the message format`);
}
