/**
 * How a bucket is named, in the configuration and in references: by its name, or by the ARN of an access point, which
 * stands in the place of a bucket in every S3 request.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointRequests.html
 */

/** An access point, taken apart. */
export interface AccessPoint {
  /** AWS's partition, such as `aws`. */
  readonly partition: string;
  /** Undefined for a Multi-Region Access Point. */
  readonly region: string | undefined;
  /** Its account, 12 digits. */
  readonly account: string;
}

/** Names of general-purpose buckets. */
const BUCKET_NAME = /^(?!xn--)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const ACCESS_POINT =
  /^arn:(aws(?:-[a-z]+)*):s3:(?:([a-z]{2}(?:-[a-z]+)+-\d):(\d{12}):accesspoint\/[a-z0-9][a-z0-9-]{1,48}[a-z0-9]|:(\d{12}):accesspoint\/[a-z0-9]{1,50}\.mrap)$/;

/** Whether text is the name of a general-purpose bucket. */
export function isBucketName(text: string): boolean {
  return BUCKET_NAME.test(text);
}

/** Reads the ARN of an access point; undefined when it is not one. */
export function parseAccessPoint(text: string): AccessPoint | undefined {
  const [, partition, region, account, globalAccount] = ACCESS_POINT.exec(text) ?? [];
  if (partition === undefined) return undefined;
  return { partition, region, account: account ?? globalAccount ?? '' };
}

/** Whether requests go to a Multi-Region Access Point, which wants them signed with SigV4A. */
export function isMultiRegion(bucket: string): boolean {
  return parseAccessPoint(bucket)?.region === undefined && bucket.endsWith('.mrap');
}
