import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OidcIssuerConfig } from '../../../../config/schema.ts';
import { createAuthenticator } from '../../../../lambda/server/auth/authenticator.ts';
import {
  type Authenticator,
  type Caller,
  type Credentials,
  rejected,
  UnauthenticatedError,
} from '../../../../lambda/server/auth/caller.ts';
import {
  createServiceTokens,
  makeServiceToken,
  parseServiceTokens,
} from '../../../../lambda/server/auth/service-tokens.ts';
import { TokenVerifier } from '../../../../lambda/server/auth/tokens.ts';
import { person } from '../../../support/callers.ts';
import { HttpsIssuer } from '../../../support/https-issuer.ts';
import { standInGet } from '../../../support/https-stand-in.ts';
import { TestSecret } from '../../../support/secret.ts';

const ci = makeServiceToken('ci');
const SIGNED_IN: Caller = { ...person('session@acme.com'), method: 'session' };

function headers(change: Partial<Credentials>): Credentials {
  return { authorization: [], authorizationExtras: [], cookie: [], ...change };
}

describe('the authenticator', () => {
  let issuer: HttpsIssuer;

  beforeEach(async () => {
    issuer = await HttpsIssuer.start();
  });

  afterEach(() => issuer.close());

  function create(...from: OidcIssuerConfig['from'][]): Authenticator {
    const issuers = from.map((header) => ({
      type: 'oidc' as const,
      issuer: issuer.issuer,
      jwksUri: issuer.jwksUri,
      audience: header === 'authorization' ? 'api' : 'web-ui',
      from: header,
    }));
    const secret = new TestSecret(JSON.stringify({ tokens: [ci.entry] }), parseServiceTokens);
    return createAuthenticator({
      tokens: new TokenVerifier({ issuers, serviceTokens: null }, { get: standInGet() }),
      serviceTokens: createServiceTokens(secret.source),
      sessions: (cookies) => {
        if (cookies.includes('codec=good')) return SIGNED_IN;
        if (cookies.includes('codec=bad')) throw rejected('session');
        return undefined;
      },
    });
  }

  async function who(authenticator: Authenticator, change: Partial<Credentials>): Promise<string> {
    try {
      const caller = await authenticator.authenticate(headers(change));
      return caller.email ?? caller.subject;
    } catch (error) {
      if (error instanceof UnauthenticatedError) return `401 ${error.reason}`;
      throw error;
    }
  }

  const access = (claims = {}) => issuer.token({ aud: 'api', email: 'access@acme.com', ...claims });
  const id = (claims = {}) => issuer.token({ aud: 'web-ui', email: 'id@acme.com', ...claims });

  it('takes a token with Bearer in any case, with spaces, or without it', async () => {
    const authenticator = create('authorization');
    for (const prefix of ['Bearer ', 'bearer ', 'BEARER  ', '']) {
      expect(await who(authenticator, { authorization: [prefix + access()] })).toBe('access@acme.com');
      expect(await who(authenticator, { authorization: [prefix + ci.token] })).toBe('ci');
    }
  });

  it.each([
    ['Basic YTpi'],
    ['Bearer'],
    ['Bearer '],
    [''],
    ['Bearer Bearer'],
    ['Bearer\u00a0x'],
    ['null'],
    ['undefined'],
    ['Bearer undefined'],
    ['DPoP x'],
  ])('refuses Authorization: %j as malformed', async (value) => {
    expect(await who(create('authorization'), { authorization: [value] })).toBe('401 malformed');
  });

  it('says that an identity is missing when there is none, and how to send one', async () => {
    const authenticator = create('authorization');
    expect(await who(authenticator, {})).toBe('401 missing');
    expect(() => authenticator.authenticate(headers({}))).toThrow(
      expect.objectContaining({ challenge: 'Bearer realm="codec-server"' }),
    );
  });

  it('refuses a header that comes twice, whichever of them is good', async () => {
    const authenticator = create('authorization', 'authorization-extras');
    expect(await who(authenticator, { authorization: [access(), access()] })).toBe('401 duplicate-header');
    expect(await who(authenticator, { authorization: [access()], authorizationExtras: [id(), 'x'] })).toBe(
      '401 duplicate-header',
    );
    expect(await who(authenticator, { authorization: [`${access()}, ${access()}`] })).toBe('401 malformed');
    expect(await who(authenticator, { authorization: [`Bearer ${access()},Bearer x`] })).toBe('401 malformed');
  });

  it('does not look at Authorization-Extras unless an issuer is configured for it', async () => {
    const authenticator = create('authorization');
    expect(await who(authenticator, { authorizationExtras: [access()] })).toBe('401 missing');
    expect(await who(authenticator, { authorization: ['opaque'], authorizationExtras: [id()] })).toBe('401 malformed');
    expect(await who(authenticator, { authorization: [access()], authorizationExtras: ['x'] })).toBe('access@acme.com');
  });

  it('takes the ID token beside an access token that is opaque or for another', async () => {
    const authenticator = create('authorization-extras');
    for (const authorization of [['Bearer opaque-access-token'], [access()], []]) {
      expect(await who(authenticator, { authorization, authorizationExtras: [id()] })).toBe('id@acme.com');
    }
    expect(await who(authenticator, { authorization: [id()] })).toBe('401 unknown-issuer');
  });

  it('lets a token of a configured issuer in Authorization decide alone, good or bad', async () => {
    const authenticator = create('authorization', 'authorization-extras');
    const both = (authorization: string, authorizationExtras: string) =>
      who(authenticator, { authorization: [authorization], authorizationExtras: [authorizationExtras] });
    expect(await both(access(), id())).toBe('access@acme.com');
    expect(await both(access(), 'x.y.z')).toBe('access@acme.com');
    expect(await both(access({ exp: 1, iat: 0 }), id())).toBe('401 expired');
    expect(await both(id(), id())).toBe('401 audience');
    expect(await both(access({ iss: 'https://other/' }), id())).toBe('id@acme.com');
    expect(await both('opaque', id({ exp: 1, iat: 0 }))).toBe('401 expired');
    expect(await both(makeServiceToken('ci').token, id())).toBe('401 unknown-service-token');
  });

  it('takes a session only when no token is sent', async () => {
    const authenticator = create('authorization');
    expect(await who(authenticator, { cookie: ['codec=good'] })).toBe('session@acme.com');
    expect(await who(authenticator, { cookie: ['other=1'] })).toBe('401 missing');
    expect(await who(authenticator, { cookie: ['codec=bad'] })).toBe('401 session');
    expect(await who(authenticator, { cookie: ['codec=good'], authorization: ['bad'] })).toBe('401 malformed');
    expect(await who(authenticator, { cookie: ['codec=good'], authorization: [access()] })).toBe('access@acme.com');
  });

  it('answers a remembered token without a promise', async () => {
    const authenticator = create('authorization');
    const credentials = headers({ authorization: [`Bearer ${access()}`] });
    const first = await authenticator.authenticate(credentials);
    expect(authenticator.authenticate(credentials)).toBe(first);
  });

  it('without service tokens takes one for a token like any other', async () => {
    const tokens = new TokenVerifier({ issuers: [], serviceTokens: null });
    expect(await who(createAuthenticator({ tokens }), { authorization: [ci.token] })).toBe('401 malformed');
  });
});
