/** Storing what `/encode` has encoded: what is large goes to S3, and a reference takes its place. */
import { createHash } from 'node:crypto';
import { allOrFirstFailure, type Semaphore } from '../../../codec/calls/turns.ts';
import { CannotEncodeError } from '../../../codec/errors.ts';
import { type Payload, serializePayload } from '../../../codec/payload.ts';
import type { Bucket } from './buckets.ts';
import { objectKeyOf } from './object-key.ts';
import { type ObjectStore, StorageFault, StorageUnavailableError } from './object-store.ts';
import { S3_DRIVER, writeReference } from './reference.ts';

export interface StoreDeps {
  readonly store: ObjectStore;
  readonly bucket: Bucket;
  /** Shared by all requests. */
  readonly lane: Semaphore;
  /** Bytes of an encoded payload, serialized, from which it is stored. */
  readonly fromBytes: number;
}

/** Milliseconds before the request's deadline at which storing is given up. */
const MARGIN_MS = 250;

/**
 * Stores the encoded payloads that are large, under keys of their namespace. One that cannot be stored
 * fails them all: whoever asked expects every payload to fit into history.
 *
 * @param deadline milliseconds of `Date.now()`
 * @throws CannotEncodeError (rejects with it) when S3 refuses
 * @throws StorageUnavailableError when S3 may answer in a moment
 */
export function storeLarge(
  payloads: readonly Payload[],
  namespace: string,
  deadline: number,
  deps: StoreDeps,
): Promise<Payload[]> {
  return allOrFirstFailure(
    payloads.map((payload) => {
      // Metadata of what we encode is a few bytes: shorter data is not worth serializing to know.
      if (payload.data.length + 1024 < deps.fromBytes) return payload;
      const bytes = serializePayload(payload);
      if (bytes.length < deps.fromBytes) return payload;
      return deps.lane.run(() => put(bytes, namespace, deadline, deps));
    }),
  );
}

async function put(bytes: Buffer, namespace: string, deadline: number, { store, bucket }: StoreDeps): Promise<Payload> {
  const hash = createHash('sha256').update(bytes).digest();
  const sha256 = hash.toString('hex');
  const key = objectKeyOf(namespace, sha256);
  const time = deadline - Date.now() - MARGIN_MS;
  if (time <= 0) throw new StorageUnavailableError('timed-out');
  try {
    await store.put({ ...bucket, key }, bytes, hash, AbortSignal.timeout(time));
  } catch (error) {
    if (!(error instanceof StorageFault)) throw error;
    const { kind, message } = error;
    if (kind === 'throttled' || kind === 'unreachable' || kind === 'timed-out') throw new StorageUnavailableError(kind);
    throw new CannotEncodeError(message, kind === 'missing' ? 'object-missing' : 'object-access-denied');
  }
  const driverName = bucket.driverNames[0] ?? S3_DRIVER;
  return writeReference({ driverName, bucket: bucket.bucket, key, sha256 }, bytes.length);
}
