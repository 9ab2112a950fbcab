/** What people need after a deployment: what to paste where. */
import { Aws, CfnMapping, CfnOutput, type Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { partId } from '../config/checks/policies.ts';
import { DEPLOY_GUIDE } from './names.ts';

export interface OutputsProps {
  /** Without trailing slash: clients append `/decode` as it is. */
  readonly endpoint: string;
  /** Whether the environment has a sign-in of its own. */
  readonly signIn: boolean;
  readonly helpUrl: string | undefined;
  readonly keyArn: string | undefined;
  readonly payloadBucket: string | undefined;
  /** In parts, where one policy does not hold all namespaces. */
  readonly workerPolicyArns: readonly string[];
  /** Of each entry of keys, where there are several. */
  readonly entryWorkerPolicyArns: readonly (readonly string[])[];
  /** Of workers with the keyring in a secret. */
  readonly keyringWorkerPolicyArns: readonly string[];
  readonly alarmTopicArn: string | undefined;
  readonly domainTarget: string | undefined;
  readonly auditLogGroup: string;
  readonly dashboard: string | undefined;
  /** ARNs of secrets that the stack made, by what they hold. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** The one text that an operator can show people whose decoding fails, a setting of the Namespace. */
function errorMessageFor(helpUrl: string | undefined): string {
  const link = helpUrl === undefined ? '' : ` Link: ${helpUrl}`;
  return `Cannot decode? Sign in to Temporal again, then ask the owner of this Namespace whether a rule of the codec server lets you read it.${link}`;
}

/** Adds the outputs, whose names stay: scripts read them. */
export function addOutputs(stack: Construct, props: OutputsProps): void {
  const output = (id: string, value: string | undefined, description: string) => {
    if (value !== undefined) new CfnOutput(stack, id, { value, description });
  };
  output(
    'CodecEndpoint',
    props.endpoint,
    'Paste this as the codec server endpoint, as it is, without a trailing slash.',
  );
  const switches = props.signIn
    ? 'switch on "Include cross-origin credentials" for people who sign in, or "Pass access token" for those whose browser sends no third-party cookie'
    : 'switch on "Pass access token", leave "Include cross-origin credentials" off';
  output(
    'WhereToPaste',
    `Temporal Cloud: Namespaces > your Namespace > Codec Server > Edit; paste the endpoint, ${switches}. CLI: --codec-endpoint. Guide: ${DEPLOY_GUIDE}`,
    'Where the endpoint is set.',
  );
  output(
    'CustomErrorMessage',
    errorMessageFor(props.helpUrl),
    'For "custom error message" and link in the same dialog: the only text people see when decoding fails.',
  );
  output('KeyArn', props.keyArn, 'The KMS key that wraps data keys; workers name it in their codec.');
  output('PayloadBucket', props.payloadBucket, 'Workers name this bucket in their S3 storage driver.');
  const inParts = (id: string, arns: readonly string[], description: string) => {
    for (const [part, arn] of arns.entries())
      output(
        partId(id, part),
        arn,
        part === 0 ? description : `Attach this beside ${id}, which does not hold all namespaces.`,
      );
  };
  inParts('WorkerPolicyArn', props.workerPolicyArns, "Attach this managed policy to your workers' roles.");
  for (const [index, arns] of props.entryWorkerPolicyArns.entries())
    inParts(`WorkerPolicyArn${index}`, arns, `The same for workers of the namespaces of keys.kms[${index}] alone.`);
  inParts(
    'KeyringWorkerPolicyArn',
    props.keyringWorkerPolicyArns,
    'Attach this managed policy to the roles of workers that take the keyring from its secret.',
  );
  output('AuditLogGroup', props.auditLogGroup, 'One line a request: who decoded what, where.');
  output('DashboardUrl', props.dashboard, 'The dashboard in CloudWatch.');
  output('AlarmTopicArn', props.alarmTopicArn, 'Subscribe here to hear alarms.');
  output('DomainTarget', props.domainTarget, 'Make a CNAME of your domain name to this.');
  for (const [name, arn] of Object.entries(props.secrets))
    output(
      `${name}Secret`,
      arn,
      name === 'SessionKeys'
        ? 'Seals sign-in sessions; to end them, set validFrom in it and keep the key.'
        : 'A secret for you to fill.',
    );
}

// The address of a dashboard in the AWS console.

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
