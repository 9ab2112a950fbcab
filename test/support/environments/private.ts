/** An environment behind a private REST API, with a domain that the team's network resolves. */
import type { EnvironmentConfig } from '../../../config/environment.ts';
import full from './full.ts';

const { domain } = full.deployment;

const environment: EnvironmentConfig = {
  ...full,
  deployment: {
    ...full.deployment,
    domain: domain === null ? null : { ...domain, hostedZone: null, keepDefaultEndpoint: true },
    front: {
      type: 'rest-api',
      reach: { vpcEndpoints: ['vpce-0123456789abcdef0', 'vpce-0fedcba9876543210'] },
      webAcl: null,
      tracing: false,
    },
  },
};

export default environment;
