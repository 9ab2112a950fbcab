import { describe, expect, it } from '@jest/globals';
import type { PayloadCodec, Payload as TemporalPayload } from '@temporalio/common';
import { metadataOf, type Payload } from '../../codec/payload.ts';
import { createCustomCodec } from '../../codec/temporal-codec.ts';

const PAYLOAD: Payload = {
  metadata: metadataOf({ encoding: 'json/plain' }),
  data: Buffer.from('"x"'),
  externalPayloads: [{ sizeBytes: 2n ** 60n }],
};

function codecOf(change: (payload: TemporalPayload) => TemporalPayload | undefined): PayloadCodec {
  const all = async (payloads: TemporalPayload[]) => payloads.map(change).filter((it) => it !== undefined);
  return { encode: all, decode: all };
}

describe("a team's own codec", () => {
  it('applies to the namespaces it is for, and to all where none are named', () => {
    const codec = codecOf((it) => it);
    const { appliesTo } = createCustomCodec({ codec, namespaces: ['orders-*'] });
    expect([appliesTo('orders-dev'), appliesTo('payroll')]).toEqual([true, false]);
    expect(createCustomCodec({ codec }).appliesTo('anything')).toBe(true);
  });

  it('sees the whole payload, and gives back a whole one', async () => {
    const codec = createCustomCodec({ codec: codecOf((it) => ({ ...it, data: Buffer.from('other') })) });
    const expected = { ...PAYLOAD, data: Buffer.from('other') };
    expect(await codec.encode(PAYLOAD)).toEqual(expected);
    expect(await codec.decode(PAYLOAD)).toEqual(expected);
  });

  it('has not decoded what it gives back unchanged, copied or not', async () => {
    for (const change of [
      (it: TemporalPayload) => it,
      ({ metadata, ...rest }: TemporalPayload) => ({ ...rest, metadata: { ...metadata } }),
    ])
      expect(await createCustomCodec({ codec: codecOf(change) }).decode(PAYLOAD)).toBe(PAYLOAD);
  });

  it.each<[string, (payload: TemporalPayload) => TemporalPayload]>([
    ['data', (it) => ({ ...it, data: Buffer.from('"y"') })],
    ['a metadata value', (it) => ({ ...it, metadata: { encoding: Buffer.from('other') } })],
    ['a metadata key', (it) => ({ ...it, metadata: { ...it.metadata, more: Buffer.alloc(0) } })],
    ['external payloads', (it) => ({ ...it, externalPayloads: [] })],
  ])('has decoded what differs in %s', async (_, change) => {
    expect(await createCustomCodec({ codec: codecOf(change) }).decode(PAYLOAD)).not.toBe(PAYLOAD);
  });

  it('fails to encode in our words: what it throws may hold the payload', async () => {
    const throws = createCustomCodec({
      codec: codecOf(() => {
        throw new Error('secret plaintext');
      }),
    });
    await expect(throws.encode(PAYLOAD)).rejects.toMatchObject({
      name: 'CannotEncodeError',
      reason: 'custom-codec',
      message: expect.not.stringContaining('secret'),
    });
    const swallows = createCustomCodec({ codec: codecOf(() => undefined) });
    await expect(swallows.encode(PAYLOAD)).rejects.toMatchObject({ name: 'CannotEncodeError' });
    await expect(swallows.decode(PAYLOAD)).rejects.toThrow('returned no payload');
  });
});
