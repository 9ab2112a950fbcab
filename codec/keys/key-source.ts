/**
 * Where data keys come from, as the codec sees it. A key source is a local keyring, AWS KMS, static
 * keys, or several of them; the codec neither knows nor cares.
 */
import type { EncryptionContext } from '../aws-encryption-sdk/encryption-context.ts';
import type { DataKey } from './data-key.ts';
import type { ForeignKmsFormat } from './kms/foreign-formats.ts';

/** How AWS KMS is named in a message; no keyring may take a name that begins so. */
export const KMS_PROVIDER_ID = 'aws-kms';

/** An encrypted data key of an AWS Encryption SDK message header. */
export interface EncryptedDataKey {
  /** Key provider id: {@link KMS_PROVIDER_ID}, or the key namespace of a raw AES keyring. */
  readonly providerId: string;
  /** Key provider information: a KMS key ARN, or name ‖ tag length ‖ IV length ‖ IV of a raw AES keyring. */
  readonly providerInfo: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Asks for the data key of an AWS Encryption SDK message: any one of its encrypted data keys will do. */
export interface MessageKeyRequest {
  readonly kind: 'message';
  /** The other producer whose message it is; undefined for ours, which names its namespace. */
  readonly format?: ForeignKmsFormat | undefined;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly encryptionContext: EncryptionContext;
}

/** Asks KMS to decrypt a wrapped data key that a foreign format carries. */
export interface KmsKeyRequest {
  readonly kind: 'kms';
  /** The producer's format: a key unwraps for it only where the configuration says so. */
  readonly format: ForeignKmsFormat;
  /** The key that the writer names: an ARN, an id, an alias or a URI. A claim; never used as `KeyId` unless configured. */
  readonly claimedKey: string | undefined;
  readonly ciphertext: Uint8Array;
  readonly encryptionContext: EncryptionContext;
}

/** Asks for a static 256-bit key by its id; the id may be empty. */
export interface StaticKeyRequest {
  readonly kind: 'static';
  readonly keyId: string;
  /**
   * Whether a key opens the payload. Asked only where the id leaves several keys to choose from: an
   * empty id, or the same id in two versions of a secret.
   */
  readonly fits?: (key: Uint8Array) => boolean;
}

/** What a payload needs a data key for, told apart by `kind`. */
export type DataKeyRequest = MessageKeyRequest | KmsKeyRequest | StaticKeyRequest;

/** What one request to the server used, counted for its audit line and the metrics. */
export interface KeyUsage {
  /** Names of the keys used: key ARN, key namespace and name of a keyring's (`codec-server/…`), or `static/…`; never key bytes. */
  readonly keyIds: Set<string>;
  cacheHits: number;
  cacheMisses: number;
}

/** What a key source may know of the request that needs a key. */
export interface KeyContext {
  /** The namespace whose keys may be used: the one the access decision was made for. */
  readonly namespace: string | undefined;
  /** Point in time, in milliseconds of `Date.now()`, after which an answer is of no use. */
  readonly deadline: number;
  readonly usage: KeyUsage;
}

/** A fresh data key and the same key wrapped by each wrapping key that may read it. */
export interface EncryptionMaterials {
  /** Acquired for the caller, who releases it. */
  readonly dataKey: DataKey;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
}

/**
 * Gives data keys. Both methods answer at once, without a promise, when they can: a promise for
 * every payload of a page is what a codec server would spend most of its time on.
 */
export interface KeySource {
  /**
   * Kinds of requests that it can have a key for; the others are refused as unknown. Undefined: any.
   * Where several sources serve together, one is not asked for what it cannot have.
   */
  readonly unwraps?: readonly DataKeyRequest['kind'][];

  /**
   * The plaintext data key that a payload needs, acquired for the caller, who calls
   * {@link DataKey.release} exactly once. Many calls for the same key share one call.
   *
   * @throws CannotOpenError when no configured key opens it, for this namespace, now or later
   * @throws KeyUnavailableError when the service behind it cannot answer now
   */
  unwrap(request: DataKeyRequest, context: KeyContext): DataKey | Promise<DataKey>;

  /**
   * Materials to encrypt `plaintextLength` bytes for a namespace.
   *
   * @throws CannotEncodeError when the namespace has no key to write with
   * @throws KeyUnavailableError when the service behind it cannot answer now
   */
  materialsFor(
    encryptionContext: EncryptionContext,
    plaintextLength: number,
    context: KeyContext & { readonly namespace: string },
  ): EncryptionMaterials | Promise<EncryptionMaterials>;
}

// Where plaintext data keys are made, such as AWS KMS: the slow, billed, fallible side behind a
// {@link DataKeyCache}. It keeps nothing; what it returns belongs to the cache alone.

/** What a provider may know of those who wait for it. */
export interface ProviderContext {
  /** The namespace whose keys may be used. */
  readonly namespace: string | undefined;
  /**
   * Milliseconds of `Date.now()` until which somebody waits. It may grow while the call is under
   * way, as others join: read it anew before every attempt.
   */
  readonly deadline: number;
  /**
   * Called before a further key is tried for one data key, which costs a call that the payload need not have cost.
   *
   * @throws TooManyKeysError when none of those who wait may have another one
   */
  beforeAnotherTry?(): void;
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
