import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { metadataOf, type Payload } from '../../../../codec/payload.ts';
import { readPayloads } from '../../../../lambda/server/http/payload-json-reader.ts';
import { writePayloads } from '../../../../lambda/server/http/responses.ts';

const anyPayload: fc.Arbitrary<Payload> = fc
  .record({
    metadata: fc.dictionary(fc.string({ unit: 'binary' }), fc.string(), { maxKeys: 3 }),
    bytes: fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.constant(Buffer.alloc(30_000, 'plenty'))),
    sizes: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 2 }),
  })
  .map(({ metadata, bytes, sizes }) => ({
    metadata: metadataOf(metadata),
    data: Buffer.from(bytes),
    ...(sizes.length > 0 && { externalPayloads: sizes.map((sizeBytes) => ({ sizeBytes })) }),
  }));

function written(payloads: readonly Payload[]): string {
  const body = writePayloads(payloads);
  return typeof body === 'string' ? body : body.toString('latin1');
}

function texts(payloads: readonly Payload[]): unknown[] {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return payloads.map(({ metadata, data, externalPayloads }) => [
    Object.entries(metadata).map(([key, value]) => [key, hex(value)]),
    hex(data),
    externalPayloads?.map(({ sizeBytes }) => sizeBytes),
  ]);
}

describe('the JSON of payloads', () => {
  it('is written in the shape that every client reads', () => {
    const payload = {
      metadata: metadataOf({ encoding: 'json/plain' }),
      data: Buffer.from('1'),
      externalPayloads: [{ sizeBytes: 5n }],
    };
    expect(written([payload, { metadata: metadataOf({}), data: Buffer.alloc(0) }])).toBe(
      '{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"MQ==","externalPayloads":[{"sizeBytes":"5"}]},{"metadata":{},"data":""}]}',
    );
    expect(written([])).toBe('{"payloads":[]}');
  });

  it('is a text where it is short and bytes where it is long', () => {
    const payloadOf = (length: number): Payload => ({ metadata: metadataOf({}), data: Buffer.alloc(length) });
    expect(typeof writePayloads([payloadOf(1000)])).toBe('string');
    expect(Buffer.isBuffer(writePayloads([payloadOf(100_000)]))).toBe(true);
  });

  it('is ASCII, and reads back as the payloads that were written', () => {
    fc.assert(
      fc.property(fc.array(anyPayload, { maxLength: 4 }), (payloads) => {
        const text = written(payloads);
        expect(/^[\x20-\x7e]*$/.test(text)).toBe(true);
        expect(() => JSON.parse(text)).not.toThrow();
        // as texts: comparing long buffers byte by byte takes Jest seconds
        expect(texts(readPayloads(Buffer.from(text), 10))).toEqual(texts(payloads));
      }),
      { numRuns: 50 },
    );
  });
});
