/**
 * Data keys under a local keyring. Everything here is computation on this machine, so every answer is
 * synchronous. Unwrapped keys are kept for a while all the same: it saves a sixth of opening a
 * message of 300 bytes (measured: 1.2 µs to look one up, 6.6 µs to unwrap it, 30 µs for the rest).
 */

import { randomBytes } from 'node:crypto';
import { KEY_LENGTH } from '../../aws-encryption-sdk/algorithm-suites.ts';
import type { EncryptionContext } from '../../aws-encryption-sdk/encryption-context.ts';
import {
  type RawAesWrappingKey,
  rawAesKeyNameOf,
  unwrapDataKey,
  wrapDataKey,
} from '../../aws-encryption-sdk/raw-aes-keyring.ts';
import { BoundedCache } from '../../bounded-cache.ts';
import { type Clock, systemClock } from '../../calls/clock.ts';
import { definedOnly } from '../../defined-only.ts';
import { CannotEncodeError, CannotOpenError } from '../../errors.ts';
import { createNamespaceMatcher } from '../../namespace-pattern.ts';
import { nameOfRequest, nameOfWriter } from '../cache/cache-key.ts';
import { DEFAULT_CACHE_SETTINGS } from '../cache/data-key-cache.ts';
import { WriteKey, type WriteLimits } from '../cache/write-key.ts';
import { DataKey } from '../data-key.ts';
import { namesPresent, namesWanted } from '../key-names.ts';
import {
  type DataKeyRequest,
  type EncryptionMaterials,
  type KeyContext,
  type KeySource,
  KMS_PROVIDER_ID,
  type MessageKeyRequest,
} from '../key-source.ts';
import type { Keyring } from './keyring.ts';
import type { FollowedKeyring } from './keyring-file.ts';

export interface KeyringKeySourceOptions {
  /** Temporal namespaces it serves, with `*`. Default: all, and payloads that are bound to none. */
  readonly namespaces?: readonly string[] | undefined;
  /** How much one data key writes. Default 10,000 messages or 1 GiB. */
  readonly writeLimits?: Partial<WriteLimits> | undefined;
  /** Distinct data keys kept. Default 1,000. */
  readonly maxKeys?: number | undefined;
  /** Seconds for which a data key is kept for reading. Default 300. */
  readonly ttlSeconds?: number | undefined;
  /** Seconds for which a data key writes, unless the keyring changes. Default a day. */
  readonly writeSeconds?: number | undefined;
  readonly clock?: Clock | undefined;
}

export class KeyringKeySource implements KeySource {
  readonly unwraps = ['message'] as const;
  readonly #followed: FollowedKeyring;
  readonly #serves: (namespace: string | undefined) => boolean;
  readonly #limits: WriteLimits;
  readonly #clock: Clock;
  readonly #writeKeys: BoundedCache<WriteKey>;
  readonly #unwrapped: BoundedCache<DataKey>;
  #keys: ReadonlyMap<string, RawAesWrappingKey>;

  constructor(keyring: Keyring | FollowedKeyring, options: KeyringKeySourceOptions = {}) {
    this.#followed = 'refresh' in keyring ? keyring : { keyring, refresh: () => false };
    this.#limits = { ...DEFAULT_CACHE_SETTINGS, ...definedOnly(options.writeLimits ?? {}) };
    this.#clock = options.clock ?? systemClock;
    const { maxKeys, ttlSeconds, writeSeconds } = { ...DEFAULT_CACHE_SETTINGS, ...definedOnly(options) };
    this.#writeKeys = new BoundedCache(maxKeys, writeSeconds * 1000, (key) => key.retire());
    this.#unwrapped = new BoundedCache(maxKeys, ttlSeconds * 1000, (key) => key.destroy());
    this.#keys = wrappingKeys(this.#followed.keyring);
    const { namespaces } = options;
    const matches = namespaces === undefined ? () => true : createNamespaceMatcher(namespaces);
    this.#serves = (namespace) => (namespace === undefined ? namespaces === undefined : matches(namespace));
  }

