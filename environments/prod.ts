/**
 * The production environment, `npx cdk deploy CodecServer-prod`. Every `<…>` is yours to fill in:
 * while one is left, the environment refuses to synthesize. Deleting the stack keeps the key, the
 * secrets and the logs.
 */
import type { EnvironmentConfig } from '../config/environment.ts';

const environment: EnvironmentConfig = {
  defaultNamespace: null,
  cors: { origins: ['https://cloud.temporal.io'], credentials: false },
  failures: 'explain',
  compression: null,
  identity: {
    issuers: [{ type: 'temporal-cloud' }],
    serviceTokens: null,
  },
  access: [
    {
      name: 'the team reads its namespaces',
      namespaces: ['<namespace>.<account>'],
      people: [{ emailDomain: '<your-company.com>' }],
      allow: ['decode'],
    },
  ],
  keys: {
    keyring: null,
    // One entry a set of namespaces; list them by name, so that the function may use the key for these alone.
    kms: [{ namespaces: ['<namespace>.<account>'], write: 'created-by-stack' }],
    staticKeys: null,
  },
  deployment: {
    target: { account: '<AWS account id>', region: '<AWS Region>' },
    onDelete: 'retain',
    terminationProtection: true,
    logs: { level: 'INFO', retentionDays: 30, auditRetentionDays: 400, encryption: 'customer-managed' },
    throttling: { rate: 500, burst: 1000 },
    concurrency: { reserved: null, provisioned: null },
    domain: null,
    alarms: { topic: 'created-by-stack' },
  },
};

export default environment;
