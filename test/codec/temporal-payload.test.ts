import { describe, expect, it } from '@jest/globals';
import proto from '@temporalio/proto';
import fc from 'fast-check';
import Long from 'long';
import { metadataOf, serializePayload } from '../../codec/payload.ts';
import { fromTemporalPayload, toTemporalPayload } from '../../codec/temporal-codec.ts';

const { Payload: Official } = proto.temporal.api.common.v1;

describe('a payload at the border to the SDK', () => {
  it('has every field inside, whatever the SDK left out', () => {
    const empty = { metadata: {}, data: new Uint8Array(0) };
    for (const payload of [{}, { metadata: null, data: null, externalPayloads: null }, { externalPayloads: [] }])
      expect(fromTemporalPayload(payload)).toEqual(empty);
    expect(fromTemporalPayload({ externalPayloads: [{}] }).externalPayloads).toEqual([{ sizeBytes: 0n }]);
  });

  it('keeps metadata keys that objects treat specially', () => {
    const metadata = JSON.parse('{"__proto__":1,"constructor":1}') as Record<string, never>;
    for (const key of Object.keys(metadata)) Object.defineProperty(metadata, key, { value: Buffer.from(key) });
    const ours = fromTemporalPayload({ metadata });
    expect(Object.keys(ours.metadata)).toEqual(['__proto__', 'constructor']);
    expect(Object.keys(toTemporalPayload(ours).metadata ?? {})).toEqual(['__proto__', 'constructor']);
  });

  it('carries every 64-bit size both ways', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (sizeBytes) => {
        const payload = { metadata: metadataOf({}), data: Buffer.from('x'), externalPayloads: [{ sizeBytes }] };
        const theirs = toTemporalPayload(payload);
        expect(theirs.externalPayloads?.[0]?.sizeBytes).toEqual(Long.fromString(String(sizeBytes)));
        expect(fromTemporalPayload(theirs)).toEqual(payload);
      }),
    );
  });

  it('is serialized by the SDK as by us', () => {
    const payload = {
      metadata: metadataOf({ encoding: 'json/plain' }),
      data: Buffer.from('{}'),
      externalPayloads: [{ sizeBytes: 12_345_678_901n }],
    };
    const official = Official.encode(toTemporalPayload(payload)).finish();
    expect(Buffer.from(official).equals(serializePayload(payload))).toBe(true);
    expect(fromTemporalPayload(Official.decode(official))).toEqual(payload);
  });
});
