import { describe, expect, it } from '@jest/globals';
import proto from '@temporalio/proto';
import fc from 'fast-check';
import { CannotEncodeError, MalformedPayloadError } from '../../codec/errors.ts';
import {
  deserializePayload,
  emptyMetadata,
  encodingOf,
  MAX_EXTERNAL_PAYLOADS,
  MAX_METADATA_ENTRIES,
  metadataOf,
  metadataText,
  type Payload,
  serializeInParts,
  serializePayload,
} from '../../codec/payload.ts';

const { Payload: Oracle } = proto.temporal.api.common.v1;

const bytes = fc.uint8Array({ maxLength: 300 });
const metadataKey = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('encoding', '__proto__', 'constructor', ''),
);
const payloads: fc.Arbitrary<Payload> = fc
  .record({
    entries: fc.uniqueArray(fc.tuple(metadataKey, bytes), { maxLength: 5, selector: ([key]) => key }),
    data: bytes,
    sizes: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 3 }),
  })
  .map(({ entries, data, sizes }) => {
    const metadata = emptyMetadata();
    for (const [key, value] of entries) metadata[key] = value;
    const externalPayloads = sizes.map((sizeBytes) => ({ sizeBytes }));
    return sizes.length > 0 ? { metadata, data, externalPayloads } : { metadata, data };
  });

/** The same payload with plain arrays of numbers, so that a Buffer equals a Uint8Array. */
function plain(payload: Payload): unknown {
  return {
    metadata: Object.entries(payload.metadata).map(([key, value]) => [key, [...value]]),
    data: [...payload.data],
    external: payload.externalPayloads?.map(({ sizeBytes }) => sizeBytes) ?? [],
  };
}

describe('a payload as protobuf', () => {
  it('has as many entries and details as are read again, and no more', () => {
    const payloadWith = (entries: number, details: number): Payload => ({
      metadata: metadataOf(Object.fromEntries(Array.from({ length: entries }, (_, i) => [`k${i}`, 'v']))),
      data: Buffer.alloc(0),
      externalPayloads: Array.from({ length: details }, () => ({ sizeBytes: 1n })),
    });
    const most = payloadWith(MAX_METADATA_ENTRIES, MAX_EXTERNAL_PAYLOADS);
    expect(plain(deserializePayload(serializePayload(most)))).toEqual(plain(most));
    expect(() => serializePayload(payloadWith(MAX_METADATA_ENTRIES + 1, 0))).toThrow(CannotEncodeError);
    expect(() => serializePayload(payloadWith(0, MAX_EXTERNAL_PAYLOADS + 1))).toThrow(CannotEncodeError);
  });

  it('is the same in parts, of which large data is one', () => {
    fc.assert(
      fc.property(payloads, fc.constantFrom(0, 300, 16_384, 100_000, 2_200_000), (payload, size) => {
        const data = Buffer.alloc(size, 7);
        const parts = serializeInParts({ ...payload, data });
        expect(Buffer.concat(parts).equals(serializePayload({ ...payload, data }))).toBe(true);
        expect(parts.includes(data)).toBe(size >= 16_384);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['entries of metadata', '0a00'],
    ['external payloads', '1a00'],
  ])('of millions of empty %s is given up early', (what, entry) => {
    const bytes = Buffer.alloc(2_000_000, entry, 'hex');
    expect(() => deserializePayload(bytes)).toThrow(MalformedPayloadError);
    expect(() => deserializePayload(bytes)).toThrow(new RegExp(`^more than \\d+ ${what}$`));
  });

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        expect(plain(deserializePayload(serializePayload(payload)))).toEqual(plain(payload));
      }),
    );
  });

  it('is read by the official protobuf library as we wrote it', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        // protobufjs keeps maps in ordinary objects, where `__proto__` cannot be a key
        fc.pre(!Object.hasOwn(payload.metadata, '__proto__'));
        const read = Oracle.decode(serializePayload(payload));
        expect(
          Object.entries(read.metadata ?? {})
            .map(([key, value]) => [key, [...value]])
            .sort(),
        ).toEqual(
          Object.entries(payload.metadata)
            .map(([key, value]) => [key, [...value]])
            .sort(),
        );
        expect([...read.data]).toEqual([...payload.data]);
        expect(read.externalPayloads.map((it) => String(it.sizeBytes))).toEqual(
          (payload.externalPayloads ?? []).map((it) => String(it.sizeBytes)),
        );
      }),
    );
  });

  it('is read by us as the official protobuf library wrote it', () => {
    const written = Oracle.encode({
      metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from('Keyword') },
      data: Buffer.from('"wörld"'),
      externalPayloads: [{ sizeBytes: 7 as never }, {}],
    }).finish();
    const read = deserializePayload(written);
    expect(encodingOf(read)).toBe('json/plain');
    expect(metadataText(read, 'type')).toBe('Keyword');
    expect(Buffer.from(read.data).toString()).toBe('"wörld"');
    expect(read.externalPayloads).toEqual([{ sizeBytes: 7n }, { sizeBytes: 0n }]);
  });

  it('is empty when the message is empty', () => {
    expect(plain(deserializePayload(new Uint8Array(0)))).toEqual({ metadata: [], data: [], external: [] });
  });

  it('skips fields it does not know, of every wire type', () => {
    const unknown = Buffer.from('2001290102030405060708320161350a0b0c0d', 'hex');
    const known = serializePayload({ metadata: metadataOf({ encoding: 'binary/null' }), data: Buffer.from('x') });
    expect(plain(deserializePayload(Buffer.concat([unknown, known, unknown])))).toEqual(
      plain(deserializePayload(known)),
    );
  });

  it('takes the last of a repeated single field', () => {
    expect(Buffer.from(deserializePayload(Buffer.from('120161120162', 'hex')).data).toString()).toBe('b');
  });

  it('refuses every truncation inside a field', () => {
    const whole = serializePayload({
      metadata: metadataOf({ encoding: 'json/plain' }),
      data: Buffer.alloc(200, 1),
      externalPayloads: [{ sizeBytes: 1n }],
    });
    const boundaries = new Set([0, 24, 24 + 203, whole.length]);
    for (let end = 0; end < whole.length; end++) {
      const read = () => deserializePayload(whole.subarray(0, end));
      if (boundaries.has(end)) expect(read).not.toThrow();
      else expect(read).toThrow(MalformedPayloadError);
    }
  });

  it.each([
    ['a field number of zero', '0001'],
    ['a group', '0b0c'],
    ['a length past the end', '12ff01'],
    ['a length that is not a safe integer', '12ffffffffffffffffff01'],
    ['a varint without an end', '20ffffffffffffffffffff'],
    ['a metadata key that is not UTF-8', '0a060a02c3281200'],
  ])('refuses %s', (_what, hex) => {
    expect(() => deserializePayload(Buffer.from(hex, 'hex'))).toThrow(MalformedPayloadError);
  });

  it('answers any bytes with a payload or with MalformedPayloadError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (input) => {
        try {
          deserializePayload(input);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedPayloadError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
