/** The bucket for large payloads, for whoever has none: private, encrypted, TLS only, and tidied up after the days that were asked for. */
import { Duration } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acceptFindings } from './findings.ts';
import { removalPolicyOf } from './retention.ts';

export interface PayloadBucketProps {
  readonly retain: boolean;
  /** Days after which objects go; `null` for never. */
  readonly expireAfterDays: number | null;
}

export class PayloadBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { retain, expireAfterDays }: PayloadBucketProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: removalPolicyOf(retain),
      lifecycleRules: [
        { abortIncompleteMultipartUploadAfter: Duration.days(1) },
        ...(expireAfterDays === null ? [] : [{ expiration: Duration.days(expireAfterDays) }]),
      ],
    });
    acceptFindings(
      this.bucket,
      ['AwsSolutions-S1', 'CKV_AWS_18'],
      'Who read which payload is in the audit log of this stack; workers are seen by CloudTrail data events, where a team wants them.',
    );
    acceptFindings(
      this.bucket,
      ['CKV_AWS_21'],
      'Objects are named by their content and never overwritten: there are no versions to keep.',
    );
  }
}
