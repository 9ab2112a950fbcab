/** `environments/prod.ts` with its placeholders filled in, as a team would. */
import type { EnvironmentConfig } from '../../../config/environment.ts';
import prod from '../../../environments/prod.ts';

const environment: EnvironmentConfig = {
  ...prod,
  access: [
    {
      name: 'the team reads its namespaces',
      namespaces: ['orders-prod.a1b2c', 'billing-prod.a1b2c'],
      people: [{ emailDomain: 'example.com' }],
      allow: ['decode'],
    },
  ],
  keys: {
    ...prod.keys,
    kms: [{ namespaces: ['orders-prod.a1b2c', 'billing-prod.a1b2c'], write: 'created-by-stack' }],
  },
  deployment: { ...prod.deployment, target: { account: '111122223333', region: 'eu-central-1' } },
};

export default environment;
