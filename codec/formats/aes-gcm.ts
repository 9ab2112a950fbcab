/** AES-256-GCM as every `binary/encrypted` producer uses it: nonce 12 ‖ ciphertext ‖ tag 16. */

import { createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { IV_LENGTH, KEY_LENGTH, TAG_LENGTH } from '../aws-encryption-sdk/algorithm-suites.ts';
import { CannotOpenError, MalformedPayloadError } from '../errors.ts';
import { asBuffer, fromBase64 } from '../payload.ts';

const GCM = { authTagLength: TAG_LENGTH };

/**
 * What Node makes of a key, for as long as the key's memory is kept: a data key opens many payloads.
 * Handing over the bytes makes Node 24 take ten microseconds longer, making a KeyObject each time one.
 */
const keyObjects = new WeakMap<Uint8Array, KeyObject>();

function keyObjectOf(key: Uint8Array): KeyObject {
  let keyObject = keyObjects.get(key);
  if (keyObject === undefined) {
    keyObject = createSecretKey(key);
    keyObjects.set(key, keyObject);
  }
  return keyObject;
}

/**
 * Opens what is sealed.
 *
 * @param key the data key, 32 bytes, whose content never changes but for being erased
 * @param sealed nonce ‖ ciphertext ‖ tag
 * @param aad additional authenticated data
 * @throws CannotOpenError `not-authentic` when the tag does not verify, MalformedPayloadError when it is too short
 */
export function openAesGcm(key: Uint8Array | undefined, sealed: Uint8Array, aad?: Uint8Array): Uint8Array {
  const tagAt = sealed.length - TAG_LENGTH;
  if (tagAt < IV_LENGTH) throw new MalformedPayloadError('the ciphertext is shorter than a nonce and a tag');
  if (key === undefined || key.length !== KEY_LENGTH)
    throw new CannotOpenError('unknown-key', `the data key is not one of ${KEY_LENGTH} bytes`);
  const decipher = createDecipheriv('aes-256-gcm', keyObjectOf(key), sealed.subarray(0, IV_LENGTH), GCM);
  if (aad !== undefined) decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plaintext = decipher.update(sealed.subarray(IV_LENGTH, tagAt));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    throw new CannotOpenError('not-authentic', 'the tag of the ciphertext does not verify');
  }
}

/** What has the tag between nonce and ciphertext, in the order that {@link openAesGcm} takes. */
export function withTagLast(sealed: Uint8Array): Uint8Array {
  const ciphertextAt = IV_LENGTH + TAG_LENGTH;
  return Buffer.concat([
    sealed.subarray(0, IV_LENGTH),
    sealed.subarray(ciphertextAt),
    sealed.subarray(IV_LENGTH, ciphertextAt),
  ]);
}

// Reading what the producers of `binary/encrypted` put into metadata.

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
  const decoded = fromBase64(asBuffer(text).toString('latin1'));
  if (decoded === undefined) throw new MalformedPayloadError('the wrapped data key is not base64');
  return wrappedKey(decoded);
}
