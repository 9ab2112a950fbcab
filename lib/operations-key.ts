/** The KMS key for what the server writes about itself: logs, secrets and alarm messages. Payload keys never meet it. */
import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { removalPolicyOf } from './retention.ts';

export interface OperationsKeyProps {
  readonly environment: string;
  readonly retain: boolean;
  /** A key of the team's own in the place of one that is made here. */
  readonly key?: IKey | undefined;
}

/** A key that CloudWatch Logs may use for this account's log groups, and CloudWatch for the alarm topic. */
export class OperationsKey extends Construct {
  readonly key: IKey;

  constructor(scope: Construct, id: string, { environment, retain, key }: OperationsKeyProps) {
    super(scope, id);
    const { account, region, partition } = Stack.of(this);
    const made = () =>
      new Key(this, 'Key', {
        description: `Encrypts logs, secrets and alarm messages of the codec server, ${environment}.`,
        alias: `alias/codec-server/${environment}/operations`,
        enableKeyRotation: true,
        pendingWindow: Duration.days(30),
        removalPolicy: removalPolicyOf(retain),
      });
    this.key = key ?? made();
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'LogGroupsOfThisAccount',
        principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
        actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
        resources: ['*'],
        conditions: {
          ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` },
        },
      }),
    );
    // EventBridge, which supports no condition here, gets its statement from the CDK with the rule that publishes.
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    );
  }
}
