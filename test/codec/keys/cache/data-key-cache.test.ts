import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EncryptionContext } from '../../../../codec/aws-encryption-sdk/encryption-context.ts';
import { CannotEncodeError, CannotOpenError, KeyUnavailableError } from '../../../../codec/errors.ts';
import { nameOfRequest } from '../../../../codec/keys/cache/cache-key.ts';
import {
  DataKeyCache,
  type DataKeyCacheSettings,
  type RequestLimits,
} from '../../../../codec/keys/cache/data-key-cache.ts';
import { DataKey } from '../../../../codec/keys/data-key.ts';
import type {
  DataKeyProvider,
  DataKeyRequest,
  EncryptionMaterials,
  KeyContext,
  ProviderContext,
} from '../../../../codec/keys/key-source.ts';
import { ManualClock, settle } from '../../../support/manual-clock.ts';

const CONTEXT: EncryptionContext = new Map([['temporal-namespace', 'orders']]);

function message(wrapped: string, context = CONTEXT): DataKeyRequest {
  return {
    kind: 'message',
    encryptedDataKeys: [
      { providerId: 'aws-kms', providerInfo: Buffer.from('arn'), ciphertext: Buffer.from(wrapped, 'utf8') },
    ],
    encryptionContext: context,
  };
}

/** An origin whose calls a test answers one by one, or at once. */
class ScriptedOrigin implements DataKeyProvider {
  calls = 0;
  /** The memory of every key that was ever handed out. */
  readonly memory: Uint8Array[] = [];
  readonly contexts: ProviderContext[] = [];
  /** Keys made, and keys unwrapped. */
  made = 0;
  proofs = 0;
  answer: (operation: 'unwrap' | 'generate') => Promise<void> = async () => {};

  async unwrap(_request: DataKeyRequest, context: ProviderContext): Promise<DataKey> {
    const key = await this.#make(context, 'unwrap');
    this.proofs++;
    return key;
  }

  async generate(_encryptionContext: EncryptionContext, context: ProviderContext) {
    const dataKey = await this.#make(context, 'generate');
    this.made++;
    const ciphertext = Buffer.from(`wrapped ${this.memory.length}`);
    return { dataKey, encryptedDataKeys: [{ providerId: 'aws-kms', providerInfo: Buffer.from('arn'), ciphertext }] };
  }

  async #make(context: ProviderContext, operation: 'unwrap' | 'generate'): Promise<DataKey> {
    this.calls++;
    this.contexts.push(context);
    await this.answer(operation);
    const bytes = new Uint8Array(32).fill(this.calls);
    this.memory.push(bytes);
    return new DataKey('arn', bytes);
  }
}

function setUp(settings: Partial<DataKeyCacheSettings> & RequestLimits = {}) {
  const clock = new ManualClock();
  const origin = new ScriptedOrigin();
  const cache = new DataKeyCache(origin, settings, clock);
  const context = (namespace = 'orders', seconds = 10): KeyContext & { namespace: string } => ({
    namespace,
    deadline: clock.now() + seconds * 1000,
    usage: { keyIds: new Set(), cacheHits: 0, cacheMisses: 0 },
  });
  const write = async (bytes = 100, namespace = 'orders'): Promise<EncryptionMaterials> =>
    cache.materialsFor(new Map([['temporal-namespace', namespace]]), bytes, context(namespace));
  return { clock, origin, cache, context, write };
}

/** An answer that a test gives when it likes. */
function gate() {
  let open: () => void = () => {};
  let breakIt: (error: unknown) => void = () => {};
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve;
    breakIt = reject;
  });
  return { opened, open, breakIt };
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

