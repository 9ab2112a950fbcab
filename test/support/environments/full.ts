/** An environment that uses every part of the stack. */
import type { EnvironmentConfig } from '../../../config/environment.ts';

/** A key of another account, of which its owner lets the stack's account read. */
export const FOREIGN_KEY = 'arn:aws:kms:eu-central-1:444455556666:key/11111111-2222-3333-4444-555555555555';
/** The key of a codec that was here before, for one namespace. */
export const OLD_KEY = 'arn:aws:kms:eu-central-1:444455556666:key/66666666-7777-8888-9999-000000000000';
/** A key of another account behind a role. */
export const KEY_BEHIND_ROLE = 'arn:aws:kms:eu-central-1:777788889999:key/mrk-1234abcd12ab34cd56ef1234567890ab';
export const ROLE = 'arn:aws:iam::777788889999:role/codec-server-keys';
export const IMPORTED_SECRET = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:static-keys-AbCdEf';

const environment: EnvironmentConfig = {
  defaultNamespace: null,
  cors: { origins: ['https://cloud.temporal.io', 'https://temporal.example.com'], credentials: true },
  failures: 'reject',
  compression: 'zstd',
  identity: {
    issuers: [
      { type: 'temporal-cloud' },
      {
        type: 'oidc',
        issuer: 'https://login.example.com/',
        jwksUri: 'https://login.example.com/jwks.json',
        audience: 'temporal-ui',
        from: 'authorization-extras',
      },
    ],
    serviceTokens: { secret: 'created-by-stack' },
    temporalCloudRoles: { apiKey: { secret: 'created-by-stack' } },
  },
  access: [
    {
      name: 'developers read',
      namespaces: ['orders-*.a1b2c'],
      people: [{ emailDomain: 'example.com', issuer: 'https://login.example.com/' }],
      allow: ['decode'],
    },
    {
      name: 'the command line writes orders',
      namespaces: ['orders-prod.a1b2c'],
      people: [{ serviceToken: 'cli' }],
      allow: ['decode', 'encode'],
    },
  ],
  keys: {
    keyring: null,
    kms: [
      { namespaces: ['orders-*.a1b2c'], write: 'created-by-stack', read: [FOREIGN_KEY] },
      { namespaces: ['billing-prod.a1b2c'], write: KEY_BEHIND_ROLE, assumeRole: ROLE },
      {
        namespaces: ['archive.a1b2c'],
        write: null,
        read: [OLD_KEY],
        foreignFormats: ['temporal-cloud-proxy', 'kms-python-sample', 'kms-java-sample', 'temporal-proxy'],
        keyUriContexts: [{ tenant: 'blue' }],
      },
    ],
    staticKeys: { secret: { arn: IMPORTED_SECRET } },
  },
  deployment: {
    target: { account: '111122223333', region: 'eu-central-1' },
    onDelete: 'retain',
    terminationProtection: true,
    logs: { level: 'WARN', retentionDays: 90, auditRetentionDays: 731, encryption: 'customer-managed' },
    throttling: { rate: 200, burst: 400 },
    concurrency: { reserved: 100, provisioned: 5 },
    domain: {
      name: 'codec.example.com',
      certificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/11111111-2222-3333-4444-555555555555',
      hostedZone: { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' },
      keepDefaultEndpoint: false,
    },
    alarms: { topic: 'created-by-stack', latencyP99Ms: 2000, denials: 50 },
    tags: { team: 'platform' },
    helpUrl: 'https://wiki.example.com/codec-server',
  },
};

export default environment;
