/** What clients send, and what of it is accepted. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { base64, bodyOf, encoded, type JsonPayload, namespaceOf, payloadsOf, plain } from './payloads.ts';
import {
  ALLOWED,
  ANY_SCRIPT,
  type ContractRequest,
  type ContractTarget,
  DEFAULT,
  FORBIDDEN,
  type TargetKind,
} from './target.ts';

/** A gateway decodes paths before anyone else sees them. */
const NO_PERCENT_ENCODING: [string, ContractRequest][] = [
  ['a path that is not percent-encoding', { path: '/%zz/encode' }],
];

export function describeRequests(kind: TargetKind): void {
  describe('requests', () => {
    let target: ContractTarget;
    beforeAll(async () => {
      target = await kind.start();
    });
    afterAll(() => target.close());

    const empty = (request: ContractRequest) => target.send({ body: '{}', ...request });

    describe('are routed by the final segment of the path', () => {
      it.each([
        '/decode',
        '//decode',
        '///decode',
        '/%7Bnamespace%7D/decode',
        '/{namespace}/decode',
        '/prefix/decode',
        '/a/b//c///decode',
        '/encode/decode',
        '/decode/decode',
      ])('decodes at %s', async (path) => {
        expect(payloadsOf(await empty({ path, who: 'reader' }))).toEqual([]);
      });

      it.each(['/encode', '//encode', '/decode/encode', `/${ALLOWED}/encode`])('encodes at %s', async (path) => {
        const answer = await target.send({ path, body: bodyOf(plain(1)) });
        expect(namespaceOf(payloadsOf(answer)[0])).toBeDefined();
      });

      const elsewhere = ['/', '/elsewhere', '/Decode', '/decoder', '/decode/more', '/decode;x'];
      const disguised = kind.behindGateway ? [] : ['/%64ecode', '/prefix%2Fdecode'];
      it.each([...elsewhere, ...disguised])('finds nothing at %s', async (path) => {
        expect(await empty({ path })).toMatchObject({ status: 404 });
      });

      it('ignores the query', async () => {
        for (const query of ['preserveStorageRefs=true', 'preserveStorageRefs=true&x=/encode', 'x=1', '?'])
          expect(payloadsOf(await empty({ query, who: 'reader' }))).toEqual([]);
        const answer = await target.send({ path: '/encode', query: 'x=/decode', body: bodyOf(plain(1)) });
        expect(namespaceOf(payloadsOf(answer)[0])).toBe(DEFAULT);
      });
    });

    it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'])('takes nothing but POST: %s is refused', async (method) => {
      for (const path of ['/decode', '/encode', '/download'])
        expect(await target.send({ method, path })).toMatchObject(
          kind.behindGateway ? { status: 404 } : { status: 405, headers: { allow: 'POST' } },
        );
    });

    describe('are JSON', () => {
      it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8'])(
        'takes Content-Type %s',
        async (type) => {
          expect(payloadsOf(await empty({ headers: [['content-type', type]] }))).toEqual([]);
        },
      );

      it.each([
        'text/plain',
        'application/x-www-form-urlencoded',
        'application/json; charset=utf-16',
        'application/jsonx',
        'text/plain, application/json',
      ])('refuses Content-Type %s', async (type) => {
        expect(await empty({ headers: [['content-type', type]] })).toMatchObject({ status: 415 });
      });

      it('refuses a body without a Content-Type, which a page could send unasked', async () => {
        expect(await empty({ withoutContentType: true })).toMatchObject({ status: 415 });
      });

      it('refuses a compressed body instead of misreading it', async () => {
        expect(await empty({ headers: [['content-encoding', 'gzip']] })).toMatchObject({ status: 415 });
      });
    });

    describe('name a namespace', () => {
      const namedBy = async (request: ContractRequest): Promise<string | undefined> => {
        const answer = await target.send({ path: '/encode', body: bodyOf(plain(1)), ...request });
        return namespaceOf(payloadsOf(answer)[0]);
      };

      it('by X-Namespace before all', async () => {
        expect(await namedBy({ headers: [['x-namespace', ALLOWED]] })).toBe(ALLOWED);
        expect(await namedBy({ path: `/${FORBIDDEN}/encode`, headers: [['x-namespace', ALLOWED]] })).toBe(ALLOWED);
        expect(await namedBy({ headers: [['X-NAMESPACE', ALLOWED]] })).toBe(ALLOWED);
      });

      it.each([[[]], [[['x-namespace', '']]], [[['x-namespace', 'undefined']]]] as [[string, string][]][])(
        'else by the path segment before the operation: headers %j',
        async (headers) => {
          expect(await namedBy({ path: `/prefix/${ALLOWED}/encode`, headers })).toBe(ALLOWED);
          expect(await namedBy({ path: `//${ALLOWED}///encode`, headers })).toBe(ALLOWED);
        },
      );

      it.each(['/v1/api/encode', '/api/encode', `/${ALLOWED}/v1/encode`, '/my%20api/encode', '/a%00b/encode'])(
        'but not by a prefix that no rule and no key names: %s',
        async (path) => {
          expect(await namedBy({ path })).toBe(DEFAULT);
          expect(await namedBy({ path, headers: [['x-namespace', ALLOWED]] })).toBe(ALLOWED);
        },
      );

      it.each(['/encode', '//encode', '/%7Bnamespace%7D/encode', '/{namespace}/encode', '/x/%7bnamespace%7d/encode'])(
        'else by the configuration: %s',
        async (path) => {
          expect(await namedBy({ path })).toBe(DEFAULT);
          expect(await namedBy({ path, headers: [['x-namespace', 'undefined']] })).toBe(DEFAULT);
        },
      );

      it('in any script: UTF-8 in the header, percent-encoded in the path', async () => {
        const utf8 = Buffer.from(ANY_SCRIPT).toString('latin1');
        expect(await namedBy({ headers: [['x-namespace', utf8]] })).toBe(ANY_SCRIPT);
        expect(await namedBy({ path: `/${encodeURIComponent(ANY_SCRIPT)}/encode` })).toBe(ANY_SCRIPT);
      });

      it.each<[string, ContractRequest]>([
        [
          'two different ones',
          {
            headers: [
              ['x-namespace', ALLOWED],
              ['x-namespace', FORBIDDEN],
            ],
          },
        ],
        ['white space inside', { headers: [['x-namespace', 'a b']] }],
        ...(kind.behindGateway ? [] : NO_PERCENT_ENCODING),
        ['a control character', { headers: [['x-namespace', 'a\u0085b']] }],
        ['more than 1,000 bytes', { headers: [['x-namespace', 'n'.repeat(1001)]] }],
      ])('refuses %s', async (_, request) => {
        for (const path of ['/encode', '/decode'])
          expect(
            await target.send({ body: '{}', ...request, path: request.path?.replace('/encode', path) ?? path }),
          ).toMatchObject({ status: 400 });
      });
    });

    describe('hold payloads in proto3 JSON', () => {
      /** Both directions read alike: what was encoded and decoded again is what was read. */
      const read = async (body: string): Promise<JsonPayload[]> => {
        const direct = payloadsOf(await target.send({ body }));
        const sealed = payloadsOf(await target.send({ path: '/encode', body }));
        expect(payloadsOf(await target.send({ body: bodyOf(...sealed) }))).toEqual(direct);
        return direct;
      };
      const NOTHING = { metadata: {}, data: '' };

      it.each(['{}', '{"payloads":null}', '{"payloads":[]}', ' { } ', '{"other":[{"payloads":[1]}]}'])(
        'reads %s as no payloads',
        async (body) => {
          expect(await read(body)).toEqual([]);
        },
      );

      it.each(['{}', 'null', '{"metadata":null,"data":null,"externalPayloads":null}', '{"externalPayloads":[]}'])(
        'reads the payload %s as an empty one',
        async (payload) => {
          expect(await read(`{"payloads":[${payload},${payload}]}`)).toEqual([NOTHING, NOTHING]);
        },
      );

      it('reads a null metadata value as an empty one', async () => {
        expect(await read('{"payloads":[{"metadata":{"a":null}}]}')).toEqual([{ metadata: { a: '' }, data: '' }]);
      });

      it.each([
        ['standard, padded', '+/+/+w=='],
        ['standard, unpadded', '+/+/+w'],
        ['URL-safe, padded', '-_-_-w=='],
        ['URL-safe, unpadded', '-_-_-w'],
        ['both alphabets', '-/+_+w'],
        ['escaped slashes', '+\\/+\\/+w=='],
        ['escaped characters', '\\u002b/+/+w=='],
      ])('reads base64, %s', async (_, text) => {
        const body = `{"payloads":[{"metadata":{"encoding":"${text}"},"data":"${text}"}]}`;
        expect(await read(body)).toEqual([{ metadata: { encoding: '+/+/+w==' }, data: '+/+/+w==' }]);
      });

      it.each([
        'externalPayloads":[{"sizeBytes":"5368709120',
        'externalPayloads":[{"size_bytes":"5368709120',
        'external_payloads":[{"size_bytes":"5368709120',
        'external_payloads":[{"sizeBytes":"5368709120',
      ])('reads %s" as text or as a number', async (start) => {
        const expected = [{ ...NOTHING, externalPayloads: [{ sizeBytes: '5368709120' }] }];
        expect(await read(`{"payloads":[{"${start}"}]}]}`)).toEqual(expected);
        expect(await read(`{"payloads":[{"${start.replace(':"53', ':53')}}]}]}`)).toEqual(expected);
      });

      it('keeps a size of 64 bits to the last digit', async () => {
        const sizes = ['9223372036854775807', '-9223372036854775808', '9007199254740993', '0'];
        const externalPayloads = sizes.map((sizeBytes) => ({ sizeBytes }));
        expect(await read(bodyOf({ externalPayloads }))).toEqual([{ ...NOTHING, externalPayloads }]);
        const numbers = sizes.map((size) => `{"sizeBytes":${size}}`).join();
        expect(await read(`{"payloads":[{"externalPayloads":[${numbers}]}]}`)).toEqual([
          { ...NOTHING, externalPayloads },
        ]);
      });

      it('ignores unknown fields at every level, whatever they hold', async () => {
        const unknown = { x: [{}, [null, true, -1.5e3, 'text \\"']] };
        const body = {
          ...unknown,
          payloads: [{ ...plain(1), ...unknown, externalPayloads: [{ ...unknown, sizeBytes: 1 }] }],
        };
        expect(await read(JSON.stringify(body))).toEqual([{ ...plain(1), externalPayloads: [{ sizeBytes: '1' }] }]);
      });

      it('reads any layout and any order of keys', async () => {
        const { metadata, data } = plain({ text: 'ü' });
        const body = JSON.stringify({ payloads: [{ data, metadata }] }, undefined, '\t').replaceAll('\n', '\r\n  ');
        expect(await read(body)).toEqual([{ metadata, data }]);
      });

      it('takes the last of a key that comes twice, and nothing of what it replaces', async () => {
        const two = `{"payloads":"no list","payloads":[{"data":"!","data":"QQ==","metadata":7,"metadata":{"a":"!","a":"Qg=="}}]}`;
        expect(await read(two)).toEqual([{ metadata: { a: 'Qg==' }, data: 'QQ==' }]);
        expect(await target.send({ body: '{"payloads":[{"data":"QQ==","data":"!"}]}' })).toMatchObject({ status: 400 });
      });

      it('treats __proto__, constructor and toString as keys like any other', async () => {
        const metadata = '{"__proto__":"QQ==","constructor":"Qg==","toString":"Qw=="}';
        const body = `{"__proto__":{"polluted":1},"payloads":[{"__proto__":{"data":"QQ=="},"metadata":${metadata},"data":""}]}`;
        const answer = await target.send({ body });
        expect(answer).toMatchObject({ status: 200, body: `{"payloads":[{"metadata":${metadata},"data":""}]}` });
        const sealed = await target.send({ path: '/encode', body });
        expect((await target.send({ body: sealed.body })).body).toBe(answer.body);
        expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      });

      it('reads metadata keys in any script, and writes them so that every client reads them', async () => {
        const key = 'schlüssel "鍵" \u{1f511} \\ \n';
        const body = bodyOf({ metadata: { [key]: 'QQ==' } });
        const answer = await target.send({ body });
        expect(JSON.parse(answer.body)).toEqual({ payloads: [{ metadata: { [key]: 'QQ==' }, data: '' }] });
        const sealed = await target.send({ path: '/encode', body });
        expect((await target.send({ body: sealed.body })).body).toBe(answer.body);
      });
    });

    it('reads what it has written, whoever wrote it down in between', async () => {
      const [sealed] = await encoded(target, ALLOWED, plain('text'));
      const urlSafe = {
        metadata: { encoding: base64('binary/aws-encryption-sdk').replaceAll('=', '') },
        data: sealed?.data.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
      };
      expect(payloadsOf(await target.send({ body: bodyOf(urlSafe) }))).toEqual([plain('text')]);
    });
  });
}
