/**
 * How a bucket is named, in the configuration and in references: by its name, or by the ARN of an access point, which
 * stands in the place of a bucket in every S3 request.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointRequests.html
 */

import { parseArnOf } from '../codec/keys/arn.ts';

/** An access point, taken apart. */
export interface AccessPoint {
  /** AWS's partition, such as `aws`. */
  readonly partition: string;
  /** Undefined for a Multi-Region Access Point. */
  readonly region: string | undefined;
  /** Its account, 12 digits. */
  readonly account: string;
}

/**
 * Names of general-purpose buckets. S3 keeps some endings for what is none: aliases of access points, behind which are the
 * objects of a bucket of another name, and directory and table buckets.
 */
const BUCKET_NAME =
  /^(?!xn--)(?!.*\.\.)(?!.*(?:-s3alias|--ol-s3|--x-s3|--table-s3|\.mrap)$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const ACCESS_POINT = /^accesspoint\/[a-z0-9][a-z0-9-]{1,48}[a-z0-9]$/;
const MULTI_REGION_ACCESS_POINT = /^accesspoint\/[a-z0-9]{1,50}\.mrap$/;
const ACCOUNT = /^\d{12}$/;
const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/;

/** Whether text is the name of a general-purpose bucket. */
export function isBucketName(text: string): boolean {
  return BUCKET_NAME.test(text);
}

/** Whether text is the name of an AWS Region, such as `eu-central-1`. */
export function isRegion(text: string | undefined): text is string {
  return text !== undefined && REGION.test(text);
}

/** Whether text is the id of an AWS account. */
export function isAccount(text: string): boolean {
  return ACCOUNT.test(text);
}

/** Reads the ARN of an access point; undefined when it is not one. */
export function parseAccessPoint(text: string): AccessPoint | undefined {
  const { partition, region, account, resource } = parseArnOf('s3', text) ?? {};
  if (partition === undefined || account === undefined || resource === undefined) return undefined;
  if (region === '')
    return MULTI_REGION_ACCESS_POINT.test(resource) ? { partition, region: undefined, account } : undefined;
  return isRegion(region) && ACCESS_POINT.test(resource) ? { partition, region, account } : undefined;
}

/** Whether requests go to a Multi-Region Access Point, which wants them signed with SigV4A. */
export function isMultiRegion(bucket: string): boolean {
  return parseAccessPoint(bucket)?.region === undefined && bucket.endsWith('.mrap');
}
