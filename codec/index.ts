/**
 * Encrypts and decrypts the payloads of Temporal workers and clients, with the formats and keys of the
 * codec server.
 *
 * ```ts
 * import { createDataConverter } from 'temporal-codec-server-worker';
 *
 * const dataConverter = createDataConverter({
 *   namespace: 'orders-prod.a1b2c',
 *   keys: { kms: 'arn:aws:kms:eu-central-1:111122223333:key/…' },
 * });
 * const client = new Client({ namespace: 'orders-prod.a1b2c', connection, dataConverter });
 * ```
 *
 * @module
 */
export type { EncryptionContext } from './aws-encryption-sdk/encryption-context.ts';
export { AWS_ENCRYPTION_SDK_ENCODING } from './aws-encryption-sdk/reader.ts';
export {
  CannotEncodeError,
  type CannotOpenCause,
  CannotOpenError,
  CodecError,
  CodecOptionsError,
  KeyUnavailableError,
  PrivateFileError,
  type PrivateFileProblem,
  type StorageCause,
  type UnavailableCause,
} from './errors.ts';
export type { Compression } from './formats/compression.ts';
export type { DataKeyCacheSettings } from './keys/cache/data-key-cache.ts';
export { DataKey } from './keys/data-key.ts';
export type {
  DataKeyRequest,
  EncryptedDataKey,
  EncryptionMaterials,
  KeyContext,
  KeySource,
  KeyUsage,
  KmsKeyRequest,
  MessageKeyRequest,
  StaticKeyRequest,
} from './keys/key-source.ts';
export type { KmsKeyPairing } from './keys/kms/kms-key-source.ts';
export type { CodecKeys } from './keys/worker-keys.ts';
export {
  createDataConverter,
  createPayloadCodec,
  type DataConverterOptions,
  type EncryptingDataConverter,
  type EncryptingPayloadCodec,
  type PayloadCodecOptions,
} from './payload-codec.ts';
export type { CodecSettings, PeerNamespace } from './worker/options.ts';
export { type EncryptionPlugin, type EncryptionPluginOptions, encryptionPlugin } from './worker/plugin.ts';