describe('the data-key cache, reading', () => {
  it('fetches no more keys for one request than it may, and serves the next request', async () => {
    const { cache, origin, context } = setUp({ maxFetchesPerRequest: 3 });
    const one = context();
    const asked = Array.from({ length: 5_000 }, async (_, i) => cache.unwrap(message(`key ${i}`), one));
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(outcomes[3]).toMatchObject({ reason: { name: 'TooManyKeysError' } });
    expect(origin.calls).toBe(3);
    await cache.unwrap(message('key 1'), one);
    await cache.unwrap(message('another'), context());
    expect(origin.calls).toBe(4);
  });

  it('fetches a key once for a thousand payloads that miss together', async () => {
    const { cache, origin, context } = setUp();
    const requests = Array.from({ length: 64 }, () => context());
    const keys = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => cache.unwrap(message('a'), requests[i % 64] ?? context())),
    );
    expect(origin.calls).toBe(1);
    expect(new Set(keys).size).toBe(1);
    const sum = (of: 'cacheHits' | 'cacheMisses') => requests.reduce((total, { usage }) => total + usage[of], 0);
    expect([sum('cacheMisses'), sum('cacheHits')]).toEqual([1, 999]);
    expect(requests.reduce((sum, it) => sum + it.usage.cacheMisses, 0)).toBe(1);
    expect(requests.reduce((sum, it) => sum + it.usage.cacheHits, 0)).toBe(999);
  });

  it('answers a hit without a promise', async () => {
    const { cache, context } = setUp();
    await cache.unwrap(message('a'), context());
    expect(cache.unwrap(message('a'), context())).toBeInstanceOf(DataKey);
  });

  it('fetches distinct keys side by side', async () => {
    const { cache, origin, context } = setUp();
    const { opened, open } = gate();
    origin.answer = () => opened;
    const keys = Array.from({ length: 100 }, (_, i) => cache.unwrap(message(`key ${i % 10}`), context()));
    await settle();
    expect(origin.calls).toBe(10);
    open();
    expect(new Set(await Promise.all(keys)).size).toBe(10);
  });

  it('keeps a key for its time to live from its arrival, however often it is used', async () => {
    const { cache, origin, context, clock } = setUp({ ttlSeconds: 300 });
    (await cache.unwrap(message('a'), context())).release();
    for (let minute = 1; minute < 5; minute++) {
      await clock.pass(60_000);
      (await cache.unwrap(message('a'), context())).release();
    }
    expect(origin.calls).toBe(1);
    await clock.pass(60_000);
    await cache.unwrap(message('a'), context());
    expect(origin.calls).toBe(2);
  });

  it('counts the time to live from the start of a slow call: the answer is as old as the question', async () => {
    const { cache, origin, context, clock } = setUp({ ttlSeconds: 10 });
    const { opened, open } = gate();
    origin.answer = () => opened;
    const slow = cache.unwrap(message('a'), context('orders', 60));
    await clock.pass(8000);
    open();
    await slow;
    await clock.pass(2000);
    await cache.unwrap(message('a'), context());
    expect(origin.calls).toBe(2);
  });

  it('evicts the key that was not used for longest', async () => {
    const { cache, origin, context } = setUp({ maxKeys: 2 });
    const use = async (name: string) => (await cache.unwrap(message(name), context())).release();
    await use('a');
    await use('b');
    await use('a');
    await use('c');
    expect(origin.memory.map(isZero)).toEqual([false, true, false]);
    await use('a');
    expect(origin.calls).toBe(3);
  });

  it('still fetches a key once per wave of misses when it may keep none', async () => {
    const { cache, origin, context } = setUp({ maxKeys: 0 });
    const keys = await Promise.all(Array.from({ length: 100 }, () => cache.unwrap(message('a'), context())));
    expect(origin.calls).toBe(1);
    expect(keys.every((key) => key.bytes[0] === 1)).toBe(true);
    for (const key of keys) key.release();
    expect(origin.memory.every(isZero)).toBe(true);
  });

  it('keeps the keys of two namespaces apart, even when every other byte of the request is the same', async () => {
    const { cache, origin, context } = setUp();
    await cache.unwrap(message('a'), context('orders'));
    await cache.unwrap(message('a'), context('payments'));
    expect(origin.contexts.map((it) => it.namespace)).toEqual(['orders', 'payments']);
  });

  it('gives no two different requests the same name', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '1', ':', ';', '-', 'é', '\u{10000}'), maxLength: 4 });
    const bytes = fc.uint8Array({ maxLength: 4 });
    const pairs = fc.array(fc.tuple(text, text), { maxLength: 2 }).map((entries) => new Map(entries));
    const wrapped = fc.record({ providerId: text, providerInfo: bytes, ciphertext: bytes });
    const request = fc.oneof(
      fc.record({
        kind: fc.constant('message' as const),
        format: fc.constantFrom(undefined, 'kms-java-sample' as const),
        encryptedDataKeys: fc.array(wrapped, { maxLength: 2 }),
        encryptionContext: pairs,
      }),
      fc.record({
        kind: fc.constant('kms' as const),
        format: fc.constantFrom('stdgo' as const, 'temporal-proxy' as const),
        claimedKey: fc.option(text, { nil: undefined }),
        ciphertext: bytes,
        encryptionContext: pairs,
      }),
      fc.record({ kind: fc.constant('static' as const), keyId: text }),
    );
    const namespace = fc.option(text, { nil: undefined });
    const spelled = (value: unknown) =>
      JSON.stringify(value, (_, it) => {
        if (it instanceof Map) return [...it];
        return it === undefined ? { missing: true } : it;
      });
    fc.assert(
      fc.property(request, namespace, request, namespace, (a, inA, b, inB) => {
        const same = spelled([a, inA]) === spelled([b, inB]);
        expect(nameOfRequest(a, inA) === nameOfRequest(b, inB)).toBe(same);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a message of ours', message('a')],
    ['a message of another producer', { ...message('a'), format: 'kms-java-sample' as const }],
    [
      'a wrapped key of another producer',
      {
        kind: 'kms' as const,
        format: 'temporal-proxy' as const,
        claimedKey: 'arn',
        ciphertext: Buffer.from('a'),
        encryptionContext: new Map(),
      },
    ],
    ['a static key', { kind: 'static' as const, keyId: 'a' }],
  ])('asks for the key of %s anew in every namespace, where another entry may not have it', async (_, request) => {
    const { cache, origin, context } = setUp();
    for (const namespace of ['orders', 'billing']) await cache.unwrap(request as DataKeyRequest, context(namespace));
    expect(origin.contexts.map(({ namespace }) => namespace)).toEqual(['orders', 'billing']);
  });

  it('does not let the length of a request decide how much memory its name takes', () => {
    const long = (last: number) => ({
      ...message('a'),
      encryptionContext: new Map([['k', 'x'.repeat(60_000) + last]]),
    });
    expect(nameOfRequest(long(1), 'orders').length).toBeLessThan(100);
    expect(nameOfRequest(long(1), 'orders')).not.toBe(nameOfRequest(long(2), 'orders'));
  });
});

