/** The bucket for large payloads, for whoever has none: private, encrypted, TLS only, and tidied up after the days that were asked for. */
import { Duration, Token } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct, type IConstruct } from 'constructs';
import { parseAccessPoint } from '../config/bucket.ts';
import { besideNamespaces, characters, inParts, partId, UNKNOWN_ARN_CHARACTERS } from '../config/checks/policies.ts';
import type { StorageBucketConfig } from '../config/schema.ts';
import { acceptFindings } from './findings.ts';
import { removalPolicyOf } from './keys.ts';

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

// Who may read and write which objects of external storage, as IAM statements: keys as the official
// drivers make them, of the namespaces that the configuration pairs with the bucket, and no others.

/** The bucket that the stack makes. */
export interface CreatedBucket {
  readonly bucketArn: string;
}

export interface StoragePermissionsProps {
  readonly entries: readonly StorageBucketConfig[];
  /** Undefined when no entry asks for it. */
  readonly created: CreatedBucket | undefined;
  /** AWS's partition, such as `aws`. */
  readonly partition: string;
  /** Who the statements are for: workers write every bucket, the server those with `write`. */
  readonly writes: (entry: StorageBucketConfig) => boolean;
}

/** The statements that allow exactly what the entries say. Nobody may list a bucket, or delete from it. */
export function storageStatements({ entries, created, partition, writes }: StoragePermissionsProps): PolicyStatement[] {
  return entries.flatMap((entry, index) => {
    const bucketArn = entry.bucket === 'created-by-stack' ? created?.bucketArn : arnOf(entry.bucket, partition);
    if (bucketArn === undefined) return [];
    const accessPoint = parseAccessPoint(entry.bucket);
    const objects = prefixesOf(entry.namespaces).map((prefix) => `${objectsOf(bucketArn, entry.bucket)}${prefix}*`);
    const isWritten = writes(entry);
    // The CDK counts an ARN whose bucket is made here by this many characters, whatever comes after the bucket.
    const lengthOf = (arn: string) => (Token.isUnresolved(arn) ? UNKNOWN_ARN_CHARACTERS + 3 : characters(arn));
    const statements = inParts(objects, besideNamespaces(0), lengthOf).map(
      (resources, part) =>
        new PolicyStatement({
          sid: partId(`Storage${index}`, part),
          actions: ['s3:GetObject', ...(isWritten ? ['s3:PutObject'] : [])],
          resources,
        }),
    );
    if (entry.encryptionKey !== undefined)
      statements.push(
        new PolicyStatement({
          sid: `StorageKey${index}`,
          actions: ['kms:Decrypt', ...(isWritten ? ['kms:GenerateDataKey'] : [])],
          resources: [entry.encryptionKey],
          // With a bucket key, S3 names the bucket; without, the object. Payloads' own keys are never used through S3.
          // Which bucket is behind an access point is not in its ARN.
          conditions: {
            StringLike: {
              'kms:ViaService': `s3.${entry.region ?? accessPoint?.region ?? '*'}.*`,
              'kms:EncryptionContext:aws:s3:arn':
                accessPoint === undefined ? [bucketArn, `${bucketArn}/*`] : [`arn:${partition}:s3:::*`],
            },
          },
        }),
      );
    return statements;
  });
}

/**
 * Accepts that the policy of `construct` ends in `*` for exactly the prefixes that its entries name, so that any other
 * wildcard is still found.
 *
 * @param createdId the logical id of the bucket that the stack makes
 */
export function acceptPrefixes(
  construct: IConstruct,
  entries: readonly StorageBucketConfig[],
  createdId: string | undefined,
): void {
  const rules = entries.flatMap(({ bucket, namespaces }) => {
    const bucketArn = bucket === 'created-by-stack' ? `<${createdId ?? ''}.Arn>` : arnOf(bucket, '<AWS::Partition>');
    const objects = objectsOf(bucketArn, bucket);
    return prefixesOf(namespaces).map((prefix) => `AwsSolutions-IAM5[Resource::${objects}${prefix}*]` as const);
  });
  acceptFindings(
    construct,
    [...new Set(rules)],
    'Objects are named by their content, which nobody knows beforehand: the prefix is the right, and it is that of the configured namespaces.',
  );
}

function arnOf(bucket: string, partition: string): string {
  return parseAccessPoint(bucket) === undefined ? `arn:${partition}:s3:::${bucket}` : bucket;
}

/** What the ARN of each object begins with. */
function objectsOf(bucketArn: string, bucket: string): string {
  return parseAccessPoint(bucket) === undefined ? `${bucketArn}/` : `${bucketArn}/object/`;
}

/** The drivers' prefixes: one for each namespace, and the one for objects of which no driver knew whose they are. */
function prefixesOf(namespaces: readonly string[]): string[] {
  const own = namespaces.map((pattern) => {
    const encoded = pattern
      .split('*')
      .map((piece) => encodeURIComponent(piece).replaceAll('~', '%7E'))
      .join('*');
    return `v0/ns/${encoded}/`;
  });
  return [...own, 'v0/d/'];
}
