/**
 * Opens the keys of a configuration. What an environment does not use is not loaded: the AWS clients
 * are most of a cold start.
 */
import { resolve } from 'node:path';
import { definedOnly } from '../../codec/defined-only.ts';
import { DataKeyCache } from '../../codec/keys/cache/data-key-cache.ts';
import { combineKeySources } from '../../codec/keys/combined-keys.ts';
import type { KeySource } from '../../codec/keys/key-source.ts';
import { createKms } from '../../codec/keys/kms/kms.ts';
import { type KmsObserver, observeKms } from '../../codec/keys/kms/kms-api.ts';
import { KmsKeys } from '../../codec/keys/kms/kms-key-source.ts';
import type { SecretSourceOptions } from '../../codec/keys/secrets/secret-source.ts';
import type { StaticKeySet } from '../../codec/keys/static/static-keys.ts';
import type {
  KeyringSecretConfig,
  KeysConfig,
  KmsKeyConfig,
  LocalKeyringConfig,
  SecretRef,
  StaticKeysConfig,
} from '../../config/schema.ts';
import type { ObserveSecret } from './audit/observe.ts';

/** What the keys need to know of where they are opened. */
export interface KeysHost {
  /** The folder that relative paths start from. */
  readonly cwd: string;
  /** ARN of the KMS key that the stack created. */
  readonly stackKeyArn?: string | undefined;
  /** ARN of the secret with static keys that the stack created. */
  readonly stackStaticKeysArn?: string | undefined;
  /** ARN of the secret with a keyring that the stack created. */
  readonly stackKeyringSecretArn?: string | undefined;
  /** Told of every call to KMS, for the metrics and the log. */
  readonly onKmsCall?: KmsObserver | undefined;
  /** Told why a keyring file that was changed cannot be used, for the log. */
  readonly onKeyringProblem?: ((message: string) => void) | undefined;
  /** Makes the observer of a secret, for the metrics and the log. */
  readonly observeSecret?: ObserveSecret | undefined;
}

/** Keys in use. */
export interface OpenedKeys {
  readonly source: KeySource;
  /** The keyring file, where there is one, and whether it was made just now. */
  readonly keyring: { readonly path: string; readonly made: boolean } | undefined;
  /** Zeroes the data keys in memory and ends connections. */
  close(): void;
}

/** The configuration names something that there is not here: keys, a secret or a bucket that only a stack has. The message is one sentence for a person. */
export class NotHereError extends Error {
  override readonly name = 'NotHereError';
}

/**
 * Data keys of KMS that one request may have fetched. A page of the Web UI needs a handful; formats with a data key
 * for each payload need as many as they send payloads.
 */
const MOST_FETCHES_PER_REQUEST = 500;

interface Part {
  readonly source: KeySource;
  readonly close: () => void;
}

/**
 * Opens every kind of key that the configuration does not decline. The first that has a key for a
 * namespace writes: KMS and the keyring of a secret, whose namespaces are always named, then the keyring file, which serves all unless
 * told otherwise. All of them read.
 *
 * @throws NotHereError when there are none, or only a stack can give them
 * @throws PrivateFileError when a file of keys cannot be used
 */
export function openServerKeys(config: KeysConfig, host: KeysHost): Promise<OpenedKeys> {
  return openKeys(config, host, openKeyring);
}

/** The same on AWS, where there are no keyring files. */
export function openFunctionKeys(config: KeysConfig, host: KeysHost): Promise<OpenedKeys> {
  return openKeys(config, host, undefined);
}

async function openKeys(
  config: KeysConfig,
  host: KeysHost,
  openFile: typeof openKeyring | undefined,
): Promise<OpenedKeys> {
  const parts: Part[] = [];
  let keyring: OpenedKeys['keyring'];
  if (config.kms !== null) parts.push(await openKms(config.kms, config, host));
  if (config.keyringSecret) parts.push(await openKeyringSecret(config.keyringSecret, config, host));
  if (config.keyring !== null) {
    if (openFile === undefined) throw new NotHereError('keys.keyring is a file, and there are none here: write null.');
    const opened = await openFile(config.keyring, config, host);
    keyring = opened.keyring;
    parts.push(opened);
  }
  if (config.staticKeys !== null) parts.push(await openStaticKeys(config.staticKeys, config, host));
  const [first, ...more] = parts.map(({ source }) => source);
  if (first === undefined)
    throw new NotHereError(
      'The configuration has no keys: give it keys.keyring, keys.keyringSecret, keys.kms or keys.staticKeys.',
    );
  return {
    source: combineKeySources(first, ...more),
    keyring,
    close: () => {
      for (const part of parts) part.close();
    },
  };
}

