/** What becomes of a payload: who gets plaintext, who gets what instead, and what is never encoded. */
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { metadataOf, serializePayload } from '../../codec/payload.ts';
import {
  base64,
  bodyOf,
  encoded,
  explanationIn,
  type JsonPayload,
  namespaceOf,
  payloadsOf,
  plain,
  withBitFlipped,
} from './payloads.ts';
import {
  ALLOWED,
  type ContractTarget,
  DEFAULT,
  FORBIDDEN,
  ORIGIN,
  READER_EMAIL,
  type TargetKind,
  type Who,
  WRITERS_RULE,
} from './target.ts';

const FROM_BROWSER = [['origin', ORIGIN]] as const;

export function describeOutcomes(kind: TargetKind): void {
  describe('outcomes', () => {
    let target: ContractTarget;
    let allowed: JsonPayload;
    let forbidden: JsonPayload;
    let broken: JsonPayload;
    beforeAll(async () => {
      target = await kind.start();
      [allowed] = (await encoded(target, ALLOWED, plain('allowed'))) as [JsonPayload];
      [forbidden] = (await encoded(target, FORBIDDEN, plain('forbidden'))) as [JsonPayload];
      broken = withBitFlipped(allowed, Buffer.from(allowed.data, 'base64').length * 8 - 1);
    });
    afterAll(() => target.close());

    const decode = async (who: Who, headers: readonly (readonly [string, string])[], ...payloads: unknown[]) => {
      const answer = await target.send({ who, headers, body: bodyOf(...payloads) });
      return { payloads: payloadsOf(answer), requestId: answer.headers['x-request-id'] };
    };

    it('gives plaintext to people who may read the namespace that the payload is bound to', async () => {
      expect((await decode('reader', [], allowed)).payloads).toEqual([plain('allowed')]);
      expect((await decode('worker', [], allowed)).payloads).toEqual([plain('allowed')]);
      expect((await decode('writer', [], allowed, forbidden)).payloads).toEqual([plain('allowed'), plain('forbidden')]);
    });

    it.each([[[]], [[['x-namespace', ALLOWED]]], [[['x-namespace', FORBIDDEN]]], [[['x-namespace', DEFAULT]]]] as [
      [string, string][],
    ][])('decides by the payload, not by what the caller names: headers %j', async (headers) => {
      const { payloads } = await decode('reader', headers, allowed, forbidden, allowed);
      expect(payloads).toEqual([plain('allowed'), forbidden, plain('allowed')]);
    });

    it('gives nothing to those without a right, and their own payload back to those who are not a browser', async () => {
      for (const who of ['outsider', 'reader', 'worker'] as const)
        expect((await decode(who, [], forbidden)).payloads).toEqual([forbidden]);
    });

    it('tells a person in a browser who may not read what, and which rule to ask for', async () => {
      const { payloads, requestId } = await decode('reader', FROM_BROWSER, allowed, forbidden);
      expect(payloads[0]).toEqual(plain('allowed'));
      const explanation = explanationIn(payloads[1]);
      for (const text of [READER_EMAIL, FORBIDDEN, JSON.stringify(WRITERS_RULE), requestId])
        expect(explanation).toContain(text);
    });

    it('tells a person in a browser that a payload cannot be opened, and never why', async () => {
      const unreadable = [
        broken,
        { ...allowed, data: allowed.data.slice(0, 40) },
        { ...allowed, data: '' },
        { ...allowed, data: base64('no message') },
        { metadata: { encoding: base64('binary/encrypted') }, data: base64('no key for this') },
        { metadata: { encoding: base64('binary/zlib') }, data: base64('no zlib') },
      ];
      const { payloads, requestId } = await decode('writer', FROM_BROWSER, ...unreadable);
      const [first] = payloads;
      expect(explanationIn(first)).toBe(`Codec server: this payload cannot be opened (request ${requestId})`);
      expect(payloads).toEqual(unreadable.map(() => first));
    });

    it('gives those who are not a browser the payload back that cannot be opened', async () => {
      expect((await decode('writer', [], broken)).payloads).toEqual([broken]);
    });

    it('gives originals to whoever reads in bulk, in a browser, too', async () => {
      const headers = FROM_BROWSER;
      const body = bodyOf(allowed, forbidden, broken);
      const bulk = await target.send({ who: 'reader', headers, body, query: 'preserveStorageRefs=true&bulk=true' });
      expect(payloadsOf(bulk)).toEqual([plain('allowed'), forbidden, broken]);
      const notBulk = await target.send({ who: 'reader', headers, body, query: 'bulk=no' });
      expect(payloadsOf(notBulk)[1]).not.toEqual(forbidden);
    });

    it('never explains to a service token, which would take it for data', async () => {
      const { payloads } = await decode('worker', FROM_BROWSER, forbidden, broken);
      expect(payloads).toEqual([forbidden, broken]);
    });

    it('lets one bad payload among a hundred cost that payload alone', async () => {
      const values = Array.from({ length: 100 }, (_, index) => plain(index));
      const sealed = await encoded(target, ALLOWED, ...values);
      const expected = [...values.slice(0, 50), broken, ...values.slice(50)];
      expect((await decode('reader', [], ...sealed.slice(0, 50), broken, ...sealed.slice(50))).payloads).toEqual(
        expected,
      );
    });

    it('peels what was encoded twice, and what was compressed inside', async () => {
      const compressed = {
        metadata: { encoding: base64('binary/zlib') },
        data: base64(
          deflateSync(serializePayload({ metadata: metadataOf({ encoding: 'json/plain' }), data: Buffer.from('"z"') })),
        ),
      };
      // Bound to another namespace it is not taken for encoded already.
      const twice = await encoded(target, ALLOWED, ...(await encoded(target, FORBIDDEN, plain('twice'), compressed)));
      expect((await decode('writer', [], ...twice)).payloads).toEqual([plain('twice'), plain('z')]);
      expect((await decode('reader', [], ...twice)).payloads).toEqual(twice);
    });

    describe('of /encode', () => {
      const encode = (who: Who, namespace: string, ...payloads: unknown[]) =>
        target.send({ who, path: '/encode', headers: [['x-namespace', namespace]], body: bodyOf(...payloads) });

      it('bind every payload to the namespace, under a message of its own', async () => {
        const [one, other] = await encoded(target, ALLOWED, plain('same'), plain('same'));
        expect(namespaceOf(one)).toBe(ALLOWED);
        expect(namespaceOf(other)).toBe(ALLOWED);
        expect(one?.data).not.toBe(other?.data);
      });

      it('give back what is already encoded for the namespace, and authenticates, as it is', async () => {
        const again = payloadsOf(await encode('writer', ALLOWED, allowed, plain('new')));
        expect(again[0]).toEqual(allowed);
        expect((await decode('writer', [], ...again)).payloads).toEqual([plain('allowed'), plain('new')]);
      });

      it('encode once more what only looks as if it were encoded for the namespace', async () => {
        for (const payload of [broken, forbidden, { ...allowed, data: base64('no message') }]) {
          const [result] = payloadsOf(await encode('writer', ALLOWED, payload));
          expect(result).not.toEqual(payload);
          expect(namespaceOf(result)).toBe(ALLOWED);
        }
      });

      it.each(['reader', 'worker', 'outsider'] as const)('refuse the %s, who may not encode', async (who) => {
        for (const payload of [plain('x'), allowed]) {
          const answer = await encode(who, ALLOWED, payload);
          expect(answer.status).toBe(403);
          expect(answer.body).toContain(ALLOWED);
        }
      });

      it('refuse a browser like everyone else: there is no explanation in place of a payload', async () => {
        const answer = await target.send({
          who: 'reader',
          path: '/encode',
          headers: [['x-namespace', ALLOWED], ...FROM_BROWSER],
          body: bodyOf(plain('x')),
        });
        expect(answer.status).toBe(403);
      });
    });
  });
}