describe('the data-key cache, failing', () => {
  const refusal = new CannotOpenError('key-disabled', 'the key is disabled');
  const throttled = new KeyUnavailableError('throttled', 'KMS is throttling');

  it('remembers a refusal for some seconds and then asks again', async () => {
    const { cache, origin, context, clock } = setUp();
    origin.answer = () => Promise.reject(refusal);
    await expect(cache.unwrap(message('a'), context())).rejects.toBe(refusal);
    for (let i = 0; i < 100; i++) expect(() => cache.unwrap(message('a'), context())).toThrow(refusal);
    expect(origin.calls).toBe(1);
    await clock.pass(10_000);
    origin.answer = async () => {};
    expect(await cache.unwrap(message('a'), context())).toBeInstanceOf(DataKey);
  });

  it('remembers a passing fault for a moment only', async () => {
    const { cache, origin, context, clock } = setUp();
    origin.answer = () => Promise.reject(throttled);
    await expect(cache.unwrap(message('a'), context())).rejects.toBe(throttled);
    expect(() => cache.unwrap(message('a'), context())).toThrow(throttled);
    await clock.pass(250);
    origin.answer = async () => {};
    expect(await cache.unwrap(message('a'), context())).toBeInstanceOf(DataKey);
  });

  it('does not remember what is a bug', async () => {
    const { cache, origin, context } = setUp();
    origin.answer = () => Promise.reject(new TypeError('oops'));
    await expect(cache.unwrap(message('a'), context())).rejects.toThrow(TypeError);
    await expect(cache.unwrap(message('a'), context())).rejects.toThrow(TypeError);
    expect(origin.calls).toBe(2);
  });

  it('lets the failure of one key be no matter to another', async () => {
    const { cache, origin, context } = setUp();
    await cache.unwrap(message('good'), context());
    origin.answer = () => Promise.reject(refusal);
    await expect(cache.unwrap(message('bad'), context())).rejects.toBe(refusal);
    expect(cache.unwrap(message('good'), context())).toBeInstanceOf(DataKey);
  });

  it('does not let a flood of refused keys push out good ones', async () => {
    const { cache, origin, context } = setUp({ maxKeys: 10 });
    await cache.unwrap(message('good'), context());
    origin.answer = () => Promise.reject(refusal);
    for (let i = 0; i < 1000; i++) await expect(cache.unwrap(message(`${i}`), context())).rejects.toBe(refusal);
    expect(cache.unwrap(message('good'), context())).toBeInstanceOf(DataKey);
  });

  it('answers each waiter at its own deadline, and keeps the key for the next', async () => {
    const { cache, origin, context, clock } = setUp();
    const { opened, open } = gate();
    origin.answer = () => opened;
    const failures: unknown[] = [];
    const hasty = Promise.resolve(cache.unwrap(message('a'), context('orders', 1))).catch((error) =>
      failures.push(error),
    );
    const patient = cache.unwrap(message('a'), context('orders', 8));
    expect(origin.contexts[0]?.deadline).toBe(clock.now() + 8000);
    await clock.pass(1000);
    await hasty;
    expect(failures).toEqual([expect.objectContaining({ name: 'KeyUnavailableError', reason: 'timed-out' })]);
    open();
    const key = await patient;
    key.release();
    cache.clear();
    expect(origin.memory.every(isZero)).toBe(true);
    expect(clock.pending).toBeLessThanOrEqual(1);
  });
});

