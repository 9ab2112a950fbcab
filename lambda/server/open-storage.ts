/** Opens the external storage of a configuration. Where there is none, nothing of it is loaded. */
import { definedOnly } from '../../codec/defined-only.ts';
import { parseAccessPoint } from '../../config/bucket.ts';
import type { CodecServerConfig, StorageBucketConfig, StorageLimits } from '../../config/schema.ts';
import { NotHereError } from './open-keys.ts';
import type { ExternalStorage } from './storage/external-storage.ts';

/** What external storage needs to know of where it is opened. */
export interface StorageHost {
  /** The bucket that the stack created, and the Region it is in. */
  readonly stackBucket?: { readonly name: string; readonly region: string } | undefined;
  /** Bytes of payloads that one answer can hold. */
  readonly answerBytes: number;
}

/** External storage in use. */
export interface OpenedStorage {
  readonly storage: ExternalStorage | undefined;
  /** Ends connections. */
  close(): void;
}

/**
 * Bytes of payloads in one answer of Lambda: it returns 6 MiB of JSON, in which payloads are base64.
 * What is left is for metadata, headers and escaped quotes.
 */
export const LAMBDA_ANSWER_BYTES = 4_500_000;

/** The same on one's own machine, where memory is the limit, and the browser's patience. */
export const LOCAL_ANSWER_BYTES = 100_000_000;

/** As in the SDKs. */
const STORE_FROM_BYTES = 262_144;

const LIMITS: StorageLimits = { objectBytes: 52_428_800, requestBytes: 67_108_864, parallel: 8 };

const NOTHING: OpenedStorage = { storage: undefined, close: () => {} };

/** @throws NotHereError when only a stack can give a bucket */
export async function openStorage(config: CodecServerConfig['storage'], host: StorageHost): Promise<OpenedStorage> {
  if (config === null || config === undefined) return NOTHING;
  const [{ createExternalStorage }, { createBuckets }, { createS3 }] = await Promise.all([
    import('./storage/external-storage.ts'),
    import('./storage/object-store.ts'),
    import('./storage/s3.ts'),
  ]);
  const named = config.buckets.map((entry, index) => {
    const path = `storage.buckets[${index}].bucket`;
    if (entry.bucket !== 'created-by-stack') return { ...entry, region: regionOf(entry) };
    const { stackBucket } = host;
    if (stackBucket === undefined)
      throw new NotHereError(`${path} is 'created-by-stack', and there is no stack here: write its name.`);
    return { ...entry, bucket: stackBucket.name, region: stackBucket.region };
  });
  const s3 = createS3();
  const storage = createExternalStorage(
    {
      buckets: createBuckets(named),
      storeFromBytes: config.storeFromBytes ?? STORE_FROM_BYTES,
      limits: { ...LIMITS, ...definedOnly(config.limits ?? {}) },
      answerBytes: host.answerBytes,
    },
    s3,
  );
  return { storage, close: () => s3.close() };
}

/**
 * The Region that a client is made for. A Multi-Region Access Point has none; its address is the same everywhere, so
 * any will do.
 */
function regionOf({ bucket, region }: StorageBucketConfig): string {
  return region ?? parseAccessPoint(bucket)?.region ?? 'us-east-1';
}
