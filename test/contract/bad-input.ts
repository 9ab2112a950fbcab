/** Whatever arrives: each with its status and a clear message, and a server that goes on as before. */

import { deflateSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  base64,
  bodyOf,
  encoded,
  explanationIn,
  type JsonPayload,
  payloadsOf,
  plain,
  withBitFlipped,
} from './payloads.ts';
import { ALLOWED, type ContractTarget, MOST_PAYLOADS, ORIGIN, type TargetKind } from './target.ts';

/** Payloads of a request that ask for fewer data keys than a request may: each of them has a wrapped key of its own. */
const FEWER_THAN_DATA_KEYS = 400;

const MANY = 1_000_000;

const NOT_THE_PROTOCOL: Readonly<Record<string, string | Uint8Array>> = {
  'no body': '',
  'white space': ' \n',
  'no JSON': 'payloads',
  'half a JSON': '{"payloads":[{"data":"QQ==',
  'two JSON texts': '{}{}',
  'JSON with a comma too many': '{"payloads":[],}',
  'JSON with a comment': '{/* */}',
  'a byte order mark': '\ufeff{}',
  'bytes that are not UTF-8': Buffer.from('{"a":"\xff"}', 'latin1'),
  'UTF-16': Buffer.from('{"payloads":[]}', 'utf16le'),
  null: 'null',
  'a list': '[]',
  'a text': '"payloads"',
  'payloads that are not a list': '{"payloads":{}}',
  'a payload that is not an object': '{"payloads":[7]}',
  'a payload that is a list': '{"payloads":[[]]}',
  'metadata that are not an object': '{"payloads":[{"metadata":[]}]}',
  'a metadata value that is not text': '{"payloads":[{"metadata":{"a":{}}}]}',
  'data as an object, as the published sample has it': '{"payloads":[{"data":{"a":1}}]}',
  'data that are not base64': '{"payloads":[{"data":"not base64!"}]}',
  'base64 with padding in the middle': '{"payloads":[{"data":"QQ==QQ=="}]}',
  'base64 with three equals signs': '{"payloads":[{"data":"Q==="}]}',
  'base64 with half of its padding': '{"payloads":[{"data":"QQ="}]}',
  'base64 of one character too many': '{"payloads":[{"data":"QUJDQ"}]}',
  'base64 with white space': '{"payloads":[{"data":"QUJD\\n"}]}',
  'base64 with a look-alike from another alphabet': '{"payloads":[{"data":"\u0141UJD"}]}',
  'base64 with an escaped look-alike': '{"payloads":[{"data":"\\u0141UJD"}]}',
  'a size that is not a number': '{"payloads":[{"externalPayloads":[{"sizeBytes":"large"}]}]}',
  'a size of more than 64 bits': '{"payloads":[{"externalPayloads":[{"sizeBytes":"9223372036854775808"}]}]}',
  'a size with a fraction': '{"payloads":[{"externalPayloads":[{"sizeBytes":1.5}]}]}',
  'a size of a million digits': `{"payloads":[{"externalPayloads":[{"sizeBytes":${'9'.repeat(MANY)}}]}]}`,
  'a million brackets': '['.repeat(MANY),
  'a million objects in one another': `${'{"a":'.repeat(MANY / 2)}`,
  'brackets where nobody looks': `{"other":${'['.repeat(MANY)}${']'.repeat(MANY)}}`,
};

export function describeBadInput(kind: TargetKind): void {
  describe('bad input', () => {
    let target: ContractTarget;
    let sealed: JsonPayload;
    beforeAll(async () => {
      target = await kind.start();
      [sealed] = (await encoded(target, ALLOWED, plain('unharmed'))) as [JsonPayload];
    });
    afterAll(() => target.close());
    afterEach(async () => {
      // Whatever happened, the next one is served.
      expect(payloadsOf(await target.send({ body: bodyOf(sealed) }))).toEqual([plain('unharmed')]);
    });

    // a gateway hands bodies over as text, with replacement characters
    const inputs = Object.keys(NOT_THE_PROTOCOL).filter((what) => !kind.behindGateway || !what.includes('UTF-8'));
    it.each(inputs)('answers 400 for %s', async (what) => {
      for (const path of ['/decode', '/encode']) {
        const answer = await target.send({ path, body: NOT_THE_PROTOCOL[what] ?? '' });
        expect(answer).toMatchObject({ status: 400, headers: { 'content-type': 'text/plain; charset=utf-8' } });
        expect(answer.body.length).toBeLessThan(300);
      }
    });

    it('reads a million empty lists where nobody looks, and makes nothing of them', async () => {
      const answer = await target.send({ body: `{"other":[${'[],'.repeat(MANY)}[]]}` });
      expect(answer).toMatchObject({ status: 200, body: '{"payloads":[]}' });
    });

    it('answers 413 for 20 MB', async () => {
      expect(await target.send({ body: Buffer.alloc(20_000_000, ' ') })).toMatchObject({ status: 413 });
    });

    it.each([MOST_PAYLOADS + 1, 100_000])('answers 413 for %i payloads', async (count) => {
      expect(await target.send({ body: `{"payloads":[${'{},'.repeat(count - 1)}{}]}` })).toMatchObject({ status: 413 });
    });

    it('decodes as many payloads as are allowed', async () => {
      const payloads = Array.from({ length: MOST_PAYLOADS }, () => sealed);
      expect(payloadsOf(await target.send({ body: bodyOf(...payloads) }))).toEqual(
        payloads.map(() => plain('unharmed')),
      );
    });

    it('names the place of what it cannot read', async () => {
      const { body } = await target.send({ body: bodyOf(plain(1), { ...plain(2), data: '!' }) });
      expect(body).toContain('payloads[1].data');
    });

    it('does not inflate a bomb', async () => {
      const bomb = {
        metadata: { encoding: base64('binary/zlib') },
        data: base64(deflateSync(Buffer.alloc(48 << 20))),
      };
      const answer = await target.send({ headers: [['origin', ORIGIN]], body: bodyOf(bomb, sealed) });
      const [first, second] = payloadsOf(answer);
      expect(explanationIn(first)).toContain('cannot be opened');
      expect(second).toEqual(plain('unharmed'));
    });

    it('gives back every truncation of a message, and every message with a bit turned, as it came', async () => {
      const bytes = Buffer.from(sealed.data, 'base64');
      const truncated = Array.from({ length: bytes.length }, (_, length) => ({
        ...sealed,
        data: base64(bytes.subarray(0, length)),
      }));
      const flipped = Array.from({ length: bytes.length * 8 }, (_, bit) => withBitFlipped(sealed, bit));
      const all = [...truncated, ...flipped];
      for (let at = 0; at < all.length; at += FEWER_THAN_DATA_KEYS) {
        const some = all.slice(at, at + FEWER_THAN_DATA_KEYS);
        expect(payloadsOf(await target.send({ body: bodyOf(...some) }))).toEqual(some);
      }
    });
  });
}
