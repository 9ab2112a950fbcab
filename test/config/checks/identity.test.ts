import { describe, expect, it } from '@jest/globals';
import { checkIdentity } from '../../../config/checks/identity.ts';
import type { IdentityConfig, OidcIssuerConfig } from '../../../config/schema.ts';

const OIDC: OidcIssuerConfig = {
  type: 'oidc',
  issuer: 'https://login.example.com/',
  jwksUri: 'https://login.example.com/jwks.json',
  audience: 'api',
  from: 'authorization',
};

function pathsOf(identity: Partial<IdentityConfig>): string[] {
  return checkIdentity({ identity: { issuers: [OIDC], serviceTokens: null, ...identity } }).map(({ path }) => path);
}

describe('the check of identity', () => {
  it('has nothing against Temporal Cloud, an issuer of one’s own, service tokens, or identity declined', () => {
    expect(pathsOf({ issuers: [{ type: 'temporal-cloud' }, OIDC] })).toEqual([]);
    expect(pathsOf({ issuers: [], serviceTokens: { secret: 'created-by-stack' } })).toEqual([]);
    expect(checkIdentity({ identity: null })).toEqual([]);
  });

  it('wants a way to prove who calls', () => {
    expect(pathsOf({ issuers: [] })).toEqual(['identity.issuers']);
  });

  it.each([['http://login.example.com/'], ['login.example.com'], [' https://x/'], ['https://u:p@x/'], ['file:///etc']])(
    'refuses %j as an issuer or as the address of its keys',
    (address) => {
      expect(pathsOf({ issuers: [{ ...OIDC, issuer: address }] })).toEqual(['identity.issuers[0].issuer']);
      expect(pathsOf({ issuers: [{ ...OIDC, jwksUri: address }] })).toEqual(['identity.issuers[0].jwksUri']);
    },
  );

  it('finds lists that accept no token', () => {
    expect(pathsOf({ issuers: [{ ...OIDC, audience: [], algorithms: [] }] })).toEqual([
      'identity.issuers[0].audience',
      'identity.issuers[0].algorithms',
    ]);
  });

  it('finds two entries for the same tokens', () => {
    const other = { ...OIDC, audience: ['web-ui', 'api'] };
    expect(pathsOf({ issuers: [OIDC, other] })).toEqual(['identity.issuers[1]']);
    expect(pathsOf({ issuers: [OIDC, { ...OIDC, audience: null }] })).toEqual(['identity.issuers[1]']);
    expect(pathsOf({ issuers: [OIDC, { ...OIDC, audience: 'web-ui' }] })).toEqual([]);
    expect(pathsOf({ issuers: [OIDC, { ...OIDC, from: 'authorization-extras' }] })).toEqual([]);
    expect(pathsOf({ issuers: [{ type: 'temporal-cloud' }, { type: 'temporal-cloud' }] })).toEqual([
      'identity.issuers[1]',
    ]);
  });

  it('bounds the leeway and the time that a lost role goes on reading', () => {
    for (const clockLeewaySeconds of [-1, 301, Number.NaN]) {
      expect(pathsOf({ clockLeewaySeconds })).toEqual(['identity.clockLeewaySeconds']);
    }
    const apiKey = { secret: 'created-by-stack' as const };
    for (const cacheSeconds of [0, 86_401, Number.NaN]) {
      expect(pathsOf({ temporalCloudRoles: { apiKey, cacheSeconds } })).toEqual([
        'identity.temporalCloudRoles.cacheSeconds',
      ]);
    }
    expect(pathsOf({ temporalCloudRoles: { apiKey, endpoint: 'http://x' } })).toEqual([
      'identity.temporalCloudRoles.endpoint',
    ]);
  });

  it('leaves placeholders to the check of a deployment', () => {
    expect(pathsOf({ issuers: [{ ...OIDC, issuer: 'https://<your tenant>/' }] })).toEqual([]);
  });
});
