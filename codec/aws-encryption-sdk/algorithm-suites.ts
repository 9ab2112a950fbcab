/**
 * The algorithm suites of AWS Encryption SDK messages that we read: the two that commit to their
 * data key. Without key commitment somebody who holds two data keys can make one message that opens
 * to different plaintexts, so everything else is refused.
 * Specification: `framework/algorithm-suites.md`.
 */
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
export const COMMITTED_AND_SIGNED: AlgorithmSuite = { id: 0x0578, name: '0x0578', signed: true };

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
