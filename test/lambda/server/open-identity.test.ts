import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { IdentityConfig } from '../../../config/schema.ts';
import { makeServiceToken } from '../../../lambda/server/auth/service-tokens.ts';
import { openIdentity } from '../../../lambda/server/open-identity.ts';
import { CloudOps, cloudUser } from '../../support/cloud-ops.ts';
import { HttpsIssuer } from '../../support/https-issuer.ts';
import { standInGet } from '../../support/https-stand-in.ts';

describe('opening identity', () => {
  let cwd: string;

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'identity-'));
  });

  afterEach(() => rmSync(cwd, { recursive: true }));

  const open = (config: Partial<IdentityConfig>) =>
    openIdentity({ issuers: [], serviceTokens: null, ...config }, { cwd, httpsGet: standInGet() });

  function write(name: string, text: string): string {
    writeFileSync(join(cwd, name), text, { mode: 0o600 });
    return name;
  }

  it('reads service tokens from a file, and follows it', async () => {
    const ci = makeServiceToken('ci');
    const file = write('tokens.json', JSON.stringify({ tokens: [ci.entry] }));
    const { authenticator } = await open({ serviceTokens: { file } });
    const credentials = { authorization: [ci.token], authorizationExtras: [], cookie: [] };
    expect(await authenticator.authenticate(credentials)).toMatchObject({ method: 'service-token', subject: 'ci' });
  });

  it('tells at start what is wrong with a file of service tokens', async () => {
    await expect(open({ serviceTokens: { file: 'none.json' } })).rejects.toThrow('none.json');
    await expect(open({ serviceTokens: { file: write('a.json', '{"tokens":1}') } })).rejects.toThrow(
      'tokens must be an array',
    );
    const file = write('b.json', '{"tokens":[]}');
    chmodSync(join(cwd, file), 0o644);
    await expect(open({ serviceTokens: { file } })).rejects.toThrow('b.json');
  });

  it('tells at start that a secret would have to be made by a stack', async () => {
    const secret = 'created-by-stack';
    await expect(open({ serviceTokens: { secret } })).rejects.toThrow('identity.serviceTokens.secret');
    await expect(open({ temporalCloudRoles: { apiKey: { secret } } })).rejects.toThrow(
      'identity.temporalCloudRoles.apiKey.secret',
    );
  });

  it('fetches the keys of issuers early, and does not fail when it cannot', async () => {
    const issuer = await HttpsIssuer.start();
    const config = { type: 'oidc', issuer: issuer.issuer, audience: 'codec', from: 'authorization' } as const;
    const down = { ...config, issuer: 'https://localhost:1/', jwksUri: 'https://localhost:1/jwks.json' };
    const { warmUp, roles } = await open({ issuers: [{ ...config, jwksUri: issuer.jwksUri }, down] });
    await expect(warmUp()).resolves.toBeUndefined();
    expect(issuer.requests).toBe(1);
    expect(roles).toBeUndefined();
    await issuer.close();
  });

  it('asks issuers before it opens anything else, where it is told to, and once', async () => {
    const asked: string[] = [];
    const get = standInGet();
    const issuer = await HttpsIssuer.start();
    const config = { type: 'oidc', issuer: issuer.issuer, audience: 'codec', from: 'authorization' } as const;
    const file = write('tokens.json', 'nobody has read this yet');
    const opening = openIdentity(
      { issuers: [{ ...config, jwksUri: issuer.jwksUri }], serviceTokens: { file } },
      {
        cwd,
        asksAtOnce: true,
        httpsGet: (url, options) => {
          asked.push(url);
          write('tokens.json', '{"tokens":[]}');
          return get(url, options);
        },
      },
    );
    const { warmUp } = await opening;
    expect(asked).toEqual([issuer.jwksUri]);
    await warmUp();
    expect(issuer.requests).toBe(1);
    await issuer.close();
  });

  it('asks an issuer that is out once at the start, and not again to warm up', async () => {
    const asked: string[] = [];
    const down = { type: 'oidc', issuer: 'https://localhost:1/', audience: 'codec', from: 'authorization' } as const;
    const httpsGet = async (url: string) => {
      asked.push(url);
      throw new Error('it is out');
    };
    const issuers = [{ ...down, jwksUri: 'https://localhost:1/jwks.json' }];
    const { warmUp } = await openIdentity({ issuers, serviceTokens: null }, { cwd, asksAtOnce: true, httpsGet });
    await warmUp();
    expect(asked).toHaveLength(1);
  });

  it('asks for roles when the first decision needs one, with the key in the file', async () => {
    const cloud = await CloudOps.start();
    cloud.users = [cloudUser('a@acme.com', 'ROLE_ADMIN')];
    const apiKey = { file: write('key', `${cloud.apiKey}\n`) };
    const { roles } = await open({ temporalCloudRoles: { apiKey, endpoint: cloud.origin } });
    expect(cloud.requests).toBe(0);
    expect(await Promise.all([roles?.roleOf('a@acme.com', 'x'), roles?.roleOf('a@acme.com', 'y')])).toEqual([
      'admin',
      'admin',
    ]);
    expect(roles?.roleOf('a@acme.com', 'z')).toBe('admin');
    expect(cloud.requests).toBe(1);
    await cloud.close();
  });
});
