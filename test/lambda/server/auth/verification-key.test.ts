import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { readKeySet } from '../../../../lambda/server/auth/issuer-keys.ts';
import { makeSigningKey, signingKeyOf } from '../../../support/https-issuer.ts';

const { jwk } = makeSigningKey('rsa');
const p256 = signingKeyOf('p256', generateKeyPairSync('ec', { namedCurve: 'P-256' })).jwk;
const p384 = signingKeyOf('p384', generateKeyPairSync('ec', { namedCurve: 'P-384' })).jwk;
const ed25519 = signingKeyOf('ed25519', generateKeyPairSync('ed25519')).jwk;
const short = signingKeyOf('short', generateKeyPairSync('rsa', { modulusLength: 1024 })).jwk;

function read(keys: unknown[], ...pinned: Parameters<typeof readKeySet>[1]): string[] {
  return [...readKeySet(JSON.stringify({ keys }), pinned).keys()];
}

describe('a JSON Web Key Set', () => {
  it('gives the keys that fit a pinned algorithm by type and curve', () => {
    const all = [jwk, p256, p384, ed25519];
    expect(read(all, 'RS256')).toEqual(['rsa']);
    expect(read(all, 'ES256')).toEqual(['p256']);
    expect(read(all, 'ES384', 'EdDSA')).toEqual(['p384', 'ed25519']);
    expect(read(all, 'ES512')).toEqual([]);
  });

  it('passes over keys for encryption, for other algorithms, without id, symmetric or too short', () => {
    const useless = [
      { ...jwk, use: 'enc' },
      { ...jwk, key_ops: ['encrypt'] },
      { ...jwk, alg: 'RS512' },
      { ...jwk, alg: 'none' },
      { ...jwk, kid: undefined },
      { ...jwk, kid: 7 },
      { kty: 'oct', k: 'c2VjcmV0', kid: 'oct', alg: 'RS256' },
      short,
      { kty: 'RSA', kid: 'broken', n: '!', e: '' },
    ];
    expect(read(useless, 'RS256')).toEqual([]);
  });

  it('keeps no private member of a key that publishes one', () => {
    const { privateKey } = makeSigningKey();
    const leaked = { ...privateKey.export({ format: 'jwk' }), kid: 'leaked' };
    const key = readKeySet(JSON.stringify({ keys: [leaked] }), ['RS256']).get('leaked');
    expect(Object.keys(key?.jwk ?? {}).sort()).toEqual(['e', 'kid', 'kty', 'n']);
    expect(key?.keyObject.type).toBe('public');
  });

  it('takes the first of two keys with one id', () => {
    const second = makeSigningKey('rsa');
    const key = readKeySet(JSON.stringify({ keys: [jwk, second.jwk] }), ['RS256']).get('rsa');
    expect(key?.jwk['n']).toBe(jwk.n);
  });
});
