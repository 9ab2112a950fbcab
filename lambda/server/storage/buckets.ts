/** The buckets of the configuration. A reference only ever picks one of them; it never names one to be used. */
import { createNamespaceMatcher, type NamespaceMatcher } from '../../../codec/namespace-pattern.ts';
import { parseAccessPoint } from '../../../config/bucket.ts';
import type { StorageBucketConfig } from '../../../config/schema.ts';
import type { ObjectPlace } from './object-store.ts';
import { S3_DRIVER, type StorageReference } from './reference.ts';

/** A bucket that may be read for some namespaces. */
export interface Bucket extends Omit<ObjectPlace, 'key'> {
  readonly covers: NamespaceMatcher;
  readonly driverNames: readonly string[];
  /** The one namespace that it serves, if it serves one alone: then everything in it belongs there. */
  readonly soleNamespace: string | undefined;
  readonly write: boolean;
}

/** A {@link StorageBucketConfig} whose bucket and Region are known. */
export interface NamedBucketConfig extends StorageBucketConfig {
  readonly region: string;
}

export function createBuckets(entries: readonly NamedBucketConfig[]): Bucket[] {
  return entries.map(({ bucket, region, namespaces, write = false, driverNames = [S3_DRIVER], owner }) => {
    // Another entry for the same objects may put other namespaces there.
    const together = entries.filter((it) => mayHoldTheSame(it.bucket, bucket)).flatMap((it) => it.namespaces);
    const [only, ...more] = new Set(together);
    const sole = only !== undefined && more.length === 0 && !only.includes('*') ? only : undefined;
    return {
      bucket,
      region,
      owner,
      write,
      driverNames,
      covers: createNamespaceMatcher(namespaces),
      soleNamespace: sole,
    };
  });
}

/** Whether two entries may lead to the same objects: what is behind an access point is not in its ARN. */
function mayHoldTheSame(a: string, b: string): boolean {
  return a === b || parseAccessPoint(a) !== undefined || parseAccessPoint(b) !== undefined;
}

/** The entry by which an object that belongs to `namespace` may be read; undefined when there is none. */
export function bucketToRead(
  buckets: readonly Bucket[],
  { bucket, driverName }: StorageReference,
  namespace: string,
): Bucket | undefined {
  return buckets.find((it) => it.bucket === bucket && it.covers(namespace) && it.driverNames.includes(driverName));
}

/** The entry that `/encode` stores by; undefined when payloads of the namespace are not stored. */
export function bucketToWrite(buckets: readonly Bucket[], namespace: string): Bucket | undefined {
  return buckets.find((it) => it.write && it.covers(namespace));
}
