/** What becomes of the stack's keys, secrets and logs when it goes. */
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { NAMESPACE_CONDITION_KEY } from './names.ts';

/**
 * The removal policy of something that may outlive the stack. What a first deployment made goes with it
 * when that deployment fails: nothing was encrypted or logged yet, and a second attempt would find its
 * alias taken.
 */
export function removalPolicyOf(retain: boolean): RemovalPolicy {
  return retain ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
}

// The KMS key that wraps the data keys of payloads.

export interface EncryptionKeyProps {
  /** The environment's name, for the alias `alias/codec-server/<name>`. */
  readonly environment: string;
  /** Whether the key outlives the stack. */
  readonly retain: boolean;
}

/** Days between the order to delete a key and its end; the longest that KMS offers, since nothing brings a key back. */
const PENDING_WINDOW_DAYS = 30;

/**
 * A symmetric key, rotated by KMS every year: older versions go on unwrapping. The account's IAM
 * policies decide who uses it; the key's own policy adds that nobody uses it without naming a
 * namespace, so that every use in CloudTrail tells for which one.
 */
export class EncryptionKey extends Construct {
  readonly key: Key;

  constructor(scope: Construct, id: string, { environment, retain }: EncryptionKeyProps) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      description: `Wraps the data keys of Temporal payloads (codec server, ${environment}). Without it they stay encrypted for good.`,
      alias: `alias/codec-server/${environment}`,
      enableKeyRotation: true,
      rotationPeriod: Duration.days(365),
      pendingWindow: Duration.days(PENDING_WINDOW_DAYS),
      removalPolicy: removalPolicyOf(retain),
    });
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'EveryUseNamesItsNamespace',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
        resources: ['*'],
        conditions: { Null: { [NAMESPACE_CONDITION_KEY]: 'true' } },
      }),
    );
  }
}

// The KMS key for what the server writes about itself: logs, secrets and alarm messages. Payload keys never meet it.

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
