/**
 * The cache in front of a key service. Keys are bounded in number and age, each is fetched once
 * however many payloads miss together, a data key writes a limited number of messages and bytes,
 * failures are remembered briefly, and whatever leaves the cache is zeroed.
 */
import type { EncryptionContext } from '../../aws-encryption-sdk/encryption-context.ts';
import { BoundedCache } from '../../bounded-cache.ts';
import { type Clock, systemClock } from '../../calls/clock.ts';
import { definedOnly } from '../../defined-only.ts';
import { CannotEncodeError, CannotOpenError, KeyUnavailableError, TooManyKeysError } from '../../errors.ts';
import { DataKey } from '../data-key.ts';
import type {
  DataKeyProvider,
  DataKeyRequest,
  EncryptionMaterials,
  KeyContext,
  KeySource,
  KeyUsage,
} from '../key-source.ts';
import { nameOfMessage, nameOfRequest, nameOfWriter } from './cache-key.ts';
import { SharedCall } from './shared-call.ts';
import { liveContext, type WriteKeyEvents, WriteKeys } from './write-keys.ts';

/** Bounds of the cache, as a configuration and the options of a worker give them. */
export interface DataKeyCacheBounds {
  /** Distinct keys kept. Default 1,000. */
  readonly maxKeys: number;
  /**
   * Seconds that a key is kept, from the call that fetched it: the time for which a revoked key still
   * decodes. A key that writes is proven anew within it. Default 300.
   */
  readonly ttlSeconds: number;
  /**
   * Seconds for which one data key writes. How many data keys a history holds, and so how many calls
   * every reader makes, depends on it; how long a revoked key reads does not. Default 86,400, a day.
   */
  readonly writeSeconds: number;
  /**
   * Seconds for which a key keeps writing while the key service does not answer, from its last proof; at
   * least `ttlSeconds`. A refusal ends it at once. Default 3,600.
   */
  readonly outageSeconds: number;
  /** Messages written under one data key. Default 10,000. */
  readonly maxMessages: number;
  /** Bytes written under one data key. Default 1 GiB. */
  readonly maxBytes: number;
}

/** The bounds, and how long failures are remembered. */
export interface DataKeyCacheSettings extends DataKeyCacheBounds {
  /** Milliseconds for which a refusal is remembered. Default 10,000. */
  readonly refusalMs: number;
  /** Milliseconds for which a fault that may pass is remembered, so that a page full of payloads fails at once. Default 250. */
  readonly faultMs: number;
}

export const DEFAULT_CACHE_SETTINGS: DataKeyCacheSettings = {
  maxKeys: 1000,
  ttlSeconds: 300,
  writeSeconds: 86_400,
  outageSeconds: 3600,
  maxMessages: 10_000,
  maxBytes: 2 ** 30,
  refusalMs: 10_000,
  faultMs: 250,
};

/** What a server bounds besides. */
export interface RequestLimits {
  /**
   * Data keys that one request may have fetched; the next one fails it. As many further keys may be tried for them, where
   * payloads do not tell theirs. Default: any number, as a worker needs.
   */
  readonly maxFetchesPerRequest?: number;
}

/** A data key on its way, and the requests that wait for it. */
class Fetch extends SharedCall<DataKey> {
  readonly requests = new Set<KeyUsage>();
}

export class DataKeyCache implements KeySource {
  readonly #provider: DataKeyProvider;
  readonly #settings: DataKeyCacheSettings;
  readonly #maxFetchesPerRequest: number;
  readonly #clock: Clock;
  readonly #keys: BoundedCache<DataKey>;
  readonly #writers: WriteKeys;
  readonly #failures: BoundedCache<Error>;
  readonly #calls = new Map<string, Fetch>();
  /** Keys that were tried for a request beyond one for each data key. */
  readonly #furtherTries = new WeakMap<KeyUsage, number>();
  #sweeping = false;
  #closed = false;

  constructor(
    provider: DataKeyProvider,
    settings: Partial<DataKeyCacheSettings> & RequestLimits = {},
    clock: Clock = systemClock,
  ) {
    this.#provider = provider;
    this.#maxFetchesPerRequest = settings.maxFetchesPerRequest ?? Number.POSITIVE_INFINITY;
    this.#settings = { ...DEFAULT_CACHE_SETTINGS, ...definedOnly(settings) };
    this.#clock = clock;
    const { maxKeys } = this.#settings;
    this.#keys = new BoundedCache(maxKeys, this.#ttl, (key) => key.destroy());
    this.#writers = new WriteKeys(provider, this.#settings, clock, this.#writeEvents());
    this.#failures = new BoundedCache(Math.max(maxKeys, 100), this.#settings.refusalMs);
  }

  get unwraps(): readonly DataKeyRequest['kind'][] {
    return this.#provider.unwraps ?? ['message', 'kms', 'static'];
  }

