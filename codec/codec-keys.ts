/**
 * The keys of a worker's or client's codec, from its options.
 */
import { CodecOptionsError } from './errors.ts';
import { combineKeySources } from './keys/combined-keys.ts';
import { DataKeyCache, type DataKeyCacheSettings } from './keys/data-key-cache.ts';
import type { KeySource } from './keys/key-source.ts';
import { readKeyringFile } from './keys/keyring-file.ts';
import { followKeyringFile } from './keys/keyring-holder.ts';
import { KeyringKeys } from './keys/keyring-keys.ts';
import { createKms } from './keys/kms.ts';
import { type KmsKeyPairing, KmsKeys } from './keys/kms-key-source.ts';

interface KeyOptions {
  /** Path of a keyring file, such as the one that the local codec server makes. */
  readonly keyring: string;
  /**
   * AWS KMS: the ARN of the key that reads and writes the namespace, or the pairs of namespaces and
   * keys of a codec server's configuration. Region and account are the ARN's; credentials come from
   * the environment, as for every AWS client.
   */
  readonly kms: string | readonly KmsKeyPairing[];
  /** A key source of your own. */
  readonly source: KeySource;
}

/**
 * Where data keys come from; at least one. The first of `source`, `kms` and `keyring` that has a key
 * for the namespace writes, and all of them read.
 */
export type CodecKeys =
  | (Pick<KeyOptions, 'keyring'> & Partial<KeyOptions>)
  | (Pick<KeyOptions, 'kms'> & Partial<KeyOptions>)
  | (Pick<KeyOptions, 'source'> & Partial<KeyOptions>);

/** Keys in use, and how to be done with them. */
export interface OpenedKeys {
  readonly source: KeySource;
  /** Zeroes the data keys in memory. */
  close(): void;
}

/**
 * Opens the keys.
 *
 * @throws CodecOptionsError when there are none, or something that must be the ARN of a KMS key is not
 * @throws KeyringFileError when the keyring file is missing, unreadable, or readable by others
 */
export function openKeys(keys: CodecKeys, namespace: string, cache: Partial<DataKeyCacheSettings> = {}): OpenedKeys {
  const sources: KeySource[] = [];
  const closers: (() => void)[] = [];
  if (keys.source !== undefined) sources.push(keys.source);
  if (keys.kms !== undefined) {
    const kms = createKms();
    const cached = new DataKeyCache(kmsKeys(keys.kms, namespace, kms), cache);
    sources.push(cached);
    closers.push(() => {
      cached.close();
      kms.close();
    });
  }
  if (keys.keyring !== undefined) {
    const keyring = followKeyringFile(keys.keyring, readKeyringFile(keys.keyring));
    const local = new KeyringKeys(keyring, { ttlSeconds: cache.ttlSeconds });
    sources.push(local);
    closers.push(() => local.clear());
  }
  const [first, ...more] = sources;
  if (first === undefined)
    throw new CodecOptionsError('keys names no keys: give it a keyring file, a KMS key, or a source of your own');
  return { source: combineKeySources(first, ...more), close: () => closers.forEach((close) => void close()) };
}

function kmsKeys(
  keys: string | readonly KmsKeyPairing[],
  namespace: string,
  kms: ReturnType<typeof createKms>,
): KmsKeys {
  const pairings = typeof keys === 'string' ? [{ namespaces: [namespace], write: keys }] : keys;
  try {
    return new KmsKeys(pairings, { kms });
  } catch (error) {
    throw new CodecOptionsError(`keys.kms: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
