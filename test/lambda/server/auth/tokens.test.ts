import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IdentityConfig, OidcIssuerConfig } from '../../../../config/schema.ts';
import { type Caller, UnauthenticatedError } from '../../../../lambda/server/auth/caller.ts';
import { TokenVerifier } from '../../../../lambda/server/auth/tokens.ts';
import { TestClock } from '../../../support/clock.ts';
import { encodePart, HttpsIssuer, makeSigningKey, signingKeyOf, signToken } from '../../../support/https-issuer.ts';
import { standInGet } from '../../../support/https-stand-in.ts';

describe('token verification', () => {
  let issuer: HttpsIssuer;
  let clock: TestClock;
  let verifier: TokenVerifier;

  function create(change: Partial<OidcIssuerConfig> = {}, identity: Partial<IdentityConfig> = {}): TokenVerifier {
    const config: OidcIssuerConfig = {
      type: 'oidc',
      issuer: issuer.issuer,
      jwksUri: issuer.jwksUri,
      audience: 'codec',
      from: 'authorization',
      ...change,
    };
    return new TokenVerifier({ issuers: [config], serviceTokens: null, ...identity }, { get: standInGet() });
  }

  beforeEach(async () => {
    issuer = await HttpsIssuer.start();
    clock = new TestClock();
    verifier = create();
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await issuer.close();
  });

  async function rejection(token: string, by: TokenVerifier = verifier): Promise<string> {
    try {
      await by.verify(token, 'authorization');
    } catch (error) {
      if (error instanceof UnauthenticatedError) return error.reason;
      throw error;
    }
    return 'accepted';
  }

  const seconds = (): number => Math.floor(Date.now() / 1000);

  it('proves the holder of a valid token', async () => {
    const caller = await verifier.verify(issuer.token({ email: 'alice@acme.com', groups: ['x'] }), 'authorization');
    expect(caller).toMatchObject({
      method: 'token',
      subject: 'user|alice',
      issuer: issuer.issuer,
      email: 'alice@acme.com',
      claims: { groups: ['x'], aud: 'codec' },
    });
  });

  it('remembers a verified token: the same caller, at once, and no further fetch', async () => {
    const token = issuer.token();
    const first = await verifier.verify(token, 'authorization');
    for (let i = 0; i < 100; i++) expect(verifier.verify(token, 'authorization')).toBe(first);
    expect(issuer.requests).toBe(1);
  });

  it('verifies at once when the keys are there', async () => {
    await verifier.warmUp();
    expect(verifier.verify(issuer.token(), 'authorization')).not.toBeInstanceOf(Promise);
  });

  it('forgets a remembered token when it expires', async () => {
    const token = issuer.token({ exp: seconds() + 60 });
    await verifier.verify(token, 'authorization');
    clock.advance(60_000);
    expect(await rejection(token)).toBe('accepted');
    clock.advance(31_000);
    expect(await rejection(token)).toBe('expired');
  });

  it('forgets a remembered token when its key is withdrawn', async () => {
    const token = issuer.token({ exp: seconds() + 3600 });
    await verifier.verify(token, 'authorization');
    issuer.rotate({ keepOld: false });
    expect(await rejection(token)).toBe('accepted');
    clock.advance(16 * 60_000);
    expect(await rejection(token)).toBe('unknown-key');
    await verifier.verify(issuer.token(), 'authorization');
  });

  it('does not remember a token of one header for the other', async () => {
    const token = issuer.token();
    await verifier.verify(token, 'authorization');
    expect(() => verifier.verify(token, 'authorization-extras')).toThrow(UnauthenticatedError);
  });

  it('accepts clocks that differ by the leeway, and not by more', async () => {
    expect(await rejection(issuer.token({ exp: seconds() - 20 }))).toBe('accepted');
    expect(await rejection(issuer.token({ exp: seconds() - 40 }))).toBe('expired');
    expect(await rejection(issuer.token({ nbf: seconds() + 20 }))).toBe('accepted');
    expect(await rejection(issuer.token({ nbf: seconds() + 40 }))).toBe('not-yet-valid');
    expect(await rejection(issuer.token({ iat: seconds() + 20 }))).toBe('accepted');
    expect(await rejection(issuer.token({ iat: seconds() + 40 }))).toBe('issued-in-the-future');
    expect(await rejection(issuer.token({ exp: seconds() - 10, iat: seconds() - 5 }))).toBe('issued-in-the-future');
    const strict = create({}, { clockLeewaySeconds: 0 });
    expect(await rejection(issuer.token({ exp: seconds() - 2 }), strict)).toBe('expired');
  });

  it.each([
    ['no-expiry', { exp: undefined }],
    ['implausible-expiry', { exp: Date.now() }],
    ['issued-in-the-future', { iat: 4_000_000_000 }],
    ['malformed', { exp: 'tomorrow' }],
    ['malformed', { exp: null }],
    ['malformed', { iat: '1' }],
    ['no-subject', { sub: undefined }],
    ['no-subject', { sub: '' }],
    ['no-subject', { sub: 'x'.repeat(513) }],
    ['malformed', { sub: { $ne: null } }],
    ['audience', { aud: undefined }],
    ['audience', { aud: 'codec2' }],
    ['audience', { aud: ['a', 'b'] }],
    ['audience', { aud: 'codec ' }],
    ['audience', { aud: [] }],
    ['malformed', { aud: [['codec']] }],
    ['malformed', { aud: { codec: true } }],
    ['unknown-issuer', { iss: undefined }],
    ['unknown-issuer', { iss: 'https://evil.example/' }],
    ['malformed', { iss: ['https://localhost/'] }],
  ])('rejects with %s a signed token with the claims %j', async (reason, claims) => {
    expect(await rejection(issuer.token(claims))).toBe(reason);
  });

  it('compares issuers exactly: no missing slash, no prefix, no other case', async () => {
    for (const iss of [
      issuer.issuer.slice(0, -1),
      `${issuer.issuer}x`,
      issuer.issuer.toUpperCase(),
      ` ${issuer.issuer}`,
    ]) {
      expect(await rejection(issuer.token({ iss }))).toBe('unknown-issuer');
    }
  });

  it.each([
    ['critical-header', { crit: ['exp'] }],
    ['critical-header', { crit: [] }],
    ['critical-header', { b64: false, crit: ['b64'] }],
    ['critical-header', { b64: false }],
    ['type', { typ: 'logout+jwt' }],
    ['type', { typ: 'dpop+jwt' }],
    ['type', { typ: ['JWT'] }],
    ['no-key-id', { kid: '' }],
    ['no-key-id', { kid: undefined }],
    ['no-key-id', { kid: 'k'.repeat(257) }],
    ['malformed', { kid: 1 }],
    ['unknown-key', { kid: 'another' }],
    ['unknown-key', { kid: '__proto__' }],
  ])('rejects with %s a signed token with the header %j', async (reason, header) => {
    expect(await rejection(issuer.token({}, header))).toBe(reason);
  });

  it.each([['none'], ['None'], ['NONE'], ['HS256'], ['RS384'], ['PS256'], ['ES256'], ['EdDSA'], ['']])(
    'rejects the algorithm %j where RS256 is pinned',
    async (alg) => {
      const parts = issuer.token().split('.');
      const header = encodePart({ alg, typ: 'JWT', kid: issuer.signer.kid });
      expect(await rejection([header, parts[1], parts[2]].join('.'))).toBe('algorithm');
    },
  );

  it('accepts the types of RFC 7519 and RFC 9068, and none at all', async () => {
    for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', undefined]) {
      expect(await rejection(issuer.token({}, { typ }))).toBe('accepted');
    }
  });

  it.each([['ES256', 'P-256'] as const, ['ES384', 'P-384'] as const, ['ES512', 'P-521'] as const])(
    'verifies %s where it is pinned',
    async (alg, namedCurve) => {
      issuer.signer = signingKeyOf(`ec-${alg}`, generateKeyPairSync('ec', { namedCurve }));
      issuer.published = [issuer.signer.jwk];
      expect(await rejection(issuer.token({}, { alg }), create({ algorithms: [alg] }))).toBe('accepted');
    },
  );

  it('verifies EdDSA where it is pinned', async () => {
    issuer.signer = signingKeyOf('ed', generateKeyPairSync('ed25519'));
    issuer.published = [issuer.signer.jwk];
    expect(await rejection(issuer.token({}, { alg: 'EdDSA' }), create({ algorithms: ['EdDSA'] }))).toBe('accepted');
  });

  it('verifies for each of two issuers with one key set what is pinned for that issuer alone', async () => {
    const [rsa, ec] = [issuer.signer, signingKeyOf('ec', generateKeyPairSync('ec', { namedCurve: 'P-256' }))];
    issuer.published = [rsa.jwk, ec.jwk];
    const shared = { type: 'oidc', jwksUri: issuer.jwksUri, audience: 'codec', from: 'authorization' } as const;
    const two = create(
      {},
      {
        issuers: [
          { ...shared, issuer: 'https://rsa.example/', algorithms: ['RS256'] },
          { ...shared, issuer: 'https://ec.example/', algorithms: ['ES256'] },
        ],
      },
    );
    const token = (iss: string, alg: string, key: typeof rsa) =>
      signToken({ iss, sub: 'a', aud: 'codec', exp: seconds() + 60 }, { alg, kid: key.kid }, key);
    expect(await rejection(token('https://rsa.example/', 'RS256', rsa), two)).toBe('accepted');
    expect(await rejection(token('https://ec.example/', 'ES256', ec), two)).toBe('accepted');
    expect(await rejection(token('https://ec.example/', 'RS256', rsa), two)).toBe('algorithm');
    expect(await rejection(token('https://rsa.example/', 'ES256', ec), two)).toBe('algorithm');
  });

  it('never verifies one algorithm with the key of another, though both are pinned', async () => {
    const rsa = issuer.signer;
    const ec = signingKeyOf('ec', generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    issuer.published = [rsa.jwk, ec.jwk];
    const both = create({ algorithms: ['RS256', 'ES256'] });
    const claims = { iss: issuer.issuer, sub: 'a', aud: 'codec', exp: seconds() + 60 };
    expect(await rejection(signToken(claims, { alg: 'RS256', kid: 'ec' }, rsa), both)).toBe('algorithm');
    expect(await rejection(signToken(claims, { alg: 'ES256', kid: rsa.kid }, ec), both)).toBe('algorithm');
    expect(await rejection(signToken(claims, { alg: 'ES256', kid: 'ec' }, ec), both)).toBe('accepted');
  });

  it('rejects another signature, a changed part, and other spellings of a valid signature', async () => {
    const [header = '', payload = '', signature = ''] = issuer.token().split('.');
    const forged = encodePart({ iss: issuer.issuer, sub: 'admin', aud: 'codec', exp: seconds() + 60 });
    expect(await rejection(`${header}.${forged}.${signature}`)).toBe('signature');
    expect(await rejection(`${header}.${payload}.${signature.slice(0, -4)}`)).toBe('signature');
    expect(await rejection(`${header}.${payload}.AAAA`)).toBe('signature');
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(signature.slice(-1));
    const respelled = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[last ^ 1] ?? '';
    expect(await rejection(`${header}.${payload}.${signature.slice(0, -1)}${respelled}`)).toBe('signature');
    expect(await rejection(`${header}.${payload}.${signature}=`)).toBe('malformed');
  });

  it('rejects a token signed by a key of its own, wherever it puts that key', async () => {
    const own = makeSigningKey(issuer.signer.kid);
    const claims = { iss: issuer.issuer, sub: 'a', aud: 'codec', exp: seconds() + 60 };
    for (const extra of [
      { jwk: own.jwk },
      { jku: 'https://evil.example/jwks.json' },
      { x5u: 'https://evil.example' },
    ]) {
      const stranger = signingKeyOf(issuer.signer.kid, generateKeyPairSync('rsa', { modulusLength: 2048 }));
      expect(await rejection(signToken(claims, extra, stranger))).toBe('signature');
    }
    expect(issuer.requests).toBe(1);
  });

  it.each([[''], ['a'], ['a.b'], ['a.b.c.d'], ['..'], ['a..c'], ['a.b.c'], ['e30.e30.e30 '], ['null.null.null']])(
    'rejects %j as malformed, without looking for a key',
    async (token) => {
      expect(await rejection(token)).toBe('malformed');
      expect(issuer.requests).toBe(0);
    },
  );

  it('rejects an oversized token before reading it', async () => {
    expect(await rejection(issuer.token({ padding: 'x'.repeat(12_288) }))).toBe('too-large');
    expect(await rejection('x'.repeat(100_000))).toBe('too-large');
    expect(issuer.requests).toBe(0);
  });

  it('says what a person can act on, and one thing for all forgeries', async () => {
    const messages = new Set<string>();
    const [header = '', payload = '', signature = ''] = issuer.token().split('.');
    const forgeries = [
      `${header}.${payload}.AAAA`,
      issuer.token({}, { kid: 'other' }),
      issuer.token({ iss: 'https://evil.example/' }),
      issuer.token({ aud: 'other' }),
      `${encodePart({ alg: 'none' })}.${payload}.${signature}`,
    ];
    for (const token of forgeries) {
      const error = await Promise.resolve()
        .then(() => verifier.verify(token, 'authorization'))
        .catch((it) => it);
      messages.add(`${error.message} | ${error.challenge}`);
    }
    expect([...messages]).toEqual([
      'the token is not valid for this server | Bearer realm="codec-server", error="invalid_token", error_description="the token is not valid for this server"',
    ]);
    await expect(
      Promise.resolve().then(() => verifier.verify(issuer.token({ exp: seconds() - 99 }), 'authorization')),
    ).rejects.toThrow('the token has expired: sign in again, or reload the page');
  });

  describe('the email', () => {
    async function emailOf(claims: Record<string, unknown>, by = verifier): Promise<string | undefined> {
      return ((await by.verify(issuer.token(claims), 'authorization')) as Caller).email;
    }

    it('is believed unless the token says that it is not verified', async () => {
      expect(await emailOf({ email: 'a@acme.com' })).toBe('a@acme.com');
      expect(await emailOf({ email: 'a@acme.com', email_verified: true })).toBe('a@acme.com');
      expect(await emailOf({ email: 'a@acme.com', email_verified: 'true' })).toBe('a@acme.com');
      for (const email_verified of [false, 'false', 0, 1, null, 'yes', {}]) {
        expect(await emailOf({ email: 'a@acme.com', email_verified })).toBeUndefined();
      }
      expect(await emailOf({ email: ['a@acme.com'] })).toBeUndefined();
      expect(await emailOf({})).toBeUndefined();
    });

    it('comes from the claim that the issuer is configured with', async () => {
      const custom = create({ emailClaim: 'https://acme/email' });
      expect(await emailOf({ 'https://acme/email': 'a@acme.com', email: 'b@acme.com' }, custom)).toBe('a@acme.com');
      expect(
        await emailOf({ 'https://acme/email': 'a@acme.com', 'https://acme/email_verified': false }, custom),
      ).toBeUndefined();
      expect(await emailOf({ 'https://acme/email': 'a@acme.com', email_verified: false }, custom)).toBeUndefined();
    });
  });

  it('takes the entry of an issuer whose audience is meant, and any audience only in writing', async () => {
    const two = new TokenVerifier(
      {
        issuers: ['api', 'web-ui'].map((audience) => ({
          type: 'oidc' as const,
          issuer: issuer.issuer,
          jwksUri: issuer.jwksUri,
          audience,
          from: 'authorization' as const,
          emailClaim: `${audience}-email`,
        })),
        serviceTokens: null,
      },
      { get: standInGet() },
    );
    const caller = await two.verify(issuer.token({ aud: ['web-ui'], 'web-ui-email': 'a@acme.com' }), 'authorization');
    expect(caller.email).toBe('a@acme.com');
    expect(await rejection(issuer.token({ aud: 'neither' }), two)).toBe('audience');
    expect(await rejection(issuer.token({ aud: undefined }), create({ audience: null }))).toBe('accepted');
    expect(issuer.requests).toBe(2);
  });

  it('knows Temporal Cloud by its issuer, audience and email claim, each of which can be overridden', async () => {
    const cloud = new TokenVerifier(
      { issuers: [{ type: 'temporal-cloud', issuer: issuer.issuer, jwksUri: issuer.jwksUri }], serviceTokens: null },
      { get: standInGet() },
    );
    const claims = {
      aud: ['https://saas-api.tmprl.cloud', 'https://prod-tmprl.us.auth0.com/userinfo'],
      'https://saas-api.tmprl.cloud/user/email': 'alice@acme.com',
    };
    expect((await cloud.verify(issuer.token(claims), 'authorization')).email).toBe('alice@acme.com');
    expect(await rejection(issuer.token(), cloud)).toBe('audience');
    const asked: string[] = [];
    const standard = new TokenVerifier(
      { issuers: [{ type: 'temporal-cloud' }], serviceTokens: null },
      {
        get: async (url) => {
          asked.push(url);
          return { status: 500, retryAfterSeconds: undefined, contentType: '', body: '' };
        },
      },
    );
    await expect(
      standard.verify(issuer.token({ ...claims, iss: 'https://login.tmprl.cloud/' }), 'authorization'),
    ).rejects.toMatchObject({ dependency: 'jwks' });
    expect(asked).toEqual(['https://login.tmprl.cloud/.well-known/jwks.json']);
  });

  it('remembers a bounded number of tokens and goes on verifying beyond it', async () => {
    issuer.signer = signingKeyOf('ed', generateKeyPairSync('ed25519'));
    issuer.published = [issuer.signer.jwk];
    const edwards = create({ algorithms: ['EdDSA'] });
    const first = issuer.token({ jti: 'first' }, { alg: 'EdDSA' });
    const before = await edwards.verify(first, 'authorization');
    for (let i = 0; i < 2_000; i++) {
      void edwards.verify(issuer.token({ jti: `${i}` }, { alg: 'EdDSA' }), 'authorization');
    }
    const after = edwards.verify(first, 'authorization');
    expect(after).not.toBe(before);
    expect(after).toEqual(before);
  });
});
