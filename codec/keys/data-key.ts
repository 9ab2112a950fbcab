import type { EncryptionContext } from '../aws-encryption-sdk/encryption-context.ts';
import type { DataKeyRequest, EncryptedDataKey } from './key-source.ts';

/**
 * A plaintext data key whose memory is zeroed as soon as nobody needs it: its owner (a cache)
 * destroys it, but the bytes are only overwritten once the last user has released it, so that no
 * payload is ever opened with a half-erased key.
 */
export class DataKey {
  /** Name for the audit line: a key ARN, `keyring/name`, or a static key's id. */
  readonly id: string;
  readonly #bytes: Uint8Array;
  #users = 0;
  #destroyed = false;

  /** @param bytes the key; the object owns this memory and zeroes it */
  constructor(id: string, bytes: Uint8Array) {
    this.id = id;
    this.#bytes = bytes;
  }

  /** The key bytes, valid until {@link release}. Never keep, copy or print them. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Whether the owner has given it up; a destroyed key cannot be acquired any more. */
  get destroyed(): boolean {
    return this.#destroyed;
  }

  /**
   * Counts one more user.
   *
   * @throws Error when the key is already destroyed
   */
  acquire(): this {
    if (this.#destroyed) throw new Error('this data key is already destroyed');
    this.#users++;
    return this;
  }

  /** Counts one user less; after the last one a destroyed key is zeroed. */
  release(): void {
    this.#users--;
    if (this.#destroyed && this.#users <= 0) this.#bytes.fill(0);
  }

  /** The owner gives the key up: zeroed now, or when the last user releases it. */
  destroy(): void {
    this.#destroyed = true;
    if (this.#users <= 0) this.#bytes.fill(0);
  }

  /** The name of the key; its bytes are private. */
  toJSON(): string {
    return `[DataKey ${this.id}]`;
  }
}

// Where plaintext data keys are made, such as AWS KMS: the slow, billed, fallible side behind a
// {@link DataKeyCache}. It keeps nothing; what it returns belongs to the cache alone.

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
