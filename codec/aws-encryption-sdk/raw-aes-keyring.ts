/**
 * A raw AES keyring: data keys wrapped by a 256-bit key that the caller holds, as the official AWS
 * Encryption SDKs write and read them (wrapping algorithm AES-256-GCM, 12-byte IV, 16-byte tag).
 *
 * In the encrypted data key, the provider id is the keyring's namespace, the provider information is
 * name ‖ tag length in bits (u32) ‖ IV length in bytes (u32) ‖ IV, and the ciphertext is wrapped
 * key ‖ tag. The serialized encryption context is the additional authenticated data.
 * Specification: `framework/raw-aes-keyring.md`.
 */

import { isUtf8 } from 'node:buffer';
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { CannotOpenError } from '../errors.ts';
import { type EncryptedDataKey, KMS_PROVIDER_ID } from '../keys/key-source.ts';
import { asBuffer } from '../payload.ts';
import { IV_LENGTH, KEY_LENGTH, TAG_LENGTH } from './algorithm-suites.ts';
import { type EncryptionContext, serializeEncryptionContext } from './encryption-context.ts';

/** The key that wraps data keys. */
export interface RawAesWrappingKey {
  /** The keyring's key namespace; not a Temporal namespace. Never `aws-kms`. */
  readonly namespace: string;
  readonly name: string;
  /** 256 bits. */
  readonly key: Uint8Array;
}

/** Which wrapping key an encrypted data key names. */
export interface RawAesKeyName {
  readonly namespace: string;
  readonly name: string;
}

/** Tag length, IV length, IV: what follows the name in the provider information. */
const AFTER_NAME = 4 + 4 + IV_LENGTH;

/**
 * Wraps a data key of 32 bytes for an encryption context.
 *
 * @throws CannotEncodeError when the context cannot be serialized
 */
export function wrapDataKey(
  wrappingKey: RawAesWrappingKey,
  dataKey: Uint8Array,
  encryptionContext: EncryptionContext,
): EncryptedDataKey {
  const aad = serializeEncryptionContext(encryptionContext);
  const name = Buffer.from(wrappingKey.name, 'utf8');
  const providerInfo = Buffer.allocUnsafe(name.length + AFTER_NAME);
  providerInfo.set(name, 0);
  providerInfo.writeUInt32BE(TAG_LENGTH * 8, name.length);
  providerInfo.writeUInt32BE(IV_LENGTH, name.length + 4);
  const iv = randomBytes(IV_LENGTH);
  providerInfo.set(iv, name.length + 8);

  // A KeyObject, because a cipher made from key bytes costs Node 24 ten microseconds more
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(wrappingKey.key), iv, { authTagLength: TAG_LENGTH });
  cipher.setAAD(aad);
  const wrapped = cipher.update(dataKey);
  cipher.final();
  return {
    providerId: wrappingKey.namespace,
    providerInfo,
    ciphertext: Buffer.concat([wrapped, cipher.getAuthTag()]),
  };
}

/**
 * Which wrapping key of a raw AES keyring an encrypted data key names, read without any key. It is
 * the writer's claim until {@link unwrapDataKey} succeeds.
 *
 * @returns undefined when it is none of a raw AES keyring with our wrapping algorithm
 */
export function rawAesKeyNameOf(encryptedDataKey: EncryptedDataKey): RawAesKeyName | undefined {
  if (encryptedDataKey.providerId === KMS_PROVIDER_ID) return undefined;
  const info = asBuffer(encryptedDataKey.providerInfo);
  const nameLength = info.length - AFTER_NAME;
  if (nameLength < 0 || encryptedDataKey.ciphertext.length !== KEY_LENGTH + TAG_LENGTH) return undefined;
  if (info.readUInt32BE(nameLength) !== TAG_LENGTH * 8 || info.readUInt32BE(nameLength + 4) !== IV_LENGTH)
    return undefined;
  const name = info.subarray(0, nameLength);
  if (!isUtf8(name)) return undefined;
  return { namespace: encryptedDataKey.providerId, name: name.toString('utf8') };
}

/**
 * Unwraps a data key.
 *
 * @returns the data key, 32 bytes in memory of their own for the caller to zero, or undefined when
 *   the encrypted data key names another wrapping key
 * @throws CannotOpenError with reason `wrong-context` when it names this key and does not
 *   authenticate: it was tampered with, or wrapped for another encryption context or key
 */
export function unwrapDataKey(
  wrappingKey: RawAesWrappingKey,
  encryptedDataKey: EncryptedDataKey,
  encryptionContext: EncryptionContext,
): Buffer | undefined {
  const named = rawAesKeyNameOf(encryptedDataKey);
  if (named === undefined || named.namespace !== wrappingKey.namespace || named.name !== wrappingKey.name)
    return undefined;
  const { ciphertext, providerInfo } = encryptedDataKey;
  const iv = providerInfo.subarray(providerInfo.length - IV_LENGTH);
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(wrappingKey.key), iv, { authTagLength: TAG_LENGTH });
  decipher.setAAD(serializeEncryptionContext(encryptionContext));
  decipher.setAuthTag(ciphertext.subarray(KEY_LENGTH));
  const dataKey = decipher.update(ciphertext.subarray(0, KEY_LENGTH));
  try {
    decipher.final();
    return dataKey;
  } catch {
    dataKey.fill(0);
    throw new CannotOpenError(
      'wrong-context',
      `the data key wrapped by ${named.namespace}/${named.name} does not authenticate`,
    );
  }
}
