/** Reading what the producers of `binary/encrypted` put into metadata. */
import { MalformedPayloadError } from '../errors.ts';
import { asBuffer } from '../payload.ts';

/** Names the wrapping key: an id, an ARN, an alias or a URI. */
export const KEY_ID = 'encryption-key-id';
/** Names the cipher, where a producer says so. */
export const CIPHER = 'encryption-cipher';

/** The longest ciphertext that KMS decrypts, in bytes (API reference, Decrypt, CiphertextBlob). */
const LONGEST_WRAPPED_KEY = 6144;

/**
 * A wrapped data key, within the bounds of KMS.
 *
 * @throws MalformedPayloadError when there is none, or too much of it
 */
export function wrappedKey(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) throw new MalformedPayloadError('the wrapped data key is empty');
  if (bytes.length > LONGEST_WRAPPED_KEY) throw new MalformedPayloadError('the wrapped data key is too long for KMS');
  return bytes;
}

/**
 * A wrapped data key that is written as standard, padded base64.
 *
 * @throws MalformedPayloadError when it is anything else
 */
export function wrappedKeyFromBase64(text: Uint8Array): Uint8Array {
  const written = asBuffer(text).toString('latin1');
  const decoded = Buffer.from(written, 'base64');
  if (decoded.toString('base64') !== written) throw new MalformedPayloadError('the wrapped data key is not base64');
  return wrappedKey(decoded);
}