  unwrap(request: DataKeyRequest, { namespace, usage }: KeyContext): DataKey {
    if (request.kind !== 'message' || request.format !== undefined)
      throw new CannotOpenError('unknown-key', 'a keyring opens messages of our own alone');
    // A file that cannot be used says nothing of what is under KMS.
    if (request.encryptedDataKeys.every(({ providerId }) => providerId === KMS_PROVIDER_ID))
      throw this.#unknown(request);
    // A key that was taken out of the file must not go on reading.
    this.#refresh();
    const name = nameOfRequest(request, namespace);
    const now = this.#clock.now();
    let key = this.#unwrapped.get(name, now);
    if (key === undefined) {
      key = this.#unwrap(request, namespace);
      usage.cacheMisses++;
      this.#unwrapped.set(name, key, now);
    } else usage.cacheHits++;
    return key.acquire();
  }

  materialsFor(
    encryptionContext: EncryptionContext,
    plaintextLength: number,
    { namespace, deadline }: KeyContext & { readonly namespace: string },
  ): EncryptionMaterials | Promise<EncryptionMaterials> {
    if (!this.#serves(namespace))
      throw new CannotEncodeError('the keyring does not serve the namespace that is to be written');
    this.#refresh();
    const name = nameOfWriter(encryptionContext, namespace);
    const now = this.#clock.now();
    let key = this.#writeKeys.get(name, now);
    if (key === undefined || !key.fits(plaintextLength)) {
      key = this.#newWriteKey(encryptionContext);
      this.#writeKeys.set(name, key, now);
    }
    return key.take(plaintextLength, deadline);
  }

  /** Zeroes the data keys that are kept. Those in use are zeroed when their last user is done. */
  clear(): void {
    this.#writeKeys.clear();
    this.#unwrapped.clear();
  }

  #unwrap(request: MessageKeyRequest, namespace: string | undefined): DataKey {
    let failure: CannotOpenError | undefined;
    for (const wrapped of request.encryptedDataKeys) {
      if (wrapped.providerId !== this.#followed.keyring.namespace) continue;
      const named = rawAesKeyNameOf(wrapped);
      const key = named === undefined ? undefined : this.#keys.get(named.name);
      if (key === undefined) continue;
      if (!this.#serves(namespace))
        throw new CannotOpenError('wrong-namespace', 'the keyring does not serve the namespace of the message');
      try {
        const bytes = unwrapDataKey(key, wrapped, request.encryptionContext);
        if (bytes !== undefined) return new DataKey(idOf(key), bytes);
      } catch (error) {
        if (!(error instanceof CannotOpenError)) throw error;
        failure ??= error;
      }
    }
    throw failure ?? this.#unknown(request);
  }

  #unknown(request: MessageKeyRequest): CannotOpenError {
    const present = namesPresent([...this.#keys.values()].map(idOf));
    const message = `the message names the key ${namesWanted(request)}, and the keyring has ${present}`;
    return new CannotOpenError('unknown-key', message);
  }

  #newWriteKey(encryptionContext: EncryptionContext): WriteKey {
    const { current } = this.#followed.keyring;
    const key = this.#keys.get(current);
    if (key === undefined) throw new CannotEncodeError('the keyring has no current key');
    const bytes = randomBytes(KEY_LENGTH);
    const made = new WriteKey(this.#limits, this.#clock);
    made.resolve({
      dataKey: new DataKey(idOf(key), bytes),
      encryptedDataKeys: [wrapDataKey(key, bytes, encryptionContext)],
    });
    return made;
  }

  #refresh(): void {
    if (!this.#followed.refresh()) return;
    this.#keys = wrappingKeys(this.#followed.keyring);
    // What is no longer the current key must not go on writing, nor what is gone reading.
    this.clear();
  }
}

function wrappingKeys({ namespace, keys }: Keyring): ReadonlyMap<string, RawAesWrappingKey> {
  return new Map(keys.map(({ name, key }) => [name, { namespace, name, key }]));
}

/** How audit lines name a key. */
function idOf({ namespace, name }: RawAesWrappingKey): string {
  return `${namespace}/${name}`;
}
