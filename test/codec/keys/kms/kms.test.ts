/** The whole codec over KMS, with the real AWS client and a KMS that can be told to fail. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type DecodeOutcome, decodePayloads } from '../../../../codec/decode.ts';
import { encodePayloads } from '../../../../codec/encode.ts';
import { CannotEncodeError, KeyUnavailableError } from '../../../../codec/errors.ts';
import { recognizeOwn } from '../../../../codec/formats/all-formats.ts';
import type { DataKeyCache, DataKeyCacheSettings } from '../../../../codec/keys/cache/data-key-cache.ts';
import { createKms } from '../../../../codec/keys/kms/kms.ts';
import type { Kms } from '../../../../codec/keys/kms/kms-api.ts';
import type { KmsKeyPairing } from '../../../../codec/keys/kms/kms-key-source.ts';
import { createKmsDataKeys } from '../../../../codec/keys/worker-keys.ts';
import { metadataOf, type Payload } from '../../../../codec/payload.ts';
import { KmsStandIn } from '../../../support/kms-stand-in.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { PATIENCE_MS } from '../../../support/patience.ts';

let standIn: KmsStandIn;
let kms: Kms;

beforeEach(async () => {
  standIn = await KmsStandIn.start();
  kms = createKms({ client: standIn.client });
});

afterEach(async () => {
  kms.close();
  await standIn.close();
});

/** A server's codec, cold. */
function codecWith(pairings: readonly KmsKeyPairing[], cache: Partial<DataKeyCacheSettings> = {}, clock?: ManualClock) {
  const calls = { attempts: 3, attemptMs: clock === undefined ? PATIENCE_MS : 5000, pauseMs: 5 };
  const keys = createKmsDataKeys({ pairings, cache, calls, kms, ...(clock === undefined ? {} : { clock }) });
  const now = () => (clock === undefined ? Date.now() : clock.now());
  const request = (namespace: string) => ({
    namespace,
    deadline: now() + (clock === undefined ? PATIENCE_MS : 5000),
    limits: { inflateBudget: 1_000_000 },
    usage: { keyIds: new Set<string>(), cacheHits: 0, cacheMisses: 0 },
  });
  return {
    keys,
    encode: async (payloads: readonly Payload[], namespace = 'orders') =>
      encodePayloads({ keys, customCodecs: [], compression: null }, payloads, request(namespace)),
    decode: async (
      payloads: readonly Payload[],
      namespace = 'orders',
      use = request(namespace),
    ): Promise<DecodeOutcome[]> =>
      decodePayloads({ recognize: recognizeOwn, keys, customCodecs: [], maxLayers: 8 }, payloads, {
        ...use,
        mayDecode: () => true,
      }),
    request,
  };
}

function plain(text: string): Payload {
  return { metadata: metadataOf({ encoding: 'json/plain' }), data: Buffer.from(JSON.stringify(text)) };
}

const texts = (outcomes: readonly DecodeOutcome[]): unknown[] =>
  outcomes.map((it) => (it.kind === 'decoded' ? JSON.parse(Buffer.from(it.payload.data).toString()) : it));

