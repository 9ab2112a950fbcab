import { UnavailableError } from '../../../codec/errors.ts';
import { createNamespaceMatcher, type NamespaceMatcher } from '../../../codec/namespace-pattern.ts';
import { parseAccessPoint } from '../../../config/bucket.ts';
import type { StorageBucketConfig } from '../../../config/schema.ts';
import { S3_DRIVER, type StorageReference } from './reference.ts';

/** What external storage asks of S3, and how that fails, without any AWS client: `s3.ts` implements it with the real one. */

/** The name of the step through external storage, among the layers of what was decoded. */
export const EXTERNAL_STORAGE_LAYER = 'external-storage';

/** An object's place. */
export interface ObjectPlace {
  readonly bucket: string;
  readonly region: string;
  /** The account that must own the bucket; undefined where nothing is said of it. */
  readonly owner: string | undefined;
  readonly key: string;
}

export interface ObjectStore {
  /**
   * Reads an object.
   *
   * @param admit asked with the object's length before a byte of it is read; `false` stops there
   * @param signal calls it off
   * @throws StorageFault
   */
  get(place: ObjectPlace, admit: (bytes: number) => boolean, signal: AbortSignal): Promise<Uint8Array>;

  /**
   * Writes an object.
   *
   * @param sha256 of the bytes, 32 of them, which S3 verifies
   * @throws StorageFault
   */
  put(place: ObjectPlace, bytes: Uint8Array, sha256: Uint8Array, signal: AbortSignal): Promise<void>;

  /** Closes its connections. */
  close(): void;
}

/**
 * How a call to S3 fails.
 *
 * - `missing`: there is no such object, or no such bucket
 * - `access-denied`: not allowed, of another owner, or in another Region
 * - `not-admitted`: larger than the caller takes
 * - `throttled`, `unreachable`, `timed-out`: may work in a moment
 */
export type StorageFaultKind = 'missing' | 'access-denied' | 'not-admitted' | 'throttled' | 'unreachable' | 'timed-out';

/** A call to S3 failed. Carries no text of AWS but the name of its exception. */
export class StorageFault extends Error {
  override readonly name = 'StorageFault';
  readonly kind: StorageFaultKind;

  constructor(kind: StorageFaultKind, awsName: string) {
    super(`S3: ${awsName}`);
    this.kind = kind;
  }
}

/** S3 cannot answer now. */
export class StorageUnavailableError extends UnavailableError {
  override readonly name = 'StorageUnavailableError';
  readonly dependency = 's3';
  readonly reason: 'throttled' | 'unreachable' | 'timed-out';

  constructor(reason: 'throttled' | 'unreachable' | 'timed-out') {
    super(`external storage is ${reason}`, 1);
    this.reason = reason;
  }
}

// The buckets of the configuration. A reference only ever picks one of them; it never names one to be used.

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
