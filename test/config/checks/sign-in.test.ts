import { describe, expect, it } from '@jest/globals';
import { checkConfig } from '../../../config/check.ts';
import { checkDeployment } from '../../../config/checks/deployment.ts';
import { checkSignIn } from '../../../config/checks/identity.ts';
import type { CorsConfig, SignInConfig } from '../../../config/schema.ts';
import local from '../../../environments/local.ts';
import full from '../../support/environments/full.ts';

const SIGN_IN: SignInConfig = {
  issuer: 'https://login.example.com/',
  clientId: 'codec-server',
  clientSecret: { secret: 'created-by-stack' },
  publicUrl: 'https://codec.example.com',
  sessionKeys: { secret: 'created-by-stack' },
};

function pathsOf(change: Partial<SignInConfig>, cors: Partial<CorsConfig> = {}): string[] {
  const problems = checkSignIn({
    identity: { issuers: [], serviceTokens: null, signIn: { ...SIGN_IN, ...change } },
    cors: { origins: ['https://temporal.example.com'], credentials: true, ...cors },
  });
  return problems.map(({ path }) => path.replace('identity.signIn.', ''));
}

function deployed(change: Partial<SignInConfig>): string[] {
  const identity = { ...full.identity, issuers: [], serviceTokens: null, signIn: { ...SIGN_IN, ...change } };
  return checkDeployment({ ...full, identity, access: [] }).map(({ path }) => path);
}

describe('the check of the sign-in', () => {
  it('has nothing against one that is whole, as the only way to prove who calls', () => {
    expect(pathsOf({})).toEqual([]);
    expect(deployed({})).toEqual([]);
    const identity = { issuers: [], serviceTokens: null, signIn: SIGN_IN };
    const cors = { origins: ['http://localhost:8233'], credentials: true };
    expect(checkConfig({ ...local, cors, identity, access: [] })).toEqual([]);
  });

  it('has nothing to say where there is none', () => {
    expect(checkSignIn({ identity: null, cors: { origins: [], credentials: false } })).toEqual([]);
  });

  it('wants browsers to be allowed to send the cookie', () => {
    expect(pathsOf({}, { credentials: false })).toEqual(['cors.credentials']);
    expect(pathsOf({}, { origins: [] })).toEqual(['cors.origins']);
  });

  it('refuses a Web UI that anybody on the network could change', () => {
    expect(pathsOf({}, { origins: ['http://temporal.internal', 'http://localhost:8080'] })).toEqual([
      'cors.origins[0]',
    ]);
  });

  it.each(['http://codec.example.com', 'http://localhost:8888', 'codec.example.com'])(
    'wants an https address of its own, not %s',
    (publicUrl) => expect(pathsOf({ publicUrl })).toEqual(['publicUrl']),
  );

  it.each(['https://codec.example.com/', 'https://codec.example.com/codec', 'https://u:p@codec.example.com'])(
    'wants scheme and host alone, not %s',
    (publicUrl) => expect(pathsOf({ publicUrl })).toEqual(['publicUrl']),
  );

  it('bounds how long a session lasts', () => {
    expect(pathsOf({ absoluteSeconds: 86_401, idleSeconds: 0 })).toEqual(['absoluteSeconds', 'idleSeconds']);
    expect(pathsOf({ absoluteSeconds: Number.NaN })).toEqual(['absoluteSeconds']);
    expect(pathsOf({ absoluteSeconds: 600, idleSeconds: 601 })).toEqual(['idleSeconds']);
  });

  it('finds what no provider could answer', () => {
    expect(pathsOf({ issuer: 'http://login.example.com', scopes: ['email'], algorithms: [] })).toEqual([
      'issuer',
      'scopes',
      'algorithms',
    ]);
  });

  it('names forgotten fields: a secret and keys are declined in writing or not at all', () => {
    const { clientSecret, sessionKeys, ...rest } = SIGN_IN;
    const identity = { issuers: [], serviceTokens: null, signIn: rest };
    expect(checkConfig({ ...local, identity }).map(({ path }) => path)).toEqual([
      'identity.signIn.clientSecret',
      'identity.signIn.sessionKeys',
    ]);
  });

  it('wants secrets on AWS, and the domain that browsers reach it at', () => {
    expect(deployed({ clientSecret: { file: 'a' }, sessionKeys: { file: 'b' } })).toEqual([
      'identity.signIn.clientSecret.file',
      'identity.signIn.sessionKeys.file',
    ]);
    expect(deployed({ publicUrl: 'https://other.example.com' })).toEqual(['identity.signIn.publicUrl']);
    expect(deployed({ clientSecret: { secret: { arn: 'arn:aws:kms:x' } } })).toEqual([
      'identity.signIn.clientSecret.secret.arn',
    ]);
  });
});
