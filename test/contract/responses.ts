/** What every answer looks like. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { base64, bodyOf, encoded, payloadsOf, plain } from './payloads.ts';
import {
  ALLOWED,
  BODY_BYTES,
  type ContractRequest,
  type ContractTarget,
  FOREIGN_ORIGIN,
  type TargetKind,
} from './target.ts';

/** A request for every status that needs no fault. */
const ONE_OF_EACH: readonly (readonly [status: number, what: string, request: ContractRequest])[] = [
  [200, 'payloads', { body: '{}' }],
  [400, 'no JSON', { body: '{' }],
  [401, 'nobody', { who: 'nobody' }],
  [403, 'no right to encode', { who: 'outsider', path: '/encode', body: bodyOf(plain(1)) }],
  [403, 'a foreign origin', { headers: [['origin', FOREIGN_ORIGIN]], body: '{}' }],
  [404, 'an unknown path', { path: '/elsewhere' }],
  [404, 'a download', { path: '/download', body: '{}' }],
  [405, 'a GET', { method: 'GET' }],
  [413, 'a body that is too large', { body: Buffer.alloc(BODY_BYTES + 1, ' ') }],
  [413, 'too many payloads', { body: `{"payloads":[${'{},'.repeat(1000)}{}]}` }],
  [415, 'a form', { headers: [['content-type', 'multipart/form-data']] }],
];

export function describeResponses(kind: TargetKind): void {
  describe('responses', () => {
    let target: ContractTarget;
    beforeAll(async () => {
      target = await kind.start();
    });
    afterAll(() => target.close());

    describe.each(kind.behindGateway ? ONE_OF_EACH.filter(([status]) => status !== 405) : ONE_OF_EACH)(
      'of %i for %s',
      (status, _, request) => {
        it('may not be stored, may not be taken for another type, and can be found in the log', async () => {
          const answer = await target.send(request);
          expect(answer.status).toBe(status);
          expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
          const requestId = answer.headers['x-request-id'];
          expect(requestId).toMatch(/^\S{8,}$/);
          expect((await target.send(request)).headers['x-request-id']).not.toBe(requestId);
        });

        if (status === 200) return;
        it('say what is wrong in one line of text, with the request id', async () => {
          const { headers, body } = await target.send(request);
          expect(headers['content-type']).toBe('text/plain; charset=utf-8');
          expect(body).toMatch(/^[^\n]{10,300}\n?$/);
          expect(body).toContain(headers['x-request-id']);
        });
      },
    );

    it('of 401 name the scheme, before anything of the body was looked at', async () => {
      for (const body of ['{"payloads":[]}', 'no JSON', ''])
        expect(await target.send({ who: 'nobody', body })).toMatchObject({
          status: 401,
          headers: { 'www-authenticate': expect.stringMatching(/^Bearer/) },
        });
    });

    it('never repeat what was sent', async () => {
      const canary = 'canary-7f3a';
      const bodies = [
        `{"payloads":[{"metadata":{"${canary}":"${canary}!"}}]}`,
        `${canary}`,
        `{"payloads":"${canary}"}`,
        `{"payloads":[{"externalPayloads":[{"sizeBytes":"${canary}"}]}]}`,
      ];
      for (const body of bodies) {
        const answer = await target.send({ body });
        expect(answer.status).toBe(400);
        expect(answer.body).not.toContain(canary);
      }
    });

    it('have as many payloads as the request, in its order', async () => {
      const values = Array.from({ length: 40 }, (_, index) => plain({ index }));
      const sealed = await encoded(target, ALLOWED, ...values);
      const mixed = values.flatMap((value, index) => [value, sealed[index]]);
      expect(payloadsOf(await target.send({ body: bodyOf(...mixed) }))).toEqual(
        values.flatMap((value) => [value, value]),
      );
    });

    it.each([
      ['a search attribute', plain(['a'], { type: 'KeywordList' })],
      ['null', { metadata: { encoding: base64('binary/null') }, data: '' }],
      ['protobuf', { metadata: { encoding: base64('binary/protobuf'), messageType: base64('a.B') }, data: 'AAEC/w==' }],
      ['an unknown encoding', { metadata: { encoding: base64('binary/other'), x: '' }, data: 'AA==' }],
      ['no encoding', { metadata: {}, data: 'QQ==' }],
      ['an encoding that is not text', { metadata: { encoding: '/w==' }, data: '' }],
      [
        'a reference to external storage',
        {
          metadata: {
            encoding: base64('json/protobuf'),
            messageType: base64('temporal.api.sdk.v1.ExternalStorageReference'),
          },
          data: base64('{"driverName":"aws.s3driver"}'),
          externalPayloads: [{ sizeBytes: '1048576' }, { sizeBytes: '0' }],
        },
      ],
    ])('give back %s as it was, whoever asks', async (_, payload) => {
      for (const who of ['writer', 'outsider'] as const)
        expect(payloadsOf(await target.send({ who, body: bodyOf(payload) }))).toEqual([payload]);
    });

    it('bring externalPayloads back out of the ciphertext', async () => {
      const payload = { ...plain('large'), externalPayloads: [{ sizeBytes: '9223372036854775807' }] };
      const sealed = await encoded(target, ALLOWED, payload);
      expect(payloadsOf(await target.send({ body: bodyOf(...sealed) }))).toEqual([payload]);
    });

    it('of /download say in a 404 that there is no external storage, whoever asks', async () => {
      for (const who of ['writer', 'nobody'] as const)
        expect(await target.send({ path: '/prefix/download', body: '{}', who })).toMatchObject({ status: 404 });
    });

    const prefixed = kind.behindGateway ? [] : ['/prefix/healthz'];
    it.each(['/healthz', '/readyz', ...prefixed])('of GET %s say 200 to everyone', async (path) => {
      const { status, headers } = await target.send({ method: 'GET', path, who: 'nobody', withoutContentType: true });
      expect({ status, cache: headers['cache-control'] }).toEqual({ status: 200, cache: 'no-store' });
    });
  });
}