  unwrap(request: DataKeyRequest, context: KeyContext): DataKey | Promise<DataKey> {
    const name = nameOfRequest(request, context.namespace);
    const now = this.#clock.now();
    const cached = this.#keys.get(name, now);
    if (cached !== undefined) {
      context.usage.cacheHits++;
      return cached.acquire();
    }
    this.#throwRemembered(name, now);
    const underWay = this.#calls.get(name);
    if (underWay !== undefined && !underWay.hasFrozen) {
      context.usage.cacheHits++;
      underWay.requests.add(context.usage);
      return underWay.join(context.deadline);
    }
    if (context.usage.cacheMisses >= this.#maxFetchesPerRequest) throw new TooManyKeysError();
    const call = new Fetch(this.#clock, context.deadline);
    call.requests.add(context.usage);
    const beforeAnotherTry = () => this.#countFurtherTry(call.requests);
    const live = liveContext(context.namespace, call);
    const fetched = this.#provider.unwrap(request, Object.assign(live, { beforeAnotherTry }));
    context.usage.cacheMisses++;
    this.#calls.set(name, call);
    void this.#settle(name, call, fetched, now);
    return call.join(context.deadline);
  }

  materialsFor(
    encryptionContext: EncryptionContext,
    plaintextLength: number,
    context: KeyContext & { readonly namespace: string },
  ): EncryptionMaterials | Promise<EncryptionMaterials> {
    const name = nameOfWriter(encryptionContext, context.namespace);
    return this.#writers.take(name, encryptionContext, plaintextLength, context);
  }

  /** Zeroes everything that is kept, and forgets the failures. Keys in use are zeroed when their last user is done. */
  clear(): void {
    this.#keys.clear();
    this.#writers.clear();
    this.#failures.clear();
  }

  /** As {@link clear}, for good: what arrives from now on serves those who wait and is not kept. */
  close(): void {
    this.#closed = true;
    this.#writers.close();
    this.clear();
  }

  get #ttl(): number {
    return this.#settings.ttlSeconds * 1000;
  }

  /** @throws TooManyKeysError when none of the requests that wait may have another key tried */
  #countFurtherTry(requests: ReadonlySet<KeyUsage>): void {
    for (const usage of requests) {
      const tries = this.#furtherTries.get(usage) ?? 0;
      if (tries >= this.#maxFetchesPerRequest) continue;
      this.#furtherTries.set(usage, tries + 1);
      return;
    }
    throw new TooManyKeysError();
  }

  async #settle(name: string, call: Fetch, fetched: Promise<DataKey>, started: number): Promise<void> {
    try {
      const key = await fetched;
      this.#forget(name, call);
      call.resolve(() => key.acquire());
      this.#keep(name, key, started);
    } catch (error) {
      this.#forget(name, call);
      if (!call.hasFrozen) this.#remember(name, error);
      call.reject(error);
    }
  }

  #writeEvents(): WriteKeyEvents {
    return {
      onMade: ({ encryptedDataKeys, dataKey }, encryptionContext, namespace, at) => {
        this.#keepForReading(nameOfMessage(encryptedDataKeys, encryptionContext, namespace), dataKey, at);
        this.#sweepLater();
      },
      onProven: ({ encryptedDataKeys }, key, encryptionContext, namespace, at) =>
        this.#keep(nameOfMessage(encryptedDataKeys, encryptionContext, namespace), key, at),
      throwRemembered: (name, now) => this.#throwRemembered(name, now),
      remember: (name, error) => this.#remember(name, error),
    };
  }

  #forget(name: string, call: Fetch): void {
    if (this.#calls.get(name) === call) this.#calls.delete(name);
  }

  /** What was just written is often read next: by the worker that wrote it, or for the person who started it. */
  #keepForReading(name: string, key: DataKey, since: number): void {
    if (key.destroyed) return;
    this.#keep(name, new DataKey(key.id, Uint8Array.from(key.bytes)), since);
  }

  #keep(name: string, key: DataKey, since: number): void {
    if (this.#closed) {
      key.destroy();
      return;
    }
    this.#keys.set(name, key, since);
    this.#sweepLater();
  }

  #throwRemembered(name: string, now: number): void {
    const failure = this.#failures.get(name, now);
    if (failure !== undefined) throw failure;
  }

  #remember(name: string, error: unknown): void {
    const { refusalMs, faultMs } = this.#settings;
    if (error instanceof CannotOpenError || error instanceof CannotEncodeError)
      this.#failures.set(name, error, this.#clock.now(), refusalMs);
    else if (error instanceof KeyUnavailableError) this.#failures.set(name, error, this.#clock.now(), faultMs);
  }

  /** Keys that nobody asks for any more leave too. */
  #sweepLater(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#clock.afterInBackground(Math.max(this.#ttl / 4, 1000), () => {
      this.#sweeping = false;
      const now = this.#clock.now();
      this.#keys.sweep(now);
      this.#writers.sweep(now);
      this.#failures.sweep(now);
      if (this.#keys.size + this.#writers.size > 0) this.#sweepLater();
    });
  }
}