describe('calls to KMS', () => {
  it('one: for a thousand payloads under one data key, in 64 requests at once, on a cold cache', async () => {
    const pairings = [{ namespaces: ['orders'], write: standIn.createKey() }];
    const written = await codecWith(pairings).encode(Array.from({ length: 1000 }, (_, i) => plain(`order ${i}`)));
    standIn.calls.length = 0;
    const cold = codecWith(pairings);
    const requests = Array.from({ length: 64 }, (_, i) => written.filter((_, at) => at % 64 === i));
    const answers = await Promise.all(requests.map((payloads) => cold.decode(payloads)));
    expect(texts(answers.flat()).toSorted()).toEqual(Array.from({ length: 1000 }, (_, i) => `order ${i}`).toSorted());
    expect(standIn.count()).toBe(1);
  });

  it('ten, side by side: for a hundred payloads under ten data keys', async () => {
    const pairings = [{ namespaces: ['orders'], write: standIn.createKey() }];
    const writer = codecWith(pairings, { maxMessages: 10 });
    const written = await writer.encode(Array.from({ length: 100 }, (_, i) => plain(`order ${i}`)));
    expect(standIn.count('GenerateDataKey')).toBe(10);
    standIn.calls.length = 0;
    standIn.mostAtOnce = 0;
    standIn.together = 10;
    const cold = codecWith(pairings);
    const use = cold.request('orders');
    expect(texts(await cold.decode(written, 'orders', use))).toEqual(written.map((_, i) => `order ${i}`));
    expect(standIn.count('Decrypt')).toBe(10);
    expect(standIn.mostAtOnce).toBe(10);
    expect(use.usage).toMatchObject({ cacheMisses: 10, cacheHits: 90 });
    expect(use.usage.keyIds).toEqual(new Set([pairings[0]?.write]));
  });

  it('as few as the message limit allows: for ten thousand encodes of a namespace', async () => {
    const pairings = [{ namespaces: ['orders'], write: standIn.createKey() }];
    const worker = codecWith(pairings, { maxMessages: 3000 });
    for (let i = 0; i < 100; i++) await worker.encode(Array.from({ length: 100 }, () => plain('order')));
    expect(standIn.count()).toBe(4);
  });

  it('none: for what a worker wrote itself', async () => {
    const worker = codecWith([{ namespaces: ['orders'], write: standIn.createKey() }]);
    const written = await worker.encode([plain('a'), plain('b')]);
    standIn.calls.length = 0;
    expect(texts(await worker.decode(written))).toEqual(['a', 'b']);
    expect(standIn.count()).toBe(0);
  });

  it('none: for encoding what is encoded already', async () => {
    const worker = codecWith([{ namespaces: ['orders'], write: standIn.createKey() }]);
    const written = await worker.encode([plain('a')]);
    expect((await worker.encode(written))[0]).toBe(written[0]);
    expect(standIn.count()).toBe(1);
  });
});

describe('a namespace', () => {
  it('does not get another’s cached key: its own configuration decides', async () => {
    const [ours, theirs] = [standIn.createKey(), standIn.createKey()];
    const codec = codecWith([
      { namespaces: ['orders'], write: ours },
      { namespaces: ['payments'], write: theirs },
    ]);
    const [payload] = await codec.encode([plain('a')]);
    expect(texts(await codec.decode([payload as Payload], 'payments'))).toEqual(['a']);
    const { keyRequest } = recognizeOwn(payload as Payload, 'orders') ?? {};
    if (keyRequest === undefined) throw new Error('no key request');
    expect(() => codec.keys.unwrap(keyRequest, codec.request('payments'))).toThrow(
      expect.objectContaining({ reason: 'wrong-namespace' }),
    );
  });
});

describe('rotation', () => {
  it('still reads with the old key while the new one writes, and no more once the old one is taken away', async () => {
    const [old, fresh] = [standIn.createKey(), standIn.createKey()];
    const before = await codecWith([{ namespaces: ['*'], write: old }]).encode([plain('before')]);
    const during = codecWith([{ namespaces: ['*'], write: fresh, read: [old] }]);
    const after = await during.encode([plain('after')]);
    expect(texts(await during.decode([...before, ...after]))).toEqual(['before', 'after']);
    const retired = codecWith([{ namespaces: ['*'], write: fresh }]);
    const outcomes = await retired.decode([...before, ...after]);
    expect(outcomes[0]).toMatchObject({ kind: 'cannot-open', reason: 'unknown-key' });
    expect(texts(outcomes)[1]).toBe('after');
  });

  it('ends for a disabled key when the time to live of its data keys does, and comes back with it', async () => {
    const clock = new ManualClock();
    const arn = standIn.createKey();
    const codec = codecWith([{ namespaces: ['*'], write: arn }], { ttlSeconds: 300 }, clock);
    const payloads = await codec.encode([plain('a')]);
    standIn.setState(arn, 'disabled');
    await clock.pass(299_000);
    expect(texts(await codec.decode(payloads))).toEqual(['a']);
    await clock.pass(1000);
    expect((await codec.decode(payloads))[0]).toMatchObject({ kind: 'cannot-open', reason: 'key-disabled' });
    await expect(codec.encode([plain('b')])).rejects.toThrow(CannotEncodeError);
    standIn.setState(arn, 'enabled');
    await clock.pass(20_000);
    expect(texts(await codec.decode(payloads))).toEqual(['a']);
  });
});

