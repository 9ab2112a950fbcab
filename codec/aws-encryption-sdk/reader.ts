/**
 * Reads AWS Encryption SDK messages of version 2. Parsing needs no key; decrypting checks, in this
 * order, the key commitment, the header's tag, every tag of the body, the signature where the suite
 * has one, and that nothing follows. Only then is there a plaintext.
 * Specification: `client-apis/decrypt.md`.
 */
import { createDecipheriv, type KeyObject, timingSafeEqual } from 'node:crypto';
import { CannotOpenError, MalformedPayloadError } from '../errors.ts';
import { asBuffer } from '../payload.ts';
import { IV_LENGTH, KEY_LENGTH, TAG_LENGTH } from './algorithm-suites.ts';
import { decryptBody } from './body.ts';
import { type MessageHeader, parseHeader } from './header.ts';
import { deriveMessageKeys } from './key-derivation.ts';
import { verifyFooter } from './signature.ts';

const HEADER_IV = Buffer.alloc(IV_LENGTH);
const GCM = { authTagLength: TAG_LENGTH };

/** A message whose header has been parsed and nothing has been authenticated. */
export interface ParsedMessage {
  readonly header: MessageHeader;
  /** The whole message. */
  readonly bytes: Buffer;
}

/**
 * Parses the header of a message. What it says is the writer's claim until {@link decryptMessage}
 * succeeds.
 *
 * @throws MalformedPayloadError when it is no message that we read; see {@link parseHeader}
 */
export function parseMessage(message: Uint8Array): ParsedMessage {
  const bytes = asBuffer(message);
  return { header: parseHeader(bytes), bytes };
}

/**
 * Decrypts a message with the plaintext data key that one of its encrypted data keys stands for.
 *
 * @returns the plaintext, in memory of its own
 * @throws MalformedPayloadError when the body or footer is not as the format prescribes, or bytes follow it
 * @throws CannotOpenError with reason `not-authentic` when the commitment, a tag or the signature does not verify
 */
export function decryptMessage({ header, bytes }: ParsedMessage, dataKey: Uint8Array): Buffer {
  if (dataKey.length !== KEY_LENGTH)
    throw new CannotOpenError(
      'not-authentic',
      `the data key has ${dataKey.length} bytes, and the message needs ${KEY_LENGTH}`,
    );
  const { encryptionKey, commitKey } = deriveMessageKeys(header.suite, dataKey, header.messageId);
  if (!timingSafeEqual(commitKey, header.commitKey))
    throw new CannotOpenError('not-authentic', 'the message is committed to another data key');
  verifyHeader(header, encryptionKey);
  const body = decryptBody(bytes, header, encryptionKey);
  const end = header.suite.signed ? verifyFooter(bytes, body.end, header.encryptionContext) : body.end;
  if (end !== bytes.length) throw new MalformedPayloadError('bytes follow the end of the message');
  return body.plaintext;
}

function verifyHeader(header: MessageHeader, key: KeyObject): void {
  const decipher = createDecipheriv('aes-256-gcm', key, HEADER_IV, GCM);
  decipher.setAAD(header.authenticated);
  decipher.setAuthTag(header.tag);
  try {
    decipher.final();
  } catch {
    throw new CannotOpenError('not-authentic', 'the tag of the message header does not verify');
  }
}
