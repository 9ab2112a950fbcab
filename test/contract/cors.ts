/** What a browser needs to see, wherever it comes from: the server's code or the gateway. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bodyOf, plain } from './payloads.ts';
import {
  CONTRACT_CONFIG,
  type ContractRequest,
  type ContractTarget,
  FOREIGN_ORIGIN,
  ORIGIN,
  type TargetKind,
} from './target.ts';

const FOREIGN = [FOREIGN_ORIGIN, 'https://CLOUD.temporal.io', `${ORIGIN}/`, 'http://cloud.temporal.io', 'null', '*'];

export function describeCors(kind: TargetKind): void {
  describe('CORS', () => {
    let target: ContractTarget;
    beforeAll(async () => {
      target = await kind.start();
    });
    afterAll(() => target.close());

    const preflight = (origin: string, path = '/decode') =>
      target.send({
        method: 'OPTIONS',
        path,
        who: 'nobody',
        withoutContentType: true,
        headers: [
          ['origin', origin],
          ['access-control-request-method', 'POST'],
          ['access-control-request-headers', 'authorization,authorization-extras,content-type,x-namespace'],
          ['access-control-request-private-network', 'true'],
        ],
      });
    const list = (value: string | undefined) => (value ?? '').toLowerCase().split(/\s*,\s*/);

    it.each(['/decode', '//encode', '/%7Bnamespace%7D/decode', '/download'])(
      'answers the preflight of %s without asking who calls',
      async (path) => {
        const { status, headers } = await preflight(ORIGIN, path);
        expect(status).toBe(204);
        expect(headers['access-control-allow-origin']).toBe(ORIGIN);
        expect(list(headers['access-control-allow-methods'])).toContain('post');
        expect(list(headers['access-control-allow-headers'])).toEqual(
          expect.arrayContaining(['content-type', 'x-namespace', 'authorization', 'authorization-extras']),
        );
        expect(headers['access-control-max-age']).toBe('7200');
        expect(headers['access-control-allow-credentials']).toBeUndefined();
      },
    );

    it('answers every allowed origin with that origin alone', async () => {
      for (const origin of CONTRACT_CONFIG.cors.origins) {
        expect((await preflight(origin)).headers['access-control-allow-origin']).toBe(origin);
        const answer = await target.send({ headers: [['origin', origin]], body: '{}' });
        expect(answer).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': origin } });
      }
    });

    it.each<[number, ContractRequest]>([
      [200, { body: '{}' }],
      [400, { body: '' }],
      [401, { who: 'nobody' }],
      [403, { who: 'outsider', path: '/encode', body: bodyOf(plain(1)) }],
      [404, { path: '/download', body: '{}' }],
      [413, { body: `{"payloads":[${'{},'.repeat(1000)}{}]}` }],
      [413, { body: Buffer.alloc(20_000_000, 'x') }],
      [415, { headers: [['content-type', 'text/plain']] }],
    ])('lets the page see a %i', async (status, request) => {
      const answer = await target.send({ ...request, headers: [...(request.headers ?? []), ['origin', ORIGIN]] });
      expect(answer.status).toBe(status);
      // Beyond its own limit of 10 MB a gateway answers by itself, and whether a page can read that is nobody's promise.
      if (kind.behindGateway && Buffer.isBuffer(request.body)) return;
      expect(answer.headers['access-control-allow-origin']).toBe(ORIGIN);
      expect(list(answer.headers['vary'])).toContain('origin');
    });

    it.each(FOREIGN)('gives nothing to a page of %s', async (origin) => {
      expect((await preflight(origin)).headers['access-control-allow-origin']).toBeUndefined();
      const answer = await target.send({ headers: [['origin', origin]], body: bodyOf(plain('secret')) });
      expect(answer.status).toBe(403);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    });

    if (!kind.variants) return;
    it('allows credentials on the preflight and on the answer where the configuration does', async () => {
      const open = await kind.start({ config: { cors: { origins: [ORIGIN], credentials: true } } });
      const [before, after] = [
        await open.send({ method: 'OPTIONS', who: 'nobody', headers: [['origin', ORIGIN]] }),
        await open.send({ headers: [['origin', ORIGIN]], body: '{}' }),
      ];
      await open.close();
      for (const { headers } of [before, after])
        expect(headers).toMatchObject({
          'access-control-allow-origin': ORIGIN,
          'access-control-allow-credentials': 'true',
        });
    });

    it('varies by origin even for those who send none, so that no cache mixes answers up', async () => {
      expect(list((await target.send({ body: '{}' })).headers['vary'])).toContain('origin');
    });

    it('lets a page of the network ask for this machine, where the browser asks for that', async () => {
      const { headers } = await preflight(ORIGIN);
      expect(headers['access-control-allow-private-network']).toBe('true');
    });
  });
}
