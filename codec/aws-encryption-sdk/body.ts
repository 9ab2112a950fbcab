/**
 * The body of an AWS Encryption SDK message: one block, or frames that are encrypted one by one.
 * The initialization vector of a frame is its sequence number, and its additional authenticated data
 * is message id ‖ a label ‖ sequence number (u32) ‖ length of the plaintext (u64), so that frames
 * cannot be dropped, repeated, reordered or moved to another message.
 * Specification: `data-format/message-body.md`, `data-format/message-body-aad.md`.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { CannotOpenError, MalformedPayloadError } from '../errors.ts';
import { IV_LENGTH, MESSAGE_ID_LENGTH, TAG_LENGTH } from './algorithm-suites.ts';
import type { MessageHeader } from './header.ts';

const FRAME_LABEL = Buffer.from('AWSKMSEncryptionClient Frame', 'latin1');
const FINAL_FRAME_LABEL = Buffer.from('AWSKMSEncryptionClient Final Frame', 'latin1');
const SINGLE_BLOCK_LABEL = Buffer.from('AWSKMSEncryptionClient Single Block', 'latin1');

/** Stands where a regular frame has its sequence number. */
const FINAL_FRAME = 0xffffffff;
/** What a final frame has around its content: marker, sequence number, IV, content length, tag. */
const FINAL_FRAME_OVERHEAD = 4 + 4 + IV_LENGTH + 4 + TAG_LENGTH;

/** A decrypted body, every tag of it verified. */
export interface DecryptedBody {
  readonly plaintext: Buffer;
  /** Where the body ends in the message. */
  readonly end: number;
}

/**
 * Decrypts the body that follows a header. Nothing is returned before all of it is authentic.
 *
 * @throws MalformedPayloadError when frames are out of order or a length reaches past the end
 * @throws CannotOpenError with reason `not-authentic` when a tag does not verify
 */
export function decryptBody(message: Buffer, header: MessageHeader, key: KeyObject): DecryptedBody {
  return header.contentType === 'framed'
    ? decryptFrames(message, header, key)
    : decryptSingleBlock(message, header, key);
}

function decryptFrames(message: Buffer, header: MessageHeader, key: KeyObject): DecryptedBody {
  const { messageId, frameLength } = header;
  const earlier: Buffer[] = [];
  let at = header.length;
  for (let sequenceNumber = 1; ; sequenceNumber++) {
    const isFinal = uint32At(message, at) === FINAL_FRAME;
    if (isFinal) at += 4;
    if (uint32At(message, at) !== sequenceNumber) throw new MalformedPayloadError('a frame is out of order');
    at += 4;
    const iv = checkedIv(message, at, sequenceNumber);
    at += IV_LENGTH;
    let length = frameLength;
    if (isFinal) {
      length = uint32At(message, at);
      at += 4;
      if (length > frameLength) throw new MalformedPayloadError('the final frame is longer than the frame length');
    }
    const aad = frameAad(messageId, isFinal ? FINAL_FRAME_LABEL : FRAME_LABEL, sequenceNumber, length);
    const plaintext = decrypt(message, at, length, key, iv, aad);
    at += length + TAG_LENGTH;
    if (isFinal)
      return { plaintext: earlier.length === 0 ? plaintext : Buffer.concat([...earlier, plaintext]), end: at };
    earlier.push(plaintext);
  }
}

function decryptSingleBlock(message: Buffer, header: MessageHeader, key: KeyObject): DecryptedBody {
  const iv = checkedIv(message, header.length, 1);
  const lengthAt = header.length + IV_LENGTH;
  // A 64-bit length whose upper half is not zero is longer than any message this reads
  const length = uint32At(message, lengthAt) * 2 ** 32 + uint32At(message, lengthAt + 4);
  const contentAt = lengthAt + 8;
  const plaintext = decrypt(
    message,
    contentAt,
    length,
    key,
    iv,
    frameAad(header.messageId, SINGLE_BLOCK_LABEL, 1, length),
  );
  return { plaintext, end: contentAt + length + TAG_LENGTH };
}

/** Bytes of a body of one final frame. */
export function finalFrameLength(plaintextLength: number): number {
  return FINAL_FRAME_OVERHEAD + plaintextLength;
}

/**
 * Encrypts a plaintext as the one and final frame of a body.
 *
 * @param parts the plaintext, one after another
 * @param length bytes of all parts
 * @param at where in `out` the body begins; {@link finalFrameLength} bytes are written
 */
export function encryptFinalFrame(
  parts: readonly Uint8Array[],
  length: number,
  key: KeyObject,
  messageId: Uint8Array,
  out: Buffer,
  at: number,
): void {
  const cipher = createCipheriv('aes-256-gcm', key, FIRST_IV);
  cipher.setAAD(frameAad(messageId, FINAL_FRAME_LABEL, 1, length));
  out.writeUInt32BE(FINAL_FRAME, at);
  out.writeUInt32BE(1, at + 4);
  out.set(FIRST_IV, at + 8);
  out.writeUInt32BE(length, at + 8 + IV_LENGTH);
  let contentAt = at + 12 + IV_LENGTH;
  for (const part of parts) {
    out.set(cipher.update(part), contentAt);
    contentAt += part.length;
  }
  cipher.final();
  out.set(cipher.getAuthTag(), contentAt);
}

function decrypt(message: Buffer, at: number, length: number, key: KeyObject, iv: Buffer, aad: Buffer): Buffer {
  const end = at + length;
  if (end + TAG_LENGTH > message.length) throw new MalformedPayloadError('the message body ends early');
  const decipher = createDecipheriv('aes-256-gcm', key, iv, GCM);
  decipher.setAAD(aad);
  decipher.setAuthTag(message.subarray(end, end + TAG_LENGTH));
  const plaintext = decipher.update(message.subarray(at, end));
  try {
    decipher.final();
  } catch {
    throw new CannotOpenError('not-authentic', 'a tag of the message body does not verify');
  }
  return plaintext;
}

const GCM = { authTagLength: TAG_LENGTH };

function frameAad(messageId: Uint8Array, label: Buffer, sequenceNumber: number, length: number): Buffer {
  const aad = Buffer.allocUnsafe(MESSAGE_ID_LENGTH + label.length + 12);
  aad.set(messageId, 0);
  aad.set(label, MESSAGE_ID_LENGTH);
  let at = aad.writeUInt32BE(sequenceNumber, MESSAGE_ID_LENGTH + label.length);
  at = aad.writeUInt32BE(Math.floor(length / 2 ** 32), at);
  aad.writeUInt32BE(length % 2 ** 32, at);
  return aad;
}

/** The IV of the first frame, which nearly always is the only one. */
const FIRST_IV = Buffer.alloc(IV_LENGTH);
FIRST_IV.writeUInt32BE(1, IV_LENGTH - 4);

/** The IV of a frame, which is its sequence number and nothing else. */
function checkedIv(message: Buffer, at: number, sequenceNumber: number): Buffer {
  if (at + IV_LENGTH > message.length) throw new MalformedPayloadError('the message body ends early');
  if (
    message.readUInt32BE(at) !== 0 ||
    message.readUInt32BE(at + 4) !== 0 ||
    message.readUInt32BE(at + 8) !== sequenceNumber
  )
    throw new MalformedPayloadError('the IV of a frame is not its sequence number');
  return sequenceNumber === 1 ? FIRST_IV : message.subarray(at, at + IV_LENGTH);
}

function uint32At(message: Buffer, at: number): number {
  if (at + 4 > message.length) throw new MalformedPayloadError('the message body ends early');
  return message.readUInt32BE(at);
}
