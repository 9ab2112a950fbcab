/**
 * The keys of a worker's or client's codec, from its options.
 */

import { type Clock, systemClock } from '../calls/clock.ts';
import { definedOnly } from '../defined-only.ts';
import { CodecOptionsError } from '../errors.ts';
import { DataKeyCache, type DataKeyCacheSettings } from './cache/data-key-cache.ts';
import { combineKeySources } from './combined-keys.ts';
import type { KeySource } from './key-source.ts';
import { followKeyringFile, readKeyringFile } from './keyring/keyring-file.ts';
import { KeyringKeySource } from './keyring/keyring-key-source.ts';
import { KeyringSecretSource } from './keyring/keyring-secret-source.ts';
import { createKms } from './kms/kms.ts';
import type { Kms } from './kms/kms-api.ts';
import type { CallSettings } from './kms/kms-caller.ts';
import { type KmsKeyPairing, KmsKeys } from './kms/kms-key-source.ts';
import { secretsManagerReader } from './secrets/secrets-manager.ts';
import { StaticKeySource } from './static/static-key-source.ts';
import { eraseStaticKeys, parseStaticKeys } from './static/static-keys.ts';

interface KeyOptions {
  /** Path of a keyring file, such as the one that the local codec server makes. */
  readonly keyring: string;
  /**
   * AWS KMS: the ARN of the key that reads and writes the namespace, or the pairs of namespaces and
   * keys of a codec server's configuration. Region and account are the ARN's; credentials come from
   * the environment, as for every AWS client.
   */
  readonly kms: string | readonly KmsKeyPairing[];
  /**
   * ARN of a secret of Secrets Manager that holds a keyring document, for the codec's own namespace and those in `alsoDecode`.
   * No call to KMS, and shorter payloads; but whoever may read the secret reads every namespace that uses it.
   */
  readonly keyringSecret: string;
  /** A key source of your own. It is closed by whoever made it. */
  readonly source: KeySource;
  /**
   * For reading what was written with a codec like those of Temporal's samples, before: JSON text,
   * `{"keys":[{"id":"…","key":"<base64, 32 bytes>","namespaces":["orders-dev.a1b2c"]}]}`. The samples' public
   * key is refused, since everybody could write payloads with it.
   */
  readonly staticKeys: string;
}

/**
 * Where data keys come from: at least one of `source`, `kms`, `keyringSecret` and `keyring`. The first of these, in this
 * order, that has a key for the namespace writes, and all of them read.
 */
export type CodecKeys =
  | (Pick<KeyOptions, 'keyring'> & Partial<KeyOptions>)
  | (Pick<KeyOptions, 'keyringSecret'> & Partial<KeyOptions>)
  | (Pick<KeyOptions, 'kms'> & Partial<KeyOptions>)
  | (Pick<KeyOptions, 'source'> & Partial<KeyOptions>);

/** Keys in use, and how to be done with them. */
export interface OpenedWorkerKeys {
  readonly source: KeySource;
  /** Zeroes the data keys in memory. */
  close(): void;
}

/** What besides the namespace itself is read. */
export interface PeerKeys {
  /** Full names of namespaces, with `*` for any run of characters. */
  readonly namespaces: readonly string[];
  /** ARNs of the KMS keys that wrote there; the codec's own key is tried as well. */
  readonly kms: readonly string[];
}

/** Distinct data keys that a worker keeps by default: a long history, replayed, needs all of its keys at once. */
const WORKER_MAX_KEYS = 20_000;

/**
 * Opens the keys.
 *
 * @throws CodecOptionsError when there are none, or one of them is not what it must be
 * @throws PrivateFileError when the keyring file is missing, unreadable, or readable by others
 */
