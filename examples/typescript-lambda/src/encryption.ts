/** The plugin of the function and of its workflow bundle: with a KMS key by its ARN, or a keyring file for a try on this machine. */
import { encryptionPlugin } from 'temporal-codec-server-worker';

const { CODEC_KMS_KEY: kms, CODEC_KEYRING: keyring = '../../.codec-server/keyring.json' } = process.env;

/**
 * Made once for an instance of the function, so that an invocation that finds it warm fetches no data key. It takes the
 * namespace from the worker of each invocation. Do not close it in a shutdown hook: those run after every invocation.
 */
export const plugins = [encryptionPlugin({ keys: kms ? { kms } : { keyring } })];
