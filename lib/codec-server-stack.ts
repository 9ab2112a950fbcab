/** One environment's stack: the construct, and what people need after a deployment. */
import { RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { EnvironmentConfig } from '../config/environment.ts';
import { CodecServer } from './codec-server.ts';
import { dashboardUrl } from './dashboard-url.ts';
import { addOutputs } from './outputs.ts';

export interface CodecServerStackProps extends StackProps {
  /** The environment's name: the file's, without extension. */
  readonly environment: string;
  readonly config: EnvironmentConfig;
  /** The function's code, the configuration in it. */
  readonly code: Code;
}

export class CodecServerStack extends Stack {
  readonly codecServer: CodecServer;

  constructor(scope: Construct, id: string, props: CodecServerStackProps) {
    const { environment, config, code, ...stackProps } = props;
    super(scope, id, stackProps);
    const { deployment, ...serverConfig } = config;
    const { target, onDelete, terminationProtection, tags, ...settings } = deployment;
    // 'Default' leaves no trace in logical ids: with any other id every resource would be made anew, the key too.
    const server = new CodecServer(this, 'Default', {
      ...settings,
      name: environment,
      config: serverConfig,
      removalPolicy: onDelete === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      code,
    });
    this.codecServer = server;
    addOutputs(this, {
      endpoint: server.endpoint,
      signIn: Boolean(config.identity?.signIn),
      helpUrl: deployment.helpUrl,
      keyArn: server.key?.keyArn,
      payloadBucket: server.payloadBucket?.bucketName,
      workerPolicyArn: server.workerPolicy?.managedPolicyArn,
      workerPolicyArns: server.workerPolicies.map(({ managedPolicyArn }) => managedPolicyArn),
      alarmTopicArn: deployment.alarms?.topic === 'created-by-stack' ? server.alarmTopic?.topicArn : undefined,
      domainTarget: deployment.domain?.hostedZone === null ? server.domainTarget : undefined,
      auditLogGroup: server.auditLogGroup.logGroupName,
      dashboard: server.dashboard && dashboardUrl(this, server.dashboard.dashboardName),
      secrets: Object.fromEntries(
        server.secrets.filter(({ created }) => created).map(({ secret }) => [secret.node.id, secret.secretArn]),
      ),
    });
  }
}
