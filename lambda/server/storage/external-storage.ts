/** External storage as the pipeline knows it: two verbs over everything in this folder. */
import { createHash } from 'node:crypto';
import { allOrFirstFailure, Semaphore } from '../../../codec/calls/turns.ts';
import type { DecodeContext, DecodeOutcome, Decoder } from '../../../codec/decode.ts';
import { CannotEncodeError } from '../../../codec/errors.ts';
import { type Payload, serializePayload } from '../../../codec/payload.ts';
import type { StorageLimits } from '../../../config/schema.ts';
import { RequestFetch } from './fetch.ts';
import { type Bucket, bucketToWrite, type ObjectStore, StorageFault, StorageUnavailableError } from './object-store.ts';
import { isReference, objectKeyOf, S3_DRIVER, writeReference } from './reference.ts';
import { retrieveReferences } from './retrieve.ts';

// Storing what `/encode` has encoded: what is large goes to S3, and a reference takes its place.

export interface StoreDeps {
  readonly store: ObjectStore;
  readonly bucket: Bucket;
  /** Shared by all requests. */
  readonly semaphore: Semaphore;
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
function storeLarge(
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
      return deps.semaphore.run(() => put(bytes, namespace, deadline, deps));
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

export interface ExternalStorage {
  /** Whether everything that decoding opened, or found open, is a reference. */
  areReferences(outcomes: readonly DecodeOutcome[]): boolean;

  /**
   * Replaces references among the outcomes of decoding by what they refer to.
   *
   * @returns `outcomes` itself when there is none
   * @throws StorageUnavailableError (rejects with it) when S3 may answer in a moment
   */
  retrieve(outcomes: DecodeOutcome[], decoder: Decoder, context: DecodeContext): Promise<DecodeOutcome[]>;

  /**
   * Stores what is large of the encoded payloads of a namespace, if the configuration lets payloads of
   * it be stored. Never for a worker's remote codec, which would find its own references: the caller sees to that.
   *
   * @param deadline milliseconds of `Date.now()`
   * @throws CannotEncodeError, StorageUnavailableError
   */
  store(payloads: readonly Payload[], namespace: string, deadline: number): Promise<readonly Payload[]>;
}

export interface ExternalStorageSettings {
  readonly buckets: readonly Bucket[];
  /** Bytes from which a payload is stored. */
  readonly storeFromBytes: number;
  readonly limits: StorageLimits;
  /** Bytes of payloads that one answer can hold. */
  readonly answerBytes: number;
}

export function createExternalStorage(settings: ExternalStorageSettings, store: ObjectStore): ExternalStorage {
  const { buckets, storeFromBytes, answerBytes, limits } = settings;
  const semaphore = new Semaphore(limits.parallel);
  // What cannot be answered need not be read: nothing that is encrypted gets much smaller by being opened.
  const objectBytes = Math.min(limits.objectBytes, answerBytes + ENVELOPE_BYTES);
  return {
    areReferences: (outcomes) =>
      outcomes.every((it) => (it.kind !== 'decoded' && it.kind !== 'unchanged') || isReference(it)),
    retrieve(outcomes, decoder, context) {
      const fetch = new RequestFetch(store, semaphore, { ...limits, objectBytes }, context.deadline);
      return retrieveReferences(outcomes, context, { decoder, buckets, fetch, answerBytes });
    },
    async store(payloads, namespace, deadline) {
      const bucket = bucketToWrite(buckets, namespace);
      if (bucket === undefined) return payloads;
      return storeLarge(payloads, namespace, deadline, { store, bucket, semaphore, fromBytes: storeFromBytes });
    },
  };
}

/** More than any envelope adds to what it holds. */
const ENVELOPE_BYTES = 65_536;
