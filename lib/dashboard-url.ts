/** The address of a dashboard in the AWS console. */
import { Aws, CfnMapping, type Stack } from 'aws-cdk-lib';

/** The console's domain in each partition. */
const DOMAINS = {
  aws: { domain: 'aws.amazon.com' },
  'aws-cn': { domain: 'amazonaws.cn' },
  'aws-us-gov': { domain: 'amazonaws-us-gov.com' },
};

/** The address of a dashboard of CloudWatch, in whatever partition the stack is deployed. */
export function dashboardUrl(stack: Stack, name: string): string {
  const domain = new CfnMapping(stack, 'Console', { mapping: DOMAINS }).findInMap(Aws.PARTITION, 'domain');
  return `https://console.${domain}/cloudwatch/home?region=${Aws.REGION}#dashboards/dashboard/${name}`;
}