async function openKeyring(
  { file, namespaces }: LocalKeyringConfig,
  { cache }: KeysConfig,
  host: KeysHost,
): Promise<Part & Pick<OpenedKeys, 'keyring'>> {
  const [{ readOrMakeKeyringFile }, { followKeyringFile }, { KeyringKeySource }] = await Promise.all([
    import('../../codec/keys/keyring/keyring-file.ts'),
    import('../../codec/keys/keyring/keyring-file.ts'),
    import('../../codec/keys/keyring/keyring-key-source.ts'),
  ]);
  const path = resolve(host.cwd, file);
  const { keyring, made } = readOrMakeKeyringFile(path);
  const keys = new KeyringKeySource(followKeyringFile(path, keyring, undefined, host.onKeyringProblem), {
    namespaces,
    ...cache,
    writeLimits: cache,
  });
  return { source: keys, keyring: { path, made }, close: () => keys.clear() };
}

async function openKeyringSecret(
  { secret, namespaces }: KeyringSecretConfig,
  { cache }: KeysConfig,
  host: KeysHost,
): Promise<Part> {
  const [{ KeyringSecretSource }, { secretsManagerReader }] = await Promise.all([
    import('../../codec/keys/keyring/keyring-secret-source.ts'),
    import('../../codec/keys/secrets/secrets-manager.ts'),
  ]);
  const arn = secretArn(secret, host.stackKeyringSecretArn, 'keys.keyringSecret.secret');
  const source = new KeyringSecretSource(secretsManagerReader({ arn, previous: false }), {
    namespaces,
    ...cache,
    writeLimits: cache,
    observe: host.observeSecret?.('keyring'),
  });
  return { source, close: () => source.clear() };
}

async function openKms(entries: readonly KmsKeyConfig[], { cache }: KeysConfig, host: KeysHost): Promise<Part> {
  const client = createKms();
  await client.ready;
  const kms = host.onKmsCall === undefined ? client : observeKms(client, host.onKmsCall);
  const pairings = entries.flatMap((entry, index) => {
    if (entry.write !== 'created-by-stack') return [{ ...entry, write: entry.write }];
    // No other producer has ever wrapped with the key of the stack: it is not asked for their data keys.
    const { namespaces, read = [] } = entry;
    const written = { namespaces, write: stackKey(host, `keys.kms[${index}].write`) };
    return read.length === 0 ? [written] : [written, { ...entry, write: null }];
  });
  const cached = new DataKeyCache(new KmsKeys(pairings, { kms }), {
    ...cache,
    maxFetchesPerRequest: MOST_FETCHES_PER_REQUEST,
  });
  return {
    source: cached,
    close: () => {
      cached.close();
      kms.close();
    },
  };
}

function stackKey({ stackKeyArn }: KeysHost, path: string): string {
  if (stackKeyArn !== undefined) return stackKeyArn;
  throw new NotHereError(`${path} is 'created-by-stack', and there is no stack here: write the ARN of a key.`);
}

async function openStaticKeys(config: StaticKeysConfig, { cache }: KeysConfig, host: KeysHost): Promise<Part> {
  const [{ StaticKeySource }, { eraseStaticKeys, samplesTestKeys }, { createSecretSource }] = await Promise.all([
    import('../../codec/keys/static/static-key-source.ts'),
    import('../../codec/keys/static/static-keys.ts'),
    import('../../codec/keys/secrets/secret-source.ts'),
  ]);
  if ('samplesTestKey' in config) return { source: new StaticKeySource(samplesTestKeys()), close: () => {} };
  const keys = createSecretSource({
    ...(await staticKeysReader(config, host)),
    discard: eraseStaticKeys,
    observe: host.observeSecret?.('static keys'),
    ...definedOnly({ ttlSeconds: cache?.ttlSeconds }),
  });
  return { source: new StaticKeySource(keys), close: () => {} };
}

/** @throws PrivateFileError for a file that cannot be used, at once; NotHereError when only a stack can give the secret */
async function staticKeysReader(
  config: Exclude<StaticKeysConfig, { samplesTestKey: true }>,
  host: KeysHost,
): Promise<Pick<SecretSourceOptions<StaticKeySet>, 'read' | 'parse'>> {
  const { eraseStaticKeys, parseStaticKeySecret } = await import('../../codec/keys/static/static-keys.ts');
  if ('file' in config) {
    const { readStaticKeysFile, staticKeysFile } = await import('../../codec/keys/static/static-keys-file.ts');
    const path = resolve(host.cwd, config.file);
    eraseStaticKeys(readStaticKeysFile(path));
    return staticKeysFile(path);
  }
  const { secretsManagerReader } = await import('../../codec/keys/secrets/secrets-manager.ts');
  const arn = secretArn(config.secret, host.stackStaticKeysArn, 'keys.staticKeys.secret');
  return { read: secretsManagerReader({ arn, previous: false }), parse: parseStaticKeySecret };
}

/**
 * The ARN of a secret.
 *
 * @param path the field of the configuration, for the error
 * @throws NotHereError when only a stack can give it
 */
export function secretArn(ref: SecretRef, stackArn: string | undefined, path: string): string {
  if (ref !== 'created-by-stack') return ref.arn;
  if (stackArn !== undefined) return stackArn;
  throw new NotHereError(`${path} is 'created-by-stack', and there is no stack here: write { arn: '…' }.`);
}
