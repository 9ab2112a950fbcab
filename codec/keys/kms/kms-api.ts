/**
 * The two things that the codec asks of KMS, and how they fail, without any AWS client: `kms.ts`
 * implements it with the real one.
 */
import type { EncryptionContext } from '../../aws-encryption-sdk/encryption-context.ts';
import type { KeyArn } from './key-arn.ts';

/** A key as calls address it. */
export interface KmsKey extends KeyArn {
  /** ARN of the role that may use it, where it is not the server's own. */
  readonly assumeRole: string | undefined;
}

export interface Kms {
  /**
   * Decrypts a data key with this key and no other.
   *
   * @returns the plaintext data key, in memory of its own that the caller zeroes
   * @throws KmsFault
   */
  decrypt(
    key: KmsKey,
    ciphertext: Uint8Array,
    encryptionContext: EncryptionContext,
    signal: AbortSignal,
  ): Promise<Uint8Array>;

  /**
   * Makes a data key of 256 bits.
   *
   * @throws KmsFault
   */
  generateDataKey(
    key: KmsKey,
    encryptionContext: EncryptionContext,
    signal: AbortSignal,
  ): Promise<{ readonly plaintext: Uint8Array; readonly ciphertext: Uint8Array }>;

  /** Closes its connections. */
  close(): void;
}

/**
 * How a call to AWS fails.
 *
 * - `access-denied`: not allowed, or a role that cannot be assumed
 * - `no-credentials`: this process has none, so KMS was not asked
 * - `disabled`: the key is disabled, pending deletion, or not there
 * - `invalid-ciphertext`: not a ciphertext of this service, or another encryption context
 * - `incorrect-key`: a ciphertext of another key
 * - `throttled`, `unreachable`, `timed-out`: may work in a moment
 */
export type KmsFaultKind =
  | 'access-denied'
  | 'no-credentials'
  | 'disabled'
  | 'invalid-ciphertext'
  | 'incorrect-key'
  | 'throttled'
  | 'unreachable'
  | 'timed-out';

/** A call to KMS failed. Carries no text of AWS but the name of its exception. */
export class KmsFault extends Error {
  override readonly name = 'KmsFault';
  readonly kind: KmsFaultKind;
  /** The name of the exception, such as `DisabledException`; for the log. */
  readonly awsName: string;

  constructor(kind: KmsFaultKind, awsName: string) {
    super(`KMS: ${awsName}`);
    this.kind = kind;
    this.awsName = awsName;
  }
}

// KMS with somebody who is told of every call, for metrics and the log.

/** Told how a call ended: the kind of its fault, or undefined when all was well; and the milliseconds it took. */
export type KmsObserver = (fault: KmsFaultKind | undefined, durationMs: number) => void;

/** Tells `onCall` of every call that `kms` makes. */
export function observeKms(kms: Kms, onCall: KmsObserver): Kms {
  async function observed<T>(call: Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      const answer = await call;
      onCall(undefined, performance.now() - started);
      return answer;
    } catch (error) {
      if (error instanceof KmsFault) onCall(error.kind, performance.now() - started);
      throw error;
    }
  }
  return {
    decrypt: (...call) => observed(kms.decrypt(...call)),
    generateDataKey: (...call) => observed(kms.generateDataKey(...call)),
    close: () => kms.close(),
  };
}
