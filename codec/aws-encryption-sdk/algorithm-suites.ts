/**
 * The algorithm suites of AWS Encryption SDK messages that we read: the two that commit to their
 * data key. Without key commitment somebody who holds two data keys can make one message that opens
 * to different plaintexts, so everything else is refused.
 * Specification: `framework/algorithm-suites.md`.
 */

import { createSecretKey, hash, type KeyObject } from 'node:crypto';
import { MalformedPayloadError } from '../errors.ts';

/** Length of data keys, of the keys derived from them, and of key commitments, in bytes. */
export const KEY_LENGTH = 32;
/** Length of the random message id of message version 2, in bytes; it is the salt of the key derivation. */
export const MESSAGE_ID_LENGTH = 32;
/** Length of an AES-GCM initialization vector, in bytes. */
export const IV_LENGTH = 12;
/** Length of an AES-GCM authentication tag, in bytes. */
export const TAG_LENGTH = 16;

/** AES-256-GCM with a key derived by HKDF-SHA-512 and committed to; optionally signed. */
export interface AlgorithmSuite {
  readonly id: number;
  /** As `inspect` shows it. */
  readonly name: string;
  /** Whether a footer holds an ECDSA P-384 signature of header and body. */
  readonly signed: boolean;
}

/** What we write. */
export const COMMITTED: AlgorithmSuite = { id: 0x0478, name: '0x0478', signed: false };
/** The default of the official libraries. */
const COMMITTED_AND_SIGNED: AlgorithmSuite = { id: 0x0578, name: '0x0578', signed: true };

/**
 * The suite with an id.
 *
 * @throws MalformedPayloadError when it is not one of the two
 */
export function algorithmSuiteOf(id: number): AlgorithmSuite {
  if (id === COMMITTED.id) return COMMITTED;
  if (id === COMMITTED_AND_SIGNED.id) return COMMITTED_AND_SIGNED;
  const hex = id.toString(16).padStart(4, '0');
  throw new MalformedPayloadError(
    `algorithm suite 0x${hex} does not commit to its data key: only 0x0478 and 0x0578 do`,
  );
}

// From a data key to the key of one message: HKDF (RFC 5869) with SHA-512, the message id as salt.
// Specification: `framework/algorithm-suites.md` and `framework/transitive-requirements.md`.
//
// This is what most of a message's time goes into, so it is done in the fewest steps there are. One
// extraction serves both expansions, and each of these needs no more than the first block of output:
// three HMACs. These are put together (RFC 2104) from Node's one-shot hash, which takes 6 µs for all
// three; `createHmac` takes 11 and `hkdfSync`, which extracts twice, 13. Intermediate values come back
// as binary strings, twice as fast as a Buffer each. They protect one message, whose plaintext is in
// the same memory; the data key, which protects many, is only ever in memory that is erased.
//
// The result is a KeyObject: made from bytes, each cipher takes Node 24 ten microseconds longer.

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

/** Bytes of a SHA-512 block and of its digest. */
const BLOCK = 128;
const DIGEST = 64;
/** RFC 2104's padding bytes, four at a time. */
const INNER_PAD = 0x36363636;
const OUTER_PAD = 0x5c5c5c5c | 0;

/** Padded key ‖ message, and padded key ‖ inner digest: the inputs of the two hashes of an HMAC. */
const inner = Buffer.alloc(BLOCK + KEY_LENGTH);
const outer = Buffer.alloc(BLOCK + DIGEST);
const innerWords = new Int32Array(inner.buffer, inner.byteOffset, BLOCK / 4);
const outerWords = new Int32Array(outer.buffer, outer.byteOffset, BLOCK / 4);
/** `inner` with a message of so many bytes: making a view takes as long as filling it. */
const innerUpTo = Array.from({ length: KEY_LENGTH + 1 }, (_, length) => inner.subarray(0, BLOCK + length));

/**
 * Derives the keys of one message.
 *
 * @param dataKey 32 bytes; not kept
 * @param messageId 32 bytes, never used before with this data key
 */
export function deriveMessageKeys(suite: AlgorithmSuite, dataKey: Uint8Array, messageId: Uint8Array): MessageKeys {
  try {
    inner.set(messageId, 0);
    padKey(messageId.length);
    const pseudorandomKey = hmac(dataKey);
    inner.write(pseudorandomKey, 0, DIGEST, 'latin1');
    padKey(DIGEST);
    const encryptionKey = hmac(suite.signed ? DERIVE_INFO_SIGNED : DERIVE_INFO).slice(0, KEY_LENGTH);
    const commitKey = hmac(COMMIT_INFO).slice(0, KEY_LENGTH);
    return { encryptionKey: createSecretKey(encryptionKey, 'latin1'), commitKey: Buffer.from(commitKey, 'latin1') };
  } finally {
    inner.fill(0);
    outer.fill(0);
  }
}

/** Makes the HMAC key at the start of `inner` the padded key of both hashes. Its length is a multiple of four. */
function padKey(length: number): void {
  const keyWords = length / 4;
  for (let i = 0; i < keyWords; i++) {
    const word = innerWords[i] as number;
    innerWords[i] = word ^ INNER_PAD;
    outerWords[i] = word ^ OUTER_PAD;
  }
  innerWords.fill(INNER_PAD, keyWords);
  outerWords.fill(OUTER_PAD, keyWords);
}

/** HMAC-SHA-512 of a message of at most 32 bytes, under the key that {@link padKey} was given, as a binary string. */
function hmac(message: Uint8Array): string {
  inner.set(message, BLOCK);
  outer.write(hash('sha512', innerUpTo[message.length] as Buffer, 'binary'), BLOCK, DIGEST, 'latin1');
  return hash('sha512', outer, 'binary');
}

function deriveInfo(suite: AlgorithmSuite): Buffer {
  const id = Buffer.alloc(2);
  id.writeUInt16BE(suite.id);
  return Buffer.concat([id, Buffer.from(`DERIVEKEY${FIRST_BLOCK}`, 'latin1')]);
}
