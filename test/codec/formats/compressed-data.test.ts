import { createRequire } from 'node:module';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { metadataOf, type Payload } from '../../../codec/payload.ts';
import { decodeOne } from '../../support/decoding.ts';

const snappyjs: { compress(data: Uint8Array): Uint8Array } = createRequire(import.meta.url)('snappyjs');
const TEXT = Buffer.from(JSON.stringify({ order: 'x'.repeat(500) }));
const payload = (algorithm: string, data: Uint8Array): Payload => ({
  metadata: metadataOf({ encoding: 'json/plain', 'compression/algorithm': algorithm }),
  data,
});

describe('a payload whose data alone is compressed', () => {
  it.each([
    ['zstd', zstdCompressSync(TEXT)],
    ['snappy', snappyjs.compress(new Uint8Array(TEXT))],
  ])('is read with %s, and loses the mark', async (algorithm, data) => {
    const outcome = await decodeOne(payload(algorithm, data), { namespace: 'orders' });
    expect(outcome).toMatchObject({ kind: 'decoded', layers: ['compressed-data'] });
    if (outcome.kind !== 'decoded') throw new Error('not decoded');
    expect(Buffer.from(outcome.payload.data)).toEqual(TEXT);
    expect(Object.keys(outcome.payload.metadata)).toEqual(['encoding']);
  });

  it.each(['lz4', 'brotli', '__proto__', ''])(
    'stays closed with %s, instead of being shown compressed',
    async (name) => {
      const outcome = await decodeOne(payload(name, Buffer.alloc(40)), { namespace: 'orders' });
      expect(outcome).toMatchObject({ kind: 'cannot-open', reason: 'malformed' });
    },
  );

  it('inflates within the budget of the request', async () => {
    const bomb = payload('zstd', zstdCompressSync(Buffer.alloc(2_000_000)));
    expect(await decodeOne(bomb, { namespace: 'orders' })).toMatchObject({ kind: 'cannot-open', reason: 'too-large' });
  });
});
