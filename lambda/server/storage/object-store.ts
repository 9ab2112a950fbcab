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

/** S3 cannot answer now, and may in a moment: a 503. */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError';
  readonly dependency = 's3';
  readonly reason: 'throttled' | 'unreachable' | 'timed-out';
  readonly retryAfterSeconds = 1;

  constructor(reason: 'throttled' | 'unreachable' | 'timed-out') {
    super(`external storage is ${reason}`);
    this.reason = reason;
  }
}
