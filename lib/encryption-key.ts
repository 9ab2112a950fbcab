/** The KMS key that wraps the data keys of payloads. */
import { Duration } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { NAMESPACE_CONDITION_KEY } from './names.ts';
import { removalPolicyOf } from './retention.ts';

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
