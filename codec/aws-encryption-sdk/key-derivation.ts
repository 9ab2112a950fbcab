/**
 * From a data key to the key of one message: HKDF (RFC 5869) with SHA-512, the message id as salt.
 * One extraction serves both expansions, and since each needs no more than the first block of output,
 * the whole derivation is three HMACs.
 * Specification: `framework/algorithm-suites.md` and `framework/transitive-requirements.md`.
 *
 * Keys go into `node:crypto` as KeyObject: made from bytes, a cipher or an HMAC takes Node 24 ten
 * microseconds longer, which is as much as everything else here.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { type AlgorithmSuite, COMMITTED, COMMITTED_AND_SIGNED, KEY_LENGTH } from './algorithm-suites.ts';

/** What a message is encrypted with, and what proves that no other key was meant. */
export interface MessageKeys {
  readonly encryptionKey: KeyObject;
  /** Stands in the header; nobody can find a second data key that gives the same. */
  readonly commitKey: Buffer;
}

/** HKDF's counter of the first output block. */
const FIRST_BLOCK = '\x01';
const COMMIT_INFO = Buffer.from(`COMMITKEY${FIRST_BLOCK}`, 'latin1');
const DERIVE_INFO = deriveInfo(COMMITTED);
const DERIVE_INFO_SIGNED = deriveInfo(COMMITTED_AND_SIGNED);

/**
 * Derives the keys of one message.
 *
 * @param dataKey 32 bytes; not kept
 * @param messageId 32 bytes, never used before with this data key
 */
export function deriveMessageKeys(suite: AlgorithmSuite, dataKey: Uint8Array, messageId: Uint8Array): MessageKeys {
  const pseudorandomKey = secretKey(hmac(createSecretKey(messageId), dataKey));
  const encryptionKey = secretKey(hmac(pseudorandomKey, suite.signed ? DERIVE_INFO_SIGNED : DERIVE_INFO), KEY_LENGTH);
  const commitKey = hmac(pseudorandomKey, COMMIT_INFO).subarray(0, KEY_LENGTH);
  return { encryptionKey, commitKey };
}

function deriveInfo(suite: AlgorithmSuite): Buffer {
  const id = Buffer.alloc(2);
  id.writeUInt16BE(suite.id);
  return Buffer.concat([id, Buffer.from(`DERIVEKEY${FIRST_BLOCK}`, 'latin1')]);
}

function hmac(key: KeyObject, message: Uint8Array): Buffer {
  return createHmac('sha512', key).update(message).digest();
}

/** Takes the bytes over into a KeyObject, and erases them where they were. */
function secretKey(bytes: Buffer, length = bytes.length): KeyObject {
  const key = createSecretKey(length === bytes.length ? bytes : bytes.subarray(0, length));
  bytes.fill(0);
  return key;
}