export function openWorkerKeys(
  keys: CodecKeys,
  namespace: string,
  cache: Partial<DataKeyCacheSettings> = {},
  peers: readonly PeerKeys[] = [],
): OpenedWorkerKeys {
  const settings = { maxKeys: WORKER_MAX_KEYS, ...definedOnly(cache) };
  const opened: OpenedWorkerKeys[] = [];
  if (keys.source !== undefined) opened.push({ source: keys.source, close: () => {} });
  const kms = kmsPairings(keys.kms, namespace, peers);
  if (kms.length > 0) opened.push(openKms(kms, settings));
  if (keys.keyringSecret !== undefined)
    opened.push(openKeyringSecret(keys.keyringSecret, [namespace, ...peers.flatMap((it) => it.namespaces)], settings));
  if (keys.keyring !== undefined) opened.push(openKeyring(keys.keyring, settings));
  if (opened.length > 0 && keys.staticKeys !== undefined) opened.push(openStaticKeys(keys.staticKeys));
  const [first, ...more] = opened.map(({ source }) => source);
  if (first === undefined || writesWith(keys) === undefined) throw new CodecOptionsError(NO_KEYS);
  return {
    source: combineKeySources(first, ...more),
    close() {
      for (const { close } of opened) close();
    },
  };
}

/** What is said where nothing writes. */
export const NO_KEYS =
  'keys names none to write with: give it a keyring file, a KMS key, a secret with a keyring, or a source of your own';

/** The first of the keys that write; undefined where there are none. */
export function writesWith(keys: Partial<KeyOptions>): unknown {
  return keys.source ?? keys.kms ?? keys.keyringSecret ?? keys.keyring;
}

/** Which KMS keys write and read what: those given, and behind them those of the namespaces that are read besides. */
function kmsPairings(keys: CodecKeys['kms'], namespace: string, peers: readonly PeerKeys[]): KmsKeyPairing[] {
  const own = typeof keys === 'string' ? [{ namespaces: [namespace], write: keys }] : (keys ?? []);
  const shared = typeof keys === 'string' ? [keys] : [];
  const further = peers.map(({ namespaces, kms }) => ({ namespaces, write: null, read: [...kms, ...shared] }));
  return [...own, ...further.filter(({ read }) => read.length > 0)];
}

function openKms(pairings: readonly KmsKeyPairing[], cache: Partial<DataKeyCacheSettings>): OpenedWorkerKeys {
  const kms = createKms();
  const source = orOptionsError('keys.kms', () => createKmsDataKeys({ pairings, cache, kms }));
  return {
    source,
    close() {
      source.close();
      kms.close();
    },
  };
}

function openKeyring(path: string, cache: Partial<DataKeyCacheSettings>): OpenedWorkerKeys {
  const source = new KeyringKeySource(followKeyringFile(path, readKeyringFile(path)), {
    ...cache,
    writeLimits: cache,
  });
  return { source, close: () => source.clear() };
}

function openKeyringSecret(
  arn: string,
  namespaces: readonly string[],
  cache: Partial<DataKeyCacheSettings>,
): OpenedWorkerKeys {
  const read = orOptionsError('keys.keyringSecret', () => secretsManagerReader({ arn, previous: false }));
  const source = new KeyringSecretSource(read, { namespaces, ...cache, writeLimits: cache });
  return { source, close: () => source.clear() };
}

function openStaticKeys(text: string): OpenedWorkerKeys {
  const keys = orOptionsError('keys.staticKeys', () => parseStaticKeys(text, 'refused'));
  return { source: new StaticKeySource(keys), close: () => eraseStaticKeys(keys) };
}

/** Names the option in the error of whatever reads it. */
function orOptionsError<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new CodecOptionsError(`${option}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

// Data keys of AWS KMS behind the cache, ready to use, for workers and clients.

export interface KmsDataKeysOptions {
  /** Which keys serve which namespaces. The first entry that covers a namespace writes it; every entry that covers it reads it. */
  readonly pairings: readonly KmsKeyPairing[];
  readonly cache?: Partial<DataKeyCacheSettings>;
  /** How calls to KMS are repeated and limited. */
  readonly calls?: Partial<CallSettings>;
  /** Default: the real one. */
  readonly kms?: Kms;
  readonly clock?: Clock;
}

/**
 * Makes the key source. Keep it for the life of the process: a cache for each request would call KMS
 * for each. `close()` zeroes what it holds.
 *
 * @throws Error when something that must be the ARN of a key is none
 */
export function createKmsDataKeys(options: KmsDataKeysOptions): DataKeyCache {
  const { pairings, cache = {}, calls = {}, kms = createKms(), clock = systemClock } = options;
  return new DataKeyCache(new KmsKeys(pairings, { kms, calls, clock }), cache, clock);
}