describe('what needs no call to be refused', () => {
  it('is refused at once, and takes up no memory', () => {
    const { cache, origin, context } = setUp();
    const unknown = new CannotOpenError('unknown-key', 'not ours');
    origin.unwrap = () => {
      origin.calls++;
      throw unknown;
    };
    origin.generate = () => {
      throw new CannotEncodeError('no key writes this namespace');
    };
    const asked = context();
    expect(() => cache.unwrap(message('a'), asked)).toThrow(unknown);
    expect(() => cache.unwrap(message('a'), asked)).toThrow(unknown);
    expect(() => cache.materialsFor(CONTEXT, 1, asked)).toThrow(CannotEncodeError);
    // What takes up no memory is asked again, and is counted as no call.
    expect([origin.calls, asked.usage.cacheMisses, asked.usage.cacheHits]).toEqual([2, 0, 0]);
  });
});

describe('the data-key cache, writing', () => {
  it('writes ten thousand messages of a namespace with as few calls as the message limit allows', async () => {
    for (const maxMessages of [10_000, 3000, 999]) {
      const { origin, write } = setUp({ maxMessages });
      await Promise.all(Array.from({ length: 10_000 }, () => write()));
      expect(origin.calls).toBe(Math.ceil(10_000 / maxMessages));
    }
  });

  it('writes no more messages under one key than the limit, in waves or one by one', async () => {
    const { origin, write } = setUp({ maxMessages: 7 });
    const written = new Map<DataKey, number>();
    const count = ({ dataKey }: EncryptionMaterials) => written.set(dataKey, (written.get(dataKey) ?? 0) + 1);
    for (const it of await Promise.all(Array.from({ length: 50 }, () => write()))) count(it);
    for (let i = 0; i < 50; i++) count(await write());
    expect(Math.max(...written.values())).toBe(7);
    expect(origin.calls).toBe(Math.ceil(100 / 7));
  });

  it('writes no more bytes under one key than the limit', async () => {
    const { origin, write } = setUp({ maxBytes: 1000 });
    for (let i = 0; i < 10; i++) await write(300);
    expect(origin.calls).toBe(4);
    await write(5000);
    expect(origin.calls).toBe(5);
    await write(1);
    expect(origin.calls).toBe(6);
  });

  it('gives every namespace a key of its own', async () => {
    const { write } = setUp();
    const [orders, payments] = await Promise.all([write(100, 'orders'), write(100, 'payments')]);
    expect(orders.dataKey).not.toBe(payments.dataKey);
  });

  it('answers at once while the key lasts, and retires it when its time to write is over and the next is there', async () => {
    const { cache, clock, context, origin, write } = setUp({ ttlSeconds: 300, writeSeconds: 86_400 });
    (await write()).dataKey.release();
    for (let minute = 0; minute < 24 * 60 - 1; minute++) {
      await clock.pass(60_000);
      const materials = cache.materialsFor(CONTEXT, 100, context());
      expect(materials).not.toBeInstanceOf(Promise);
      (await materials).dataKey.release();
    }
    expect([origin.made, origin.proofs]).toEqual([1, 24 * 15 - 1]);
    await clock.pass(60_000);
    (await write()).dataKey.release();
    await settle();
    expect(origin.made).toBe(2);
    expect(isZero(origin.memory[0] ?? new Uint8Array(1))).toBe(true);
    expect((await write()).dataKey.bytes).toEqual(origin.memory.at(-1));
  });

  it('keeps writing through faults that may pass, for the stated time and no longer', async () => {
    const { clock, origin, write } = setUp({ ttlSeconds: 300, outageSeconds: 3600, maxMessages: 10 });
    (await write()).dataKey.release();
    origin.answer = () => Promise.reject(new KeyUnavailableError('unreachable', 'KMS cannot be reached'));
    for (let minute = 0; minute < 59; minute++) {
      await clock.pass(60_000);
      (await write()).dataKey.release();
    }
    await clock.pass(60_000);
    await expect(write()).rejects.toThrow(KeyUnavailableError);
    origin.answer = async () => {};
    await clock.pass(5000);
    (await write()).dataKey.release();
  });

  it.each([
    ['denied', new CannotOpenError('key-access-denied', 'KMS refuses: AccessDeniedException')],
    ['disabled', new CannotOpenError('key-disabled', 'KMS refuses: DisabledException')],
  ])('never writes on within the read TTL after its key was %s', async (_what, refusal) => {
    const { clock, origin, write } = setUp({ ttlSeconds: 300 });
    (await write()).dataKey.release();
    const refusedToWrite = new CannotEncodeError('KMS refuses the writing key', refusal.reason);
    origin.answer = (operation) => Promise.reject(operation === 'unwrap' ? refusal : refusedToWrite);
    await clock.pass(240_000);
    (await write()).dataKey.release();
    await settle();
    await expect(write()).rejects.toThrow(CannotEncodeError);
    expect(isZero(origin.memory[0] ?? new Uint8Array(1))).toBe(true);
  });

  it('uses no key from before the clock was set back', async () => {
    const { cache, clock, origin, context, write } = setUp({ ttlSeconds: 300 });
    const read = async () => (await cache.unwrap(message('a'), context())).release();
    await clock.pass(86_400_000);
    await read();
    (await write()).dataKey.release();
    // Proven later than made.
    await clock.pass(250_000);
    (await write()).dataKey.release();
    await settle();
    expect(origin.calls).toBe(3);
    clock.setBack(100_000);
    origin.answer = () => Promise.reject(new CannotOpenError('key-disabled', 'KMS refuses: DisabledException'));
    await expect(write()).rejects.toThrow(CannotOpenError);
    clock.setBack(7_200_000);
    await expect(read()).rejects.toThrow(CannotOpenError);
    // And a refusal from the future keeps nobody out.
    origin.answer = async () => {};
    clock.setBack(1_000);
    await read();
  });

  it('writes no more under a key that is old when the key service refuses to make the next one', async () => {
    const { clock, origin, write } = setUp({ ttlSeconds: 300, writeSeconds: 100 });
    (await write()).dataKey.release();
    await clock.pass(100_000);
    origin.answer = (operation) =>
      operation === 'generate'
        ? Promise.reject(new CannotEncodeError('KMS refuses the writing key'))
        : Promise.resolve();
    (await write()).dataKey.release();
    await settle();
    await expect(write()).rejects.toThrow(CannotEncodeError);
    expect(isZero(origin.memory[0] ?? new Uint8Array(1))).toBe(true);
    // Nor when the refusal is no longer remembered: it is asked for anew.
    await clock.pass(60_000);
    await expect(write()).rejects.toThrow(CannotEncodeError);
  });

  it('makes a new key where the key service lets it write and not read', async () => {
    const { clock, origin, write } = setUp({ ttlSeconds: 300 });
    (await write()).dataKey.release();
    origin.answer = async (operation) => {
      if (operation === 'unwrap') throw new CannotOpenError('key-access-denied', 'KMS refuses: AccessDeniedException');
    };
    await clock.pass(240_000);
    (await write()).dataKey.release();
    await settle();
    (await write()).dataKey.release();
    expect(origin.made).toBe(2);
  });

  it('first proves a key that was not used for long', async () => {
    const { clock, origin, write } = setUp({ ttlSeconds: 300, outageSeconds: 600 });
    (await write()).dataKey.release();
    await clock.pass(3_600_000);
    origin.answer = () => Promise.reject(new KeyUnavailableError('timed-out', 'KMS hangs'));
    await expect(write()).rejects.toThrow(KeyUnavailableError);
    await clock.pass(10_000);
    origin.answer = async () => {};
    expect((await write()).dataKey.bytes).toEqual(origin.memory[0]);
    expect([origin.made, origin.proofs]).toEqual([1, 1]);
  });

  it('reads what it wrote without a call', async () => {
    const { cache, origin, context, write } = setUp();
    const { dataKey, encryptedDataKeys } = await write();
    const key = cache.unwrap({ kind: 'message', encryptedDataKeys, encryptionContext: CONTEXT }, context());
    expect(key).toBeInstanceOf(DataKey);
    const copy = (await key).bytes;
    expect(copy).toEqual(dataKey.bytes);
    expect(
      cache.unwrap({ kind: 'message', encryptedDataKeys, encryptionContext: CONTEXT }, context('other')),
    ).toBeInstanceOf(Promise);
    expect(origin.calls).toBe(2);
    (await key).release();
    cache.clear();
    expect(isZero(copy)).toBe(true);
  });

  it('tries again after a failure', async () => {
    const { origin, clock, write } = setUp();
    origin.answer = () => Promise.reject(new KeyUnavailableError('unreachable', 'KMS cannot be reached'));
    await expect(Promise.all(Array.from({ length: 10 }, () => write()))).rejects.toThrow(KeyUnavailableError);
    expect(origin.calls).toBe(1);
    await clock.pass(250);
    origin.answer = async () => {};
    expect((await write()).dataKey.bytes[0]).toBe(2);
  });
});

