/** External storage as the pipeline knows it: two verbs over everything in this folder. */

import { Semaphore } from '../../../codec/calls/turns.ts';
import type { DecodeContext, DecodeOutcome, Decoder } from '../../../codec/decode.ts';
import type { Payload } from '../../../codec/payload.ts';
import type { StorageLimits } from '../../../config/schema.ts';
import { type Bucket, bucketToWrite } from './buckets.ts';
import { RequestFetch } from './fetch.ts';
import type { ObjectStore } from './object-store.ts';
import { isReference, retrieveReferences } from './retrieve.ts';
import { storeLarge } from './store.ts';

export interface ExternalStorage {
  /** Whether everything that decoding opened, or found open, is a reference. */
  areReferences(outcomes: readonly DecodeOutcome[]): boolean;

  /**
   * Replaces references among the outcomes of decoding by what they refer to.
   *
   * @returns a promise only when there is one
   * @throws StorageUnavailableError (rejects with it) when S3 may answer in a moment
   */
  retrieve(
    outcomes: DecodeOutcome[],
    decoder: Decoder,
    context: DecodeContext,
  ): DecodeOutcome[] | Promise<DecodeOutcome[]>;

  /**
   * Stores what is large of the encoded payloads of a namespace, if the configuration lets payloads of
   * it be stored. Never for a worker's remote codec, which would find its own references: the caller sees to that.
   *
   * @param deadline milliseconds of `Date.now()`
   * @throws CannotEncodeError, StorageUnavailableError
   */
  store(payloads: readonly Payload[], namespace: string, deadline: number): readonly Payload[] | Promise<Payload[]>;
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
  const lane = new Semaphore(limits.parallel);
  // What cannot be answered need not be read: nothing that is encrypted gets much smaller by being opened.
  const objectBytes = Math.min(limits.objectBytes, answerBytes + ENVELOPE_BYTES);
  return {
    areReferences: (outcomes) =>
      outcomes.every((it) => (it.kind !== 'decoded' && it.kind !== 'unchanged') || isReference(it)),
    retrieve(outcomes, decoder, context) {
      const fetch = new RequestFetch(store, lane, { ...limits, objectBytes }, context.deadline);
      return retrieveReferences(outcomes, context, { decoder, buckets, fetch, answerBytes });
    },
    store(payloads, namespace, deadline) {
      const bucket = bucketToWrite(buckets, namespace);
      if (bucket === undefined) return payloads;
      return storeLarge(payloads, namespace, deadline, { store, bucket, lane, fromBytes: storeFromBytes });
    },
  };
}

/** More than any envelope adds to what it holds. */
const ENVELOPE_BYTES = 65_536;
