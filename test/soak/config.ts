/** What both servers under soak are told: KMS and an issuer that the soak itself plays, with short memories. */
import type { CodecServerConfig } from '../../config/schema.ts';

/** Where the soak's own issuer and keys are. */
export interface SoakSurroundings {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly keys: readonly [orders: string, billing: string];
}

const person = (sub: string) => [{ claim: 'sub', includes: sub }];

export function soakConfig({ issuer, jwksUri, keys: [orders, billing] }: SoakSurroundings): CodecServerConfig {
  return {
    defaultNamespace: null,
    cors: { origins: ['https://cloud.temporal.io'], credentials: false },
    failures: 'return-encoded',
    compression: 'zlib',
    identity: {
      issuers: [{ type: 'oidc', issuer, jwksUri, audience: 'codec', from: 'authorization' }],
      serviceTokens: null,
    },
    access: [
      { name: 'reader', namespaces: ['orders.a1b2c'], people: person('reader'), allow: ['decode'] },
      { name: 'writer', namespaces: ['*'], people: person('writer'), allow: ['decode', 'encode'] },
    ],
    keys: {
      keyring: null,
      kms: [
        { namespaces: ['orders.a1b2c'], write: orders },
        { namespaces: ['billing.a1b2c'], write: billing },
      ],
      staticKeys: null,
      cache: { ttlSeconds: 5 },
    },
  };
}