describe('an outage of KMS, five minutes long', () => {
  it('leaves what is cached readable until its time to live, holds back the rest, and passes', async () => {
    const clock = new ManualClock();
    const pairings = [{ namespaces: ['*'], write: standIn.createKey() }];
    const ancient = await codecWith(pairings).encode([plain('never cached')]);
    const codec = codecWith(pairings, { ttlSeconds: 240 }, clock);
    const recent = await codec.encode([plain('cached')]);
    standIn.trouble = () => ({ exception: 'ServiceUnavailable', status: 503 });

    for (let minute = 0; minute < 5; minute++) {
      const cached = outcomeOf(codec.decode(recent));
      const missing = outcomeOf(codec.decode(ancient));
      const both = outcomeOf(codec.decode([...recent, ...ancient]));
      await passUntilSettled(clock, Promise.all([cached, missing, both]));
      expect(await cached).toEqual(minute < 4 ? ['cached'] : 'unreachable, try again in 1 s');
      expect(await missing).toBe('unreachable, try again in 1 s');
      expect(await both).toBe('unreachable, try again in 1 s');
      await clock.pass(60_000);
    }

    standIn.trouble = () => 'ok';
    const recovered = outcomeOf(codec.decode([...recent, ...ancient]));
    await passUntilSettled(clock, recovered);
    expect(await recovered).toEqual(['cached', 'never cached']);
  });

  it('is answered within the deadline even when KMS hangs', async () => {
    const pairings = [{ namespaces: ['*'], write: standIn.createKey() }];
    const payloads = await codecWith(pairings).encode([plain('a')]);
    standIn.trouble = () => 'hang';
    const codec = codecWith(pairings);
    const started = Date.now();
    const use = { ...codec.request('orders'), deadline: started + 200 };
    await expect(codec.decode(payloads, 'orders', use)).rejects.toMatchObject({ reason: 'timed-out' });
    expect(Date.now() - started).toBeLessThan(20_000);
  });
});

/** The texts that came out, or what a 503 would say. */
async function outcomeOf(outcomes: Promise<DecodeOutcome[]>): Promise<unknown> {
  try {
    return texts(await outcomes);
  } catch (error) {
    if (!(error instanceof KeyUnavailableError)) throw error;
    return `${error.reason}, try again in ${error.retryAfterSeconds} s`;
  }
}

/** Real calls take real time, pauses between them simulated time. */
async function passUntilSettled(clock: ManualClock, promise: Promise<unknown>): Promise<void> {
  let settled = false;
  const done = promise.finally(() => {
    settled = true;
  });
  while (!settled) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await clock.pass(10);
  }
  await done;
}

describe('data keys in memory', () => {
  it('are gone after the cache is closed: what KMS handed out is zero wherever the codec kept it', async () => {
    const kept: Uint8Array[] = [];
    const watched: Kms = {
      decrypt: async (...args) => keep(await kms.decrypt(...args)),
      generateDataKey: async (...args) => {
        const made = await kms.generateDataKey(...args);
        keep(made.plaintext);
        return made;
      },
      close: () => {},
    };
    const keep = (bytes: Uint8Array): Uint8Array => {
      kept.push(bytes);
      return bytes;
    };
    const pairings = [{ namespaces: ['*'], write: standIn.createKey() }];
    const writer: DataKeyCache = createKmsDataKeys({ pairings, kms: watched, cache: { maxMessages: 5 } });
    const encoder = { keys: writer, customCodecs: [], compression: null };
    const use = codecWith(pairings).request('orders');
    const payloads = await encodePayloads(
      encoder,
      Array.from({ length: 50 }, () => plain('a')),
      use,
    );
    const reader: DataKeyCache = createKmsDataKeys({ pairings, kms: watched, cache: { maxKeys: 3 } });
    const decoder = { recognize: recognizeOwn, keys: reader, customCodecs: [], maxLayers: 8 };
    await decodePayloads(decoder, payloads, { ...use, mayDecode: () => true });
    expect(kept.length).toBe(20);
    const zeroed = () => kept.filter((bytes) => bytes.every((byte) => byte === 0)).length;
    expect(zeroed()).toBe(10 - 1 + 10 - 3);
    writer.close();
    reader.close();
    expect(zeroed()).toBe(20);
  });
});
