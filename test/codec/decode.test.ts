import { describe, expect, it } from '@jest/globals';
import { type DecodeContext, type Decoder, decodePayloads } from '../../codec/decode.ts';
import { CannotOpenError, KeyUnavailableError } from '../../codec/errors.ts';
import type { Envelope } from '../../codec/format.ts';
import { DataKey } from '../../codec/keys/data-key.ts';
import type { DataKeyRequest, KeyContext, KeySource } from '../../codec/keys/key-source.ts';
import { encodingOf, metadataOf, metadataText, type Payload, serializePayload } from '../../codec/payload.ts';

const plain = (text: string): Payload => ({
  metadata: metadataOf({ encoding: 'json/plain' }),
  data: Buffer.from(text),
});

/** A format that is not encryption at all, to see what the flow does with it: `wrapped`, bound or not, with key or not. */
function wrap(inner: Payload, { namespace, key }: { namespace?: string; key?: string } = {}): Payload {
  const metadata: Record<string, string> = { encoding: 'test/wrapped' };
  if (namespace !== undefined) metadata['namespace'] = namespace;
  if (key !== undefined) metadata['key'] = key;
  return { metadata: metadataOf(metadata), data: serializePayload(inner) };
}

function recognize(payload: Payload): Envelope | undefined {
  if (encodingOf(payload) !== 'test/wrapped') return undefined;
  const keyId = metadataText(payload, 'key');
  return {
    format: 'wrapped',
    boundNamespace: metadataText(payload, 'namespace'),
    keyRequest: keyId === undefined ? undefined : { kind: 'static', keyId },
    open: (dataKey) => {
      if (keyId !== undefined && dataKey?.[0] !== 1) throw new Error('opened with an erased key');
      return payload.data;
    },
  };
}

/** Keys: `sync` at once, `async` later, `gone` never, `unavailable` not now. Records what it was asked for. */
class TestKeys implements KeySource {
  readonly asked: (string | undefined)[] = [];
  readonly given: DataKey[] = [];

  unwrap(request: DataKeyRequest, context: KeyContext): DataKey | Promise<DataKey> {
    const id = request.kind === 'static' ? request.keyId : '';
    this.asked.push(context.namespace);
    if (id === 'gone') throw new CannotOpenError('unknown-key', 'no such key');
    if (id === 'unavailable') throw new KeyUnavailableError('throttled', 'not now');
    const key = new DataKey(id, Buffer.alloc(32, 1)).acquire();
    this.given.push(key);
    return id === 'async' ? Promise.resolve(key) : key;
  }

  materialsFor(): never {
    throw new Error('decoding never asks for materials');
  }
}

function setup(options: Partial<DecodeContext> = {}, parts: Partial<Decoder> = {}) {
  const keys = new TestKeys();
  const decoder: Decoder = { recognize, keys, customCodecs: [], maxLayers: 4, ...parts };
  const context: DecodeContext = {
    namespace: 'a',
    mayDecode: (namespace) => namespace === 'a',
    deadline: Number.POSITIVE_INFINITY,
    limits: { inflateBudget: 1000 },
    usage: { keyIds: new Set(), cacheHits: 0, cacheMisses: 0 },
    ...options,
  };
  return { keys, decode: (...payloads: Payload[]) => decodePayloads(decoder, payloads, context), context };
}

