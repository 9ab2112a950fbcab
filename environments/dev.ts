/**
 * The development environment, `npx cdk deploy CodecServer-dev`. With nothing edited it deploys a
 * server that answers, verifies Temporal Cloud tokens, and decodes for nobody: add a rule to
 * `access` to let people in. Deleting the stack deletes everything, the key included.
 */
import type { EnvironmentConfig } from '../config/environment.ts';

const environment: EnvironmentConfig = {
  // Requests that name no namespace may still decode what names one itself; they cannot encode.
  defaultNamespace: null,
  cors: {
    // Web UIs that may call: Temporal Cloud, the dev server's UI, the self-hosted UI server's default port.
    origins: ['https://cloud.temporal.io', 'http://localhost:8233', 'http://localhost:8080'],
    credentials: false,
  },
  failures: 'explain',
  compression: null,
  identity: {
    issuers: [{ type: 'temporal-cloud' }],
    // For the CLI's --codec-auth and for remote codecs. 'created-by-stack' makes an empty list to fill.
    serviceTokens: null,
  },
  access: [
    // Nobody yet. For example:
    // {
    //   name: 'developers read development namespaces',
    //   namespaces: ['orders-dev.a1b2c'],
    //   people: [{ emailDomain: 'example.com' }],
    //   allow: ['decode'],
    // },
  ],
  keys: {
    keyring: null,
    kms: [{ namespaces: ['*'], write: 'created-by-stack' }],
    staticKeys: null,
  },
  deployment: {
    target: null,
    onDelete: 'destroy',
    terminationProtection: false,
    logs: { level: 'DEBUG', retentionDays: 7, auditRetentionDays: 30, encryption: 'aws' },
    throttling: { rate: 100, burst: 300 },
    concurrency: { reserved: null, provisioned: null },
    domain: null,
    alarms: null,
  },
};

export default environment;