describe('the data-key cache, forgetting', () => {
  it('zeroes every key on clear, and a key in use when its last user is done', async () => {
    const { cache, origin, context, write } = setUp();
    (await cache.unwrap(message('idle'), context())).release();
    const used = await cache.unwrap(message('used'), context());
    const writing = await write();
    cache.clear();
    expect(origin.memory.map(isZero)).toEqual([true, false, false]);
    used.release();
    writing.dataKey.release();
    expect(origin.memory.every(isZero)).toBe(true);
  });

  it('zeroes keys that nobody asks for any more', async () => {
    const { cache, origin, context, clock } = setUp({ ttlSeconds: 60 });
    (await cache.unwrap(message('a'), context())).release();
    await clock.pass(80_000);
    expect(origin.memory.every(isZero)).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('keeps nothing after it is closed, and still serves those who wait', async () => {
    const { cache, origin, context, write } = setUp();
    const { opened, open } = gate();
    origin.answer = () => opened;
    const waiting = cache.unwrap(message('a'), context());
    const writing = write();
    cache.close();
    open();
    const key = await waiting;
    expect(isZero(key.bytes)).toBe(false);
    key.release();
    (await writing).dataKey.release();
    (await write()).dataKey.release();
    expect(origin.memory.length).toBe(3);
    expect(origin.memory.every(isZero)).toBe(true);
  });

  it('never lets a waiter open with a zeroed key, whatever the order of things', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('read a', 'read b', 'write', 'clear', 'pass', 'release'), { maxLength: 30 }),
        async (steps) => {
          const { cache, clock, context, origin, write } = setUp({ maxKeys: 1, maxMessages: 2, ttlSeconds: 5 });
          const inUse: DataKey[] = [];
          const pending: Promise<unknown>[] = [];
          for (const step of steps) {
            if (step === 'clear') cache.clear();
            else if (step === 'pass') await clock.pass(2000);
            else if (step === 'release') inUse.pop()?.release();
            else if (step === 'write') pending.push(write().then((it) => inUse.push(it.dataKey)));
            else pending.push(Promise.resolve(cache.unwrap(message(step), context())).then((key) => inUse.push(key)));
          }
          await Promise.all(pending);
          expect(inUse.some((key) => isZero(key.bytes))).toBe(false);
          for (const key of inUse) key.release();
          cache.clear();
          expect(origin.memory.every(isZero)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