describe('decoding', () => {
  it('answers at once, without a promise, when nothing has to be waited for', () => {
    const { decode } = setup();
    const outcomes = decode(wrap(plain('1'), { key: 'sync' }), plain('2'));
    expect(outcomes).toMatchObject([{ kind: 'decoded', layers: ['wrapped'] }, { kind: 'unchanged' }]);
  });

  it('gives a payload that is not ours back as the very same object', () => {
    const { decode } = setup();
    const payload = plain('x');
    expect(decode(payload)).toEqual([{ kind: 'unchanged', payload }]);
  });

  it('peels every layer, in order', async () => {
    const { decode } = setup();
    const inner = wrap(wrap(plain('deep'), { key: 'async' }));
    const [outcome] = await decode(wrap(inner, { key: 'sync' }));
    expect(outcome).toMatchObject({ kind: 'decoded', layers: ['wrapped', 'wrapped', 'wrapped'] });
    expect(outcome?.kind === 'decoded' && Buffer.from(outcome.payload.data).toString()).toBe('deep');
  });

  it('stops at the limit of layers', () => {
    const { decode } = setup();
    const nested = (depth: number): Payload => (depth === 0 ? plain('x') : wrap(nested(depth - 1)));
    expect(decode(nested(4))).toMatchObject([{ kind: 'decoded' }]);
    expect(decode(nested(5))).toMatchObject([{ kind: 'cannot-open', reason: 'too-many-layers' }]);
  });

  it('touches no key for a namespace that may not be decoded', () => {
    const { decode, keys } = setup();
    expect(decode(wrap(plain('x'), { namespace: 'b', key: 'sync' }))).toEqual([{ kind: 'denied', namespace: 'b' }]);
    expect(keys.asked).toEqual([]);
  });

  it('decides by the namespace of the ciphertext, whatever namespace the caller names', () => {
    const { decode, keys } = setup({ namespace: 'b' });
    expect(decode(wrap(plain('x'), { namespace: 'a', key: 'sync' }))).toMatchObject([{ kind: 'decoded' }]);
    expect(decode(wrap(plain('x'), { key: 'sync' }))).toEqual([{ kind: 'denied', namespace: 'b' }]);
    expect(keys.asked).toEqual(['a']);
  });

  it('asks again for the namespace of an inner layer', () => {
    const { decode } = setup();
    const smuggled = wrap(wrap(plain('of b'), { namespace: 'b', key: 'sync' }), { namespace: 'a', key: 'sync' });
    expect(decode(smuggled)).toEqual([{ kind: 'denied', namespace: 'b' }]);
  });

  it('looks for the keys of an unbound inner layer in the namespace of the layer around it', () => {
    const { decode, keys } = setup({ namespace: 'b' });
    expect(decode(wrap(wrap(plain('x'), { key: 'sync' }), { namespace: 'a', key: 'sync' }))).toMatchObject([
      { kind: 'decoded', namespace: 'a' },
    ]);
    expect(keys.asked).toEqual(['a', 'a']);
  });

  it('waits for a decision that takes time', async () => {
    const { decode } = setup({ mayDecode: async (namespace) => namespace === 'a' });
    expect(
      await decode(wrap(plain('x'), { key: 'sync' }), wrap(plain('x'), { namespace: 'b', key: 'sync' })),
    ).toMatchObject([{ kind: 'decoded' }, { kind: 'denied' }]);
  });

  it('loses one payload to a missing key or a broken one, and no other', async () => {
    const broken = { metadata: metadataOf({ encoding: 'test/wrapped', key: 'sync' }), data: Buffer.from('ff', 'hex') };
    const { decode } = setup();
    expect(await decode(wrap(plain('1'), { key: 'gone' }), broken, wrap(plain('3'), { key: 'async' }))).toMatchObject([
      { kind: 'cannot-open', reason: 'unknown-key' },
      { kind: 'cannot-open', reason: 'malformed' },
      { kind: 'decoded' },
    ]);
  });

  it('fails the request when a key is unavailable for now, after everything in flight has ended', async () => {
    const { decode, keys } = setup();
    const outcome = decode(
      wrap(plain('1'), { key: 'async' }),
      wrap(plain('2'), { key: 'unavailable' }),
      wrap(plain('3'), { key: 'sync' }),
    );
    await expect(outcome).rejects.toThrow(KeyUnavailableError);
    for (const key of keys.given) key.destroy();
    expect(keys.given.map((key) => key.bytes[0])).toEqual([0, 0]);
  });

  it('releases every data key, so that a destroyed one is zeroed', async () => {
    const { decode, keys } = setup();
    await decode(wrap(plain('1'), { key: 'async' }), wrap(plain('2'), { key: 'sync' }));
    for (const key of keys.given) key.destroy();
    expect(keys.given.map((key) => [...key.bytes].some(Boolean))).toEqual([false, false]);
  });

  it('runs codecs of the configuration after ours, the last first, and only where decoding is allowed', async () => {
    const codec = (name: string) => ({
      appliesTo: (namespace: string) => namespace === 'a',
      encode: async (payload: Payload) => payload,
      decode: async (payload: Payload) =>
        ({ ...payload, data: Buffer.from(`${name}(${Buffer.from(payload.data)})`) }) as Payload,
    });
    const custom = { customCodecs: [codec('first'), codec('second')] };
    const [outcome] = await setup({}, custom).decode(wrap(plain('x'), { key: 'sync' }));
    expect(outcome?.kind === 'decoded' && Buffer.from(outcome.payload.data).toString()).toBe('first(second(x))');
    expect(await setup({ mayDecode: () => false }, custom).decode(plain('x'))).toMatchObject([{ kind: 'unchanged' }]);
    expect(await setup({ namespace: undefined }, custom).decode(plain('x'))).toMatchObject([{ kind: 'unchanged' }]);
  });

  it('reports a failing codec of the configuration as a payload that cannot be opened', async () => {
    const failing = {
      appliesTo: () => true,
      encode: async (payload: Payload) => payload,
      decode: () => Promise.reject(new Error('secret detail')),
    };
    const outcome = await setup({}, { customCodecs: [failing] }).decode(plain('x'));
    expect(outcome).toEqual([{ kind: 'cannot-open', reason: 'custom-codec', namespace: 'a' }]);
  });
});

