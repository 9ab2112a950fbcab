/** What other settings change, and what faults behind the server look like. */
import { deflateSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { CannotEncodeError, CannotOpenError, KeyUnavailableError } from '../../codec/errors.ts';
import type { KeySource } from '../../codec/keys/key-source.ts';
import type { AuditEntry } from '../../lambda/server/audit/audit.ts';
import { type Credentials, IdentityUnavailableError } from '../../lambda/server/auth/caller.ts';
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
import {
  ALLOWED,
  type ContractRequest,
  type ContractSetup,
  type ContractTarget,
  FORBIDDEN,
  FOREIGN_ORIGIN,
  ORIGIN,
  type TargetKind,
} from './target.ts';

export function describeVariants(kind: TargetKind): void {
  const withTarget = async (setup: ContractSetup, test: (target: ContractTarget) => Promise<void>): Promise<void> => {
    const target = await kind.start(setup);
    try {
      await test(target);
    } finally {
      await target.close();
    }
  };
  const failing = (error: Error, when: () => boolean = () => true): ContractSetup => ({
    keys: (keys) => {
      const fail = <T>(answer: () => T): T => {
        if (when()) throw error;
        return answer();
      };
      return {
        unwrap: (request, context) => fail(() => keys.unwrap(request, context)),
        materialsFor: (...args) => fail(() => keys.materialsFor(...args)),
      } satisfies KeySource;
    },
  });
  const samples = async (target: ContractTarget) => {
    const [allowed] = (await encoded(target, ALLOWED, plain('allowed'))) as [JsonPayload];
    const [forbidden] = (await encoded(target, FORBIDDEN, plain('forbidden'))) as [JsonPayload];
    return { allowed, forbidden, broken: withBitFlipped(allowed, 8 * Buffer.from(allowed.data, 'base64').length - 1) };
  };

  describe('settings', () => {
    it('failures: reject fails the request, with 403 for a right that is missing and 422 for the rest', () =>
      withTarget({ config: { failures: 'reject' } }, async (target) => {
        const { allowed, forbidden, broken } = await samples(target);
        for (const headers of [[], [['origin', ORIGIN]]] as [string, string][][]) {
          const send = (...payloads: unknown[]) => target.send({ who: 'reader', headers, body: bodyOf(...payloads) });
          expect(payloadsOf(await send(allowed))).toEqual([plain('allowed')]);
          expect(await send(allowed, broken)).toMatchObject({ status: 422 });
          expect(await send(allowed, forbidden)).toMatchObject({ status: 403 });
          expect(await send(broken, forbidden)).toMatchObject({ status: 403 });
          const body = bodyOf(allowed, forbidden, broken);
          const bulk = await target.send({ who: 'reader', headers, body, query: 'bulk=true' });
          expect(payloadsOf(bulk)).toEqual([plain('allowed'), forbidden, broken]);
        }
      }));

    it('failures: return-encoded gives everyone the payload back', () =>
      withTarget({ config: { failures: 'return-encoded' } }, async (target) => {
        const { allowed, forbidden, broken } = await samples(target);
        const body = bodyOf(allowed, forbidden, broken);
        const answer = await target.send({ who: 'reader', headers: [['origin', ORIGIN]], body });
        expect(payloadsOf(answer)).toEqual([plain('allowed'), forbidden, broken]);
      }));

    it('plaintext: refuse closes what needed no key anywhere, explained like the rest and counted', async () => {
      const entries: AuditEntry[] = [];
      const config = { plaintext: 'refuse' } as const;
      await withTarget({ config, onAudit: (entry) => void entries.push(entry) }, async (target) => {
        const zlib = {
          metadata: { encoding: base64('binary/zlib') },
          data: deflateSync(Buffer.from('120178', 'hex')).toString('base64'),
        };
        const data = zstdCompressSync(Buffer.from('"planted"')).toString('base64');
        const marked = { metadata: { ...plain(1).metadata, 'compression/algorithm': base64('zstd') }, data };
        const [sealed, sealedMarked] = await encoded(target, ALLOWED, plain('ours'), marked);
        const planted = [plain('planted'), { metadata: {}, data: '' }, zlib, marked];
        const body = bodyOf(...planted, sealed, sealedMarked);
        const headers: [string, string][] = [['x-namespace', ALLOWED]];
        const shown = await target.send({ who: 'reader', headers: [...headers, ['origin', ORIGIN]], body });
        const answers = payloadsOf(shown);
        for (const answer of answers.slice(0, 4)) expect(explanationIn(answer)).toMatch(/is not encrypted/);
        expect(answers.slice(4)).toEqual([plain('ours'), plain('planted')]);
        expect(entries.at(-1)?.payloads).toEqual({ 'not-encrypted': 4, decoded: 2 });
        const others = await target.send({ who: 'worker', headers, body });
        expect(payloadsOf(others)).toEqual([...planted, plain('ours'), plain('planted')]);
      });
      await withTarget({ config: { ...config, failures: 'reject' } }, async (target) => {
        expect(await target.send({ body: bodyOf(plain(1)) })).toMatchObject({ status: 422 });
      });
    });

    it('without external storage, a reference to GCS is told from a payload all the same', () =>
      withTarget({}, async (target) => {
        const claimData = { bucket: 'b', object: 'o', hashAlgorithm: 'sha256', hashValue: 'ab'.repeat(32) };
        const data = base64(JSON.stringify({ driverName: 'gcp.gcsdriver', claimData }));
        const messageType = base64('temporal.api.sdk.v1.ExternalStorageReference');
        const reference = { metadata: { encoding: base64('json/protobuf'), messageType }, data };
        const toS3 = { ...reference, data: base64(JSON.stringify({ driverName: 'aws.s3driver', claimData: {} })) };
        const send = async (query: string) =>
          payloadsOf(await target.send({ query, headers: [['origin', ORIGIN]], body: bodyOf(reference, toS3) }));
        const [explained, asItWas] = await send('');
        expect([explanationIn(explained), asItWas]).toEqual([expect.stringMatching(/is in GCS/), toS3]);
        expect(await send('preserveStorageRefs=true')).toEqual([reference, toS3]);
      }));

    it('explainTo: browsers-and-cli explains to people without a browser, and still not to service tokens', () =>
      withTarget({ config: { explainTo: 'browsers-and-cli' } }, async (target) => {
        const { forbidden, broken } = await samples(target);
        const body = bodyOf(forbidden, broken);
        for (const payload of payloadsOf(await target.send({ who: 'reader', body })))
          expect(explanationIn(payload)).toBeDefined();
        expect(payloadsOf(await target.send({ who: 'worker', body }))).toEqual([forbidden, broken]);
      }));

    it('an explanation says so when no rule allows it', () =>
      withTarget(
        {
          config: {
            access: [
              { name: 'w', namespaces: [ALLOWED], people: [{ email: 'writer@example.com' }], allow: ['encode'] },
            ],
          },
        },
        async (target) => {
          const sealed = await encoded(target, ALLOWED, plain('x'));
          const answer = await target.send({ headers: [['origin', ORIGIN]], body: bodyOf(...sealed) });
          expect(explanationIn(payloadsOf(answer)[0])).toMatch(/no access rule allows it/);
        },
      ));

    it('defaultNamespace: null refuses to encode for no namespace, and decodes what names its own', () =>
      withTarget({ config: { defaultNamespace: null } }, async (target) => {
        for (const request of [
          {},
          { path: '/%7Bnamespace%7D/encode' },
          { path: '/v1/api/encode' },
          { headers: [['x-namespace', 'undefined']] },
        ])
          expect(
            await target.send({ path: '/encode', body: bodyOf(plain(1)), ...(request as ContractRequest) }),
          ).toMatchObject({ status: 400 });
        const sealed = await encoded(target, ALLOWED, plain('x'));
        expect(payloadsOf(await target.send({ body: bodyOf(...sealed) }))).toEqual([plain('x')]);
      }));

    it('defaultNamespace: null opens nothing that is bound to no namespace for a request that names none', () =>
      withTarget({ config: { defaultNamespace: null } }, async (target) => {
        const payload = { metadata: { encoding: base64('binary/encrypted') }, data: base64('x'.repeat(40)) };
        const answer = await target.send({ headers: [['origin', ORIGIN]], body: bodyOf(payload) });
        expect(explanationIn(payloadsOf(answer)[0])).toMatch(/bound to no namespace/);
      }));

    it('codecs of the configuration encode before ours and decode after it, where they apply', () => {
      const turn = (bytes: Uint8Array | null | undefined) => Uint8Array.from(bytes ?? []).reverse();
      const codec = {
        encode: async (all: { data?: Uint8Array | null; metadata?: Record<string, Uint8Array> | null }[]) =>
          all.map((it) => ({ ...it, metadata: { ...it.metadata, turned: Buffer.from('1') }, data: turn(it.data) })),
        decode: async (all: { data?: Uint8Array | null; metadata?: Record<string, Uint8Array> | null }[]) =>
          all.map((it) => {
            if (it.metadata?.['turned'] === undefined) return it;
            const { turned: _, ...metadata } = it.metadata;
            return { ...it, metadata, data: turn(it.data) };
          }),
      };
      return withTarget({ config: { codecs: [{ codec, namespaces: ['contract-orders.*'] }] } }, async (target) => {
        const { allowed, forbidden } = await samples(target);
        expect(payloadsOf(await target.send({ body: bodyOf(allowed, forbidden) }))).toEqual([
          plain('allowed'),
          plain('forbidden'),
        ]);
        await withTarget({}, async (other) => {
          expect(payloadsOf(await other.send({ body: bodyOf(allowed) }))).toEqual([allowed]);
        });
      });
    });
  });

  describe('faults behind the server', () => {
    it('keys that may be back in a moment: 503 with Retry-After, for all of the request', async () => {
      let out = false;
      const setup = failing(new KeyUnavailableError('throttled', 'KMS is throttling', 2), () => out);
      await withTarget(setup, async (target) => {
        const { allowed } = await samples(target);
        out = true;
        const requests: ContractRequest[] = [
          { body: bodyOf(plain(1), allowed) },
          { path: '/encode', body: bodyOf(plain(1)) },
        ];
        for (const request of requests) {
          const answer = await target.send(request);
          expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
          expect(answer.body.replace(/\(request [^)]*\)/, '')).not.toContain('KMS');
        }
        expect(await target.send({ method: 'GET', path: '/readyz' })).toMatchObject({ status: 503 });
        expect(await target.send({ method: 'GET', path: '/healthz' })).toMatchObject({ status: 200 });
        out = false;
        expect(payloadsOf(await target.send({ body: bodyOf(allowed) }))).toEqual([plain('allowed')]);
      });
    });

    it.each([
      new CannotEncodeError('the namespace has no key to write with'),
      new CannotEncodeError('arn:aws:kms:eu-central-1:111122223333:key/x is disabled', 'key-disabled'),
      new CannotOpenError('key-access-denied', 'arn:aws:kms:eu-central-1:111122223333:key/x'),
    ])('no key to encode with: a refusal that names no key', async (error) => {
      await withTarget(failing(error), async (target) => {
        const answer = await target.send({ path: '/encode', body: bodyOf(plain(1)) });
        expect([400, 403]).toContain(answer.status);
        expect(answer.body).not.toContain('arn:');
      });
    });

    it('a bug: a blank 500, told to the log and not to the caller', async () => {
      const bugs: unknown[] = [];
      const setup = { ...failing(new TypeError('secret plaintext')), onBug: (bug: unknown) => void bugs.push(bug) };
      await withTarget(setup, async (target) => {
        const answer = await target.send({ path: '/encode', body: bodyOf(plain(1)) });
        expect(answer.status).toBe(500);
        expect(answer.body).toMatch(/^Internal error \(request \S+\)\n$/);
        expect(bugs).toHaveLength(1);
      });
    });

    it('identity that cannot be verified now: 503, and never 401', () =>
      withTarget(
        {
          onCredentials: () => {
            throw new IdentityUnavailableError('jwks', 'the keys of the issuer cannot be fetched', 3);
          },
        },
        async (target) => {
          expect(await target.send({ body: '{}' })).toMatchObject({ status: 503, headers: { 'retry-after': '3' } });
        },
      ));
  });

  describe('what happens behind the answer', () => {
    it('hands every header that may prove an identity over, each value by itself', async () => {
      const seen: Credentials[] = [];
      await withTarget({ onCredentials: (credentials) => void seen.push(credentials) }, async (target) => {
        await target.send({
          body: '{}',
          headers: [
            ['origin', ORIGIN],
            ['authorization', 'Bearer token-of-writer'],
            ['authorization', 'Bearer other'],
            ['Authorization-Extras', 'id-token'],
            ['cookie', 'a=1'],
          ],
        });
        expect(seen).toEqual([
          {
            authorization: ['Bearer token-of-writer', 'Bearer other'],
            authorizationExtras: ['id-token'],
            cookie: ['a=1'],
          },
        ]);
      });
    });

    it('hands a cookie over from pages of allowed origins alone', async () => {
      const seen: Credentials[] = [];
      await withTarget({ onCredentials: (credentials) => void seen.push(credentials) }, async (target) => {
        await target.send({ body: '{}', headers: [['cookie', 'a=1']] });
        await target.send({
          body: '{}',
          headers: [
            ['cookie', 'a=1'],
            ['origin', FOREIGN_ORIGIN],
          ],
        });
        expect(seen.map(({ cookie }) => cookie)).toEqual([[]]);
      });
    });

    it.each<[string, ContractRequest]>([
      ['nobody', { who: 'nobody' }],
      ['a foreign origin', { headers: [['origin', FOREIGN_ORIGIN]] }],
      ['a person without the right', { who: 'outsider' }],
      ['an unknown path', { path: '/elsewhere' }],
      ['a body that is too large', { body: Buffer.alloc(5_000_000, ' ') }],
    ])('touches no key for %s', async (_, request) => {
      let calls = -1;
      const counting = (keys: KeySource): KeySource => ({
        unwrap: (...args) => {
          calls++;
          return keys.unwrap(...args);
        },
        materialsFor: (...args) => {
          calls++;
          return keys.materialsFor(...args);
        },
      });
      await withTarget({ keys: counting }, async (target) => {
        const sealed = await encoded(target, FORBIDDEN, plain('x'));
        expect(calls).toBe(0);
        for (const path of [request.path ?? '/decode', request.path ?? '/encode'])
          await target.send({ body: bodyOf(...sealed), ...request, path });
        expect(calls).toBe(0);
        await target.send({ body: bodyOf(...sealed) });
        expect(calls).toBe(1);
      });
    });

    it('lets /readyz use a key once in a while, however often it is asked', async () => {
      let uses = 0;
      const counting = (keys: KeySource): KeySource => ({
        unwrap: (...args) => keys.unwrap(...args),
        materialsFor: (...args) => {
          uses++;
          return keys.materialsFor(...args);
        },
      });
      await withTarget({ keys: counting }, async (target) => {
        const asked = Array.from({ length: 20 }, () => target.send({ method: 'GET', path: '/readyz', who: 'nobody' }));
        for (const answer of await Promise.all(asked)) expect(answer.status).toBe(200);
        expect(uses).toBe(1);
      });
    });

    it('accounts for every request once, with what was decided and what became of the payloads', async () => {
      const entries: AuditEntry[] = [];
      await withTarget({ onAudit: (entry) => void entries.push(entry) }, async (target) => {
        const { allowed, forbidden, broken } = await samples(target);
        entries.length = 0;
        await target.send({
          who: 'reader',
          headers: [
            ['origin', ORIGIN],
            ['x-namespace', ALLOWED],
          ],
          body: bodyOf(allowed, forbidden, broken, plain(1)),
        });
        await target.send({ who: 'nobody', path: '/encode', body: bodyOf(plain(1)) });
        await target.send({ who: 'outsider', path: '/encode', body: bodyOf(plain(1), plain(2)) });
        await target.send({ path: '/elsewhere', body: '{}' });
        await target.send({ method: 'GET', path: '/healthz' });
        expect(entries).toMatchObject([
          {
            operation: 'decode',
            status: 200,
            caller: { email: 'alice@example.com' },
            origin: ORIGIN,
            namedNamespace: ALLOWED,
            namespaces: new Map([
              [ALLOWED, 'allowed'],
              [FORBIDDEN, 'denied'],
            ]),
            payloads: { decoded: 1, denied: 1, 'not-authentic': 1, unchanged: 1 },
            keyIds: [expect.stringMatching(/^codec-server\//)],
            fault: undefined,
          },
          { operation: 'encode', status: 401, caller: undefined, unauthenticated: 'missing', payloads: {} },
          { operation: 'encode', status: 403, payloads: { denied: 2 } },
          { operation: 'other', status: 404 },
        ]);
        for (const { durationMs, requestId } of entries) {
          expect(durationMs).toBeGreaterThanOrEqual(0);
          expect(requestId).toMatch(/\S/);
        }
      });
    });

    it('names the service that was out in the account', async () => {
      const entries: AuditEntry[] = [];
      const setup = failing(new KeyUnavailableError('timed-out', 'no answer'));
      await withTarget({ ...setup, onAudit: (entry) => void entries.push(entry) }, async (target) => {
        await target.send({ path: '/encode', body: bodyOf(plain(1)) });
        expect(entries[0]).toMatchObject({ status: 503, fault: 'kms:timed-out' });
      });
    });
  });
}
