/** AES-256-GCM as every `binary/encrypted` producer uses it: nonce 12 ‖ ciphertext ‖ tag 16. */
import { createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { CannotOpenError, MalformedPayloadError } from '../errors.ts';

const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

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
  if (tagAt < NONCE_LENGTH) throw new MalformedPayloadError('the ciphertext is shorter than a nonce and a tag');
  if (key === undefined || key.length !== KEY_LENGTH)
    throw new CannotOpenError('unknown-key', `the data key is not one of ${KEY_LENGTH} bytes`);
  const decipher = createDecipheriv('aes-256-gcm', keyObjectOf(key), sealed.subarray(0, NONCE_LENGTH), GCM);
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
