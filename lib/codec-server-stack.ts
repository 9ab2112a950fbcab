/** One environment's stack: the construct, and what people need after a deployment. */

import { Aws, CfnMapping, CfnOutput, RemovalPolicy, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { checkDeployment } from '../config/checks/deployment.ts';
import { partId } from '../config/checks/policies.ts';
import type { DeploymentConfig, EnvironmentConfig } from '../config/environment.ts';
import { CodecServer } from './codec-server.ts';
import { DEPLOY_GUIDE } from './names.ts';
import { REFUSED } from './refuse.ts';

export interface CodecServerStackProps extends StackProps {
  /** The environment's name: the file's, without extension. */
  readonly environment: string;
  readonly config: EnvironmentConfig;
  /** The function's code, the configuration in it. Default: the one that the package brings. */
  readonly code?: Code;
  /** As of the construct. */
  readonly codecsEntry?: string;
}

/** An environment's file as a stack. Its account and Region, its protection and its tags are those of the file. */
export class CodecServerStack extends Stack {
  readonly codecServer: CodecServer;

  constructor(scope: Construct, id: string, props: CodecServerStackProps) {
    const { environment, config, code, codecsEntry, ...stackProps } = props;
    const problems = checkDeployment(config);
    const { deployment, ...serverConfig } = problems.length === 0 ? config : REFUSED;
    const { target, onDelete, terminationProtection, tags = {}, ...settings } = deployment;
    super(scope, id, {
      description: `Codec server for Temporal, ${environment}: decodes payloads for the people that its configuration names.`,
      terminationProtection,
      ...(target === null ? {} : { env: target }),
      ...stackProps,
    });
    for (const [key, value] of Object.entries(tags)) Tags.of(this).add(key, value);
    // 'Default' leaves no trace in logical ids: with any other id every resource would be made anew, the key too.
    const server = new CodecServer(this, 'Default', {
      ...settings,
      name: environment,
      config: serverConfig,
      removalPolicy: onDelete === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      problems,
      ...(codecsEntry === undefined ? {} : { codecsEntry }),
      ...(code === undefined ? {} : { code }),
    });
    this.codecServer = server;
    addOutputs(this, server, deployment, Boolean(serverConfig.identity?.signIn));
  }
}

/** Adds the outputs, whose names stay: scripts read them. */
function addOutputs(stack: Stack, server: CodecServer, deployment: DeploymentConfig, signIn: boolean): void {
  const dashboard = server.dashboard && dashboardUrl(stack, server.dashboard.dashboardName);
  const output = (id: string, value: string | undefined, description: string) => {
    if (value !== undefined) new CfnOutput(stack, id, { value, description });
  };
  output(
    'CodecEndpoint',
    server.endpoint,
    'Paste this as the codec server endpoint, as it is, without a trailing slash.',
  );
  const switches = signIn
    ? 'switch on "Include cross-origin credentials" for people who sign in, or "Pass access token" for those whose browser sends no third-party cookie'
    : 'switch on "Pass access token", leave "Include cross-origin credentials" off';
  output(
    'WhereToPaste',
    `Temporal Cloud: Namespaces > your Namespace > Codec Server > Edit; paste the endpoint, ${switches}. CLI: --codec-endpoint. Guide: ${DEPLOY_GUIDE}`,
    'Where the endpoint is set.',
  );
  const link = deployment.helpUrl === undefined ? '' : ` Link: ${deployment.helpUrl}`;
  output(
    'CustomErrorMessage',
    `Cannot decode? Sign in to Temporal again, then ask the owner of this Namespace whether a rule of the codec server lets you read it.${link}`,
    'For "custom error message" and link in the same dialog: the only text people see when decoding fails.',
  );
  output('KeyArn', server.key?.keyArn, 'The KMS key that wraps data keys; workers name it in their codec.');
  output('PayloadBucket', server.payloadBucket?.bucketName, 'Workers name this bucket in their S3 storage driver.');
  // In parts, where one policy does not hold all namespaces.
  const inParts = (id: string, policies: readonly ManagedPolicy[], description: string) => {
    for (const [part, { managedPolicyArn }] of policies.entries())
      output(
        partId(id, part),
        managedPolicyArn,
        part === 0 ? description : `Attach this beside ${id}, which does not hold all namespaces.`,
      );
  };
  inParts('WorkerPolicyArn', server.workerPolicies, "Attach this managed policy to your workers' roles.");
  for (const [index, policies] of server.entryWorkerPolicies.entries())
    inParts(`WorkerPolicyArn${index}`, policies, `The same for workers of the namespaces of keys.kms[${index}] alone.`);
  inParts(
    'KeyringWorkerPolicyArn',
    server.keyringWorkerPolicies,
    'Attach this managed policy to the roles of workers that take the keyring from its secret.',
  );
  output('AuditLogGroup', server.auditLogGroup.logGroupName, 'One line a request: who decoded what, where.');
  output('DashboardUrl', dashboard, 'The dashboard in CloudWatch.');
  if (deployment.alarms?.topic === 'created-by-stack')
    output('AlarmTopicArn', server.alarmTopic?.topicArn, 'Subscribe here to hear alarms.');
  if (deployment.domain?.hostedZone === null)
    output('DomainTarget', server.domainTarget, 'Make a CNAME of your domain name to this.');
  for (const { created, secret } of server.secrets)
    if (created)
      output(
        `${secret.node.id}Secret`,
        secret.secretArn,
        secret.node.id === 'SessionKeys'
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
function dashboardUrl(stack: Stack, name: string): string {
  const domain = new CfnMapping(stack, 'Console', { mapping: DOMAINS }).findInMap(Aws.PARTITION, 'domain');
  return `https://console.${domain}/cloudwatch/home?region=${Aws.REGION}#dashboards/dashboard/${name}`;
}
