/**
 * Where plaintext data keys are made, such as AWS KMS: the slow, billed, fallible side behind a
 * {@link DataKeyCache}. It keeps nothing; what it returns belongs to the cache alone.
 */
import type { EncryptionContext } from '../../aws-encryption-sdk/encryption-context.ts';
import type { DataKey } from '../data-key.ts';
import type { DataKeyRequest, EncryptedDataKey } from '../key-source.ts';

/** What an origin may know of those who wait for it. */
export interface ProviderContext {
  /** The namespace whose keys may be used. */
  readonly namespace: string | undefined;
  /**
   * Milliseconds of `Date.now()` until which somebody waits. It may grow while the call is under
   * way, as others join: read it anew before every attempt.
   */
  readonly deadline: number;
}

/** A new data key that nobody has acquired yet. */
export interface GeneratedDataKey {
  readonly dataKey: DataKey;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
}

export interface DataKeyProvider {
  /** As {@link KeySource.unwraps}. */
  readonly unwraps?: readonly DataKeyRequest['kind'][];

  /**
   * Unwraps a data key.
   *
   * @returns a key that nobody has acquired and that the caller destroys
   * @throws CannotOpenError at once, without a promise, when it can tell without a call; later also
   *   KeyUnavailableError, as {@link KeySource.unwrap}
   */
  unwrap(request: DataKeyRequest, context: ProviderContext): Promise<DataKey>;

  /**
   * Makes a data key of 256 bits.
   *
   * @throws CannotEncodeError at once, without a promise, when it can tell without a call; later also
   *   KeyUnavailableError, as {@link KeySource.materialsFor}
   */
  generate(
    encryptionContext: EncryptionContext,
    context: ProviderContext & { readonly namespace: string },
  ): Promise<GeneratedDataKey>;
}
