/** Where Temporal is and which keys to use, from the environment; without any, everything on this machine. */
import { type CodecKeys, createDataConverter } from 'temporal-codec-server-worker';

const { env } = process;

export const address = env['TEMPORAL_ADDRESS'] ?? 'localhost:7233';
export const namespace = env['TEMPORAL_NAMESPACE'] ?? 'default';
export const taskQueue = 'orders';

/** A KMS key by its ARN, or the keyring that the local codec server made when it was started. */
const keys: CodecKeys = env['CODEC_KMS_KEY']
  ? { kms: env['CODEC_KMS_KEY'] }
  : { keyring: env['CODEC_KEYRING'] ?? '../../.codec-server/keyring.json' };

/** Worker and client use the same one. The namespace must be the one they connect to. */
export const dataConverter = createDataConverter({ namespace, keys, compression: 'zstd' });
