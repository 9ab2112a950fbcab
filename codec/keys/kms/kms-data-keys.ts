/**
 * Data keys of AWS KMS behind the cache, ready to use, for workers and clients.
 */
import { type Clock, systemClock } from '../cache/clock.ts';
import { DataKeyCache, type DataKeyCacheSettings } from '../cache/data-key-cache.ts';
import { createKms } from './kms.ts';
import type { Kms } from './kms-api.ts';
import type { CallSettings } from './kms-caller.ts';
import { type KmsKeyPairing, KmsKeys } from './kms-key-source.ts';

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
