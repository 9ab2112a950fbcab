/** The configuration of the server under soak: KMS and an issuer that the soak itself plays, with short memories. */
import type { CodecServerConfig } from '../../config/schema.ts';

const { SOAK_ISSUER = '', SOAK_JWKS = '', SOAK_KEY_A = '', SOAK_KEY_B = '' } = process.env;
const person = (sub: string) => [{ claim: 'sub', includes: sub }];

const config: CodecServerConfig = {
  defaultNamespace: null,
  cors: { origins: ['https://cloud.temporal.io'], credentials: false },
  failures: 'return-encoded',
  compression: 'zlib',
  identity: {
    issuers: [{ type: 'oidc', issuer: SOAK_ISSUER, jwksUri: SOAK_JWKS, audience: 'codec', from: 'authorization' }],
    serviceTokens: null,
  },
  access: [
    { name: 'reader', namespaces: ['orders.a1b2c'], people: person('reader'), allow: ['decode'] },
    { name: 'writer', namespaces: ['*'], people: person('writer'), allow: ['decode', 'encode'] },
  ],
  keys: {
    keyring: null,
    kms: [
      { namespaces: ['orders.a1b2c'], write: SOAK_KEY_A },
      { namespaces: ['billing.a1b2c'], write: SOAK_KEY_B },
    ],
    staticKeys: null,
    cache: { ttlSeconds: 5 },
  },
};

export default config;
