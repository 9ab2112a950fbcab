import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CannotOpenError } from '../../../codec/errors.ts';
import type { OpenLimits, PayloadFormat } from '../../../codec/format.ts';
import {
  type Compression,
  compressPayload,
  gzipFormat,
  snappyFormat,
  zlibFormat,
  zstdFormat,
} from '../../../codec/formats/compression.ts';
import { deserializePayload, metadataOf, serializePayload } from '../../../codec/payload.ts';
import { decodeAll } from '../../support/decoding.ts';
import { jsonPlain, payloadOf } from '../../support/payloads.ts';

/** Google's algorithm in JavaScript, as the oracle; it is not used for reading, where it trusts its input. */
const snappyjs: { compress(data: Uint8Array): Uint8Array } = createRequire(import.meta.url)('snappyjs');

const producers: [PayloadFormat, (data: Uint8Array) => Uint8Array][] = [
  [zlibFormat, deflateSync],
  [gzipFormat, gzipSync],
  [zstdFormat, zstdCompressSync],
  [snappyFormat, (data) => snappyjs.compress(new Uint8Array(data))],
];
const named = producers.map(([format, compress]) => [format.name, format, compress] as const);

function open(format: PayloadFormat, data: Uint8Array, limits: OpenLimits = { inflateBudget: 1_000_000 }): Buffer {
  const envelope = format.recognize(payloadOf({}, data), undefined);
  if (envelope === undefined) throw new Error('not recognized');
  return Buffer.from(envelope.open(undefined, limits));
}

function reasonOf(format: PayloadFormat, data: Uint8Array, limits?: OpenLimits): string {
  try {
    open(format, data, limits);
    return 'opened';
  } catch (error) {
    if (error instanceof CannotOpenError) return error.reason;
    throw error;
  }
}

/** Data with repetitions of every distance, as text has them. */
const someData = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 70 }), fc.nat(40)), { maxLength: 12 })
  .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array.from({ length: times + 1 }, () => bytes))));

