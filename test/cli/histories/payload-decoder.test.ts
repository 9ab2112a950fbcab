import { expect, it } from '@jest/globals';
import { Batcher, type PayloadDecoder } from '../../../cli/histories/payload-decoder.ts';
import { metadataOf, type Payload } from '../../../codec/payload.ts';

it('begins with a small batch and doubles it to 1,000 payloads, so that a server has work while the rest is read', async () => {
  const sizes: number[] = [];
  const decoder: PayloadDecoder = {
    concurrency: 4,
    async decode(payloads) {
      sizes.push(payloads.length);
      return payloads.map((payload) => ({ payload }));
    },
    close() {},
  };
  const batcher = new Batcher(decoder);
  const payloads = Array.from({ length: 3_100 }, (_, i): Payload => {
    return { metadata: metadataOf({ encoding: 'json/plain' }), data: Buffer.from(String(i)) };
  });

  const decoded = batcher.decode(payloads);
  batcher.finish();

  expect((await decoded).map((it) => 'payload' in it && it.payload)).toEqual(payloads);
  expect(sizes).toEqual([100, 200, 400, 800, 1_000, 600]);
  expect(batcher.calls).toBe(6);
});