describe('a data key', () => {
  it('is erased when its owner gives it up and nobody uses it', () => {
    const memory = Buffer.alloc(32, 7);
    new DataKey('k', memory).destroy();
    expect(memory.equals(Buffer.alloc(32))).toBe(true);
  });

  it('keeps its bytes for the users it still has, and for no new one', () => {
    const memory = Buffer.alloc(32, 7);
    const key = new DataKey('k', memory).acquire().acquire();
    key.destroy();
    key.release();
    expect(memory[0]).toBe(7);
    expect(() => key.acquire()).toThrow('destroyed');
    key.release();
    expect(memory[0]).toBe(0);
  });

  it('does not show its bytes in JSON', () => {
    expect(JSON.stringify({ key: new DataKey('name', Buffer.alloc(32, 7)) })).toBe('{"key":"[DataKey name]"}');
  });
});

describe('thousands of payloads of one request', () => {
  /** Opens in a millisecond of work, as a signature takes to verify. */
  function slowly(opened: string[]) {
    return (payload: Payload): Envelope | undefined => {
      const envelope = recognize(payload);
      if (envelope === undefined) return undefined;
      return {
        ...envelope,
        open: (key, limits) => {
          for (const end = performance.now() + 1; performance.now() < end; );
          opened.push(Buffer.from(payload.data).toString());
          return envelope.open(key, limits);
        },
      };
    };
  }

  /** The most payloads that were opened in a row, without a turn for anybody else. A count, since a clock tells how busy the machine is. */
  async function mostInARow(opened: readonly string[], work: Promise<unknown>): Promise<number> {
    let most = 0;
    let before = 0;
    let isDone = false;
    const look = () => {
      most = Math.max(most, opened.length - before);
      before = opened.length;
      if (!isDone) setImmediate(look);
    };
    setImmediate(look);
    await work;
    look();
    isDone = true;
    return most;
  }

  it.each(['sync', 'async'])('let others have a turn, with a key that comes %s', async (key) => {
    const opened: string[] = [];
    const { decode } = setup({}, { recognize: slowly(opened) });
    const payloads = Array.from({ length: 400 }, (_, i) => wrap(plain(String(i)), { key }));
    const work = Promise.resolve(decode(...payloads));
    const most = await mostInARow(opened, work);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(100);
    const outcomes = await work;
    expect(outcomes.map((it) => (it.kind === 'decoded' ? Buffer.from(it.payload.data).toString() : it.kind))).toEqual(
      payloads.map((_, i) => String(i)),
    );
    expect(opened).toHaveLength(400);
  });

  it.each(['sync', 'async'])('open the same one once, with a key that comes %s', async (key) => {
    const opened: string[] = [];
    const { decode } = setup({}, { recognize: slowly(opened) });
    const payloads = Array.from({ length: 10_000 }, (_, i) => wrap(plain(`"${i % 2}"`), { key }));
    const outcomes = await decode(...payloads);
    expect(outcomes.filter(({ kind }) => kind === 'decoded')).toHaveLength(10_000);
    expect(opened).toHaveLength(2);
  });

  it('open another one that ends alike by itself', async () => {
    const opened: string[] = [];
    const { decode } = setup({}, { recognize: slowly(opened) });
    const end = 'e'.repeat(40);
    const payloads = [wrap(plain(`a${end}`)), wrap(plain(`b${end}`)), wrap(plain(`a${end}`), { namespace: 'a' })];
    const outcomes = await decode(...payloads);
    expect(outcomes.map((it) => (it.kind === 'decoded' ? String.fromCharCode(it.payload.data[0] ?? 0) : ''))).toEqual([
      'a',
      'b',
      'a',
    ]);
    expect(opened).toHaveLength(3);
  });

  it('fail as a whole, and leave no failure behind, when a key is not to be had now', async () => {
    const { decode } = setup({}, { recognize: slowly([]) });
    const payloads = Array.from({ length: 60 }, (_, i) =>
      wrap(plain(String(i)), { key: i % 20 === 19 ? 'unavailable' : 'sync' }),
    );
    await expect(Promise.resolve(decode(...payloads))).rejects.toThrow(KeyUnavailableError);
  });
});