describe.each(named)('%s', (_name, format, compress) => {
  it('inflates what others compress', () => {
    fc.assert(
      fc.property(someData, (data) => {
        expect(open(format, compress(data)).equals(data)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('takes what it inflates off the budget, and stops where that ends', () => {
    const data = compress(Buffer.from('to be or not to be, '.repeat(50)));
    const limits = { inflateBudget: 2500 };
    expect(open(format, data, limits)).toHaveLength(1000);
    expect(limits.inflateBudget).toBe(1500);
    open(format, data, limits);
    expect(limits.inflateBudget).toBe(500);
    expect(reasonOf(format, data, limits)).toBe('too-large');
    expect(reasonOf(format, compress(Buffer.alloc(1)), { inflateBudget: 0 })).toBe('too-large');
    expect(reasonOf(format, compress(Buffer.alloc(0)), { inflateBudget: 0 })).toBe('opened');
  });

  it('refuses every truncation, and whatever follows the end', () => {
    const data = compress(Buffer.from('to be or not to be, '.repeat(10)));
    for (let length = 0; length < data.length; length++)
      expect(reasonOf(format, data.subarray(0, length))).toBe('malformed');
    for (const extra of ['\0', 'x', '\0\0\0\0\0\0'])
      expect(reasonOf(format, Buffer.concat([data, Buffer.from(extra)]))).toBe('malformed');
  });

  it('answers for any bytes at all, and within the budget', () => {
    const compressed = compress(Buffer.from('to be or not to be, '.repeat(10)));
    const damaged = fc
      .tuple(fc.nat(compressed.length - 1), fc.nat(255))
      .map(([at, byte]) => Buffer.from(compressed).fill(byte, at, at + 1));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (data) => {
        expect(['opened', 'malformed', 'too-large']).toContain(reasonOf(format, data, { inflateBudget: 300 }));
      }),
      { numRuns: 200 },
    );
  });
});

describe('a bomb', () => {
  const bombs = [deflateSync(Buffer.alloc(50_000_000)), zstdCompressSync(Buffer.alloc(50_000_000))];

  it('is cut off when the budget is used up, long before it is inflated', () => {
    const before = process.memoryUsage().rss;
    for (const [index, format] of [zlibFormat, zstdFormat].entries())
      for (let i = 0; i < 20; i++)
        expect(reasonOf(format, bombs[index] as Uint8Array, { inflateBudget: 1_000_000 })).toBe('too-large');
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  });

  it('costs a thousand times as much as once only twice the budget, and leaves room for good payloads', () => {
    const limits = { inflateBudget: 1_000_000 };
    const budgets: number[] = [];
    for (let i = 0; i < 5; i++) {
      budgets.push(limits.inflateBudget);
      reasonOf(zlibFormat, bombs[0] as Uint8Array, limits);
    }
    expect(budgets).toEqual([1_000_000, 500_000, 250_000, 125_000, 62_500]);
    expect(reasonOf(zlibFormat, deflateSync(Buffer.alloc(10_000)), limits)).toBe('opened');
  });

  it('costs that payload alone among good ones', async () => {
    const good = payloadOf({ encoding: 'binary/zlib' }, deflateSync(serializePayload(jsonPlain('good'))));
    const bomb = payloadOf({ encoding: 'binary/zlib' }, bombs[0] as Uint8Array);
    const outcomes = await decodeAll([good, bomb, good], {});
    expect(outcomes).toMatchObject([
      { kind: 'decoded' },
      { kind: 'cannot-open', reason: 'too-large' },
      { kind: 'decoded' },
    ]);
  });

  it('of broken streams is counted too', () => {
    const limits = { inflateBudget: 1_000_000 };
    const broken = (bombs[0] as Uint8Array).subarray(0, 500);
    expect(reasonOf(zlibFormat, broken, limits)).toBe('malformed');
    expect(limits.inflateBudget).toBe(1_000_000 - 500_000);
    expect(reasonOf(zlibFormat, Buffer.from('zz'), limits)).toBe('malformed');
    expect(limits.inflateBudget).toBe(500_000 - 2 * 1032);
  });

  it('of zstd gets no window larger than the budget and what every decoder supports', () => {
    const frameWithWindow = (log: number) =>
      // Magic number, no flags, window descriptor, one raw block of three bytes (RFC 8878)
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, 1 | (3 << 3), 0, 0, 65, 66, 67]);
    expect(open(zstdFormat, frameWithWindow(23)).toString()).toBe('ABC');
    expect(reasonOf(zstdFormat, frameWithWindow(24))).toBe('malformed');
    expect(reasonOf(zstdFormat, frameWithWindow(25), { inflateBudget: 2 ** 25 })).toBe('opened');
    expect(reasonOf(zstdFormat, frameWithWindow(28), { inflateBudget: 2 ** 40 })).toBe('malformed');
  });
});

describe('snappy', () => {
  const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

  it.each([
    ['claims more than its elements can give', 'ff ff ff ff 0f 00 61'],
    ['claims 4 GiB in one byte', 'ff ff ff ff 0f'],
    ['has a length that never ends', 'ff ff ff ff ff ff'],
    ['gives less than it claims', '05 00 61'],
    ['gives more than it claims', '01 04 61 62'],
    ['has a literal of negative length', '08 fc fa ff ff ff 61 61 61 61'],
    ['copies from before its start', '05 00 61 01 02'],
    ['copies from no distance', '05 00 61 01 00'],
    ['copies more than it claims', '03 00 61 0d 01'],
    ['copies from 4 GiB back', '05 00 61 0f ff ff ff ff'],
  ])('is refused at once when it %s', (_, block) => {
    expect(reasonOf(snappyFormat, hex(block))).toBe('malformed');
  });

  it('is not even allocated when it claims more than the budget', () => {
    const block = Buffer.concat([hex('c0 84 3d'), Buffer.alloc(40_000)]);
    expect(reasonOf(snappyFormat, block, { inflateBudget: 999_999 })).toBe('too-large');
    expect(reasonOf(snappyFormat, block, { inflateBudget: 1_000_000 })).toBe('malformed');
  });

  it.each([
    ['a copy with an offset of one byte', '05 00 61 01 01', 'aaaaa'],
    ['a copy with an offset of two bytes', '05 00 61 0e 01 00', 'aaaaa'],
    ['a copy with an offset of four bytes', '05 00 61 0f 01 00 00 00', 'aaaaa'],
    ['an overlapping copy of a pattern', '08 04 61 62 09 02', 'abababab'],
    ['a literal with its length in two bytes', '03 f4 02 00 61 62 63', 'abc'],
    ['a literal with its length in four bytes', '03 fc 02 00 00 00 61 62 63', 'abc'],
  ])('inflates %s', (_, block, text) => {
    expect(open(snappyFormat, hex(block)).toString()).toBe(text);
  });
});

describe.each<Compression>(['zlib', 'zstd'])('compressing with %s', (compression) => {
  const format = compression === 'zlib' ? zlibFormat : zstdFormat;

  it('is undone by reading, whatever the payload', () => {
    fc.assert(
      fc.property(someData, fc.dictionary(fc.string(), fc.string()), (data, metadata) => {
        const payload = { ...payloadOf(metadata, data), externalPayloads: [{ sizeBytes: 5n }] };
        const compressed = compressPayload(payload, compression);
        if (compressed === payload) return;
        expect(serializePayload(compressed).length).toBeLessThan(serializePayload(payload).length);
        expect(deserializePayload(open(format, compressed.data))).toEqual(
          deserializePayload(serializePayload(payload)),
        );
      }),
    );
  });

  it('saves bytes on a text of some length', () => {
    const payload = jsonPlain({ order: 'to be or not to be, '.repeat(10) });
    const compressed = compressPayload(payload, compression);
    expect(compressed.metadata).toEqual(metadataOf({ encoding: `binary/${compression}` }));
    expect(compressed.data.length).toBeLessThan(payload.data.length / 2);
  });

  it('leaves alone what is short, random, or already compressed or encrypted', () => {
    const random = randomBytes(500);
    const text = Buffer.from('to be or not to be, '.repeat(10));
    for (const payload of [jsonPlain('short'), payloadOf({ encoding: 'binary/plain' }, random)])
      expect(compressPayload(payload, compression)).toBe(payload);
    for (const encoding of [
      'binary/zlib',
      'binary/zstd',
      'binary/gzip',
      'binary/snappy',
      'binary/encrypted',
      'binary/aws-encryption-sdk',
    ])
      expect(compressPayload(payloadOf({ encoding }, text), compression).metadata).toEqual(metadataOf({ encoding }));
  });
});
