/** One environment's stack: the construct, and what people need after a deployment. */

import { RemovalPolicy, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { checkDeployment } from '../config/checks/deployment.ts';
import type { EnvironmentConfig } from '../config/environment.ts';
import { CodecServer } from './codec-server.ts';
import { addOutputs, dashboardUrl } from './outputs.ts';
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
    addOutputs(this, {
      endpoint: server.endpoint,
      signIn: Boolean(serverConfig.identity?.signIn),
      helpUrl: deployment.helpUrl,
      keyArn: server.key?.keyArn,
      payloadBucket: server.payloadBucket?.bucketName,
      workerPolicyArns: server.workerPolicies.map(({ managedPolicyArn }) => managedPolicyArn),
      entryWorkerPolicyArns: server.entryWorkerPolicies.map((parts) =>
        parts.map(({ managedPolicyArn }) => managedPolicyArn),
      ),
      keyringWorkerPolicyArns: server.keyringWorkerPolicies.map(({ managedPolicyArn }) => managedPolicyArn),
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
