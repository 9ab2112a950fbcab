/** AES-256-GCM as every `binary/encrypted` producer uses it: nonce 12 ‖ ciphertext ‖ tag 16. */
import { createDecipheriv, createSecretKey } from 'node:crypto';
import { CannotOpenError, MalformedPayloadError } from '../errors.ts';

const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/**
 * Opens what is sealed.
 *
 * @param key the data key, 32 bytes
 * @param sealed nonce ‖ ciphertext ‖ tag
 * @param aad additional authenticated data
 * @throws CannotOpenError `not-authentic` when the tag does not verify, MalformedPayloadError when it is too short
 */
export function openAesGcm(key: Uint8Array | undefined, sealed: Uint8Array, aad?: Uint8Array): Uint8Array {
  const tagAt = sealed.length - TAG_LENGTH;
  if (tagAt < NONCE_LENGTH) throw new MalformedPayloadError('the ciphertext is shorter than a nonce and a tag');
  if (key === undefined || key.length !== KEY_LENGTH)
    throw new CannotOpenError('unknown-key', `the data key is not one of ${KEY_LENGTH} bytes`);
  // A KeyObject: handing over the key's bytes makes Node take several times as long.
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), sealed.subarray(0, NONCE_LENGTH), {
    authTagLength: TAG_LENGTH,
  });
  if (aad !== undefined) decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plaintext = decipher.update(sealed.subarray(NONCE_LENGTH, tagAt));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    throw new CannotOpenError('not-authentic', 'the tag of the ciphertext does not verify');
  }
}
