/** An environment behind a REST API that some addresses reach, with a web ACL, tracing and a domain. */
import type { EnvironmentConfig } from '../../../config/environment.ts';
import full from './full.ts';

export const WEB_ACL =
  'arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/codec/11111111-2222-3333-4444-555555555555';

const environment: EnvironmentConfig = {
  ...full,
  deployment: {
    ...full.deployment,
    front: {
      type: 'rest-api',
      reach: { addresses: ['203.0.113.0/24', '2001:db8::/32'] },
      webAcl: { arn: WEB_ACL },
      tracing: true,
    },
  },
};

export default environment;
