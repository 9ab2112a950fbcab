/**
 * From references to what they refer to: read, ask whether the caller may, fetch, verify, decode.
 *
 * The decision is made twice. Before an object is fetched it is made for the namespaces that are known
 * by then: that of the object's key, which every driver writes it into, and that of the encryption
 * around the reference, where there is one; failing both, the namespace that the caller names. Before
 * an object is opened, decoding asks again for the namespace that its own header binds it to.
 */

import { allOrFirstFailure } from '../../../codec/calls/turns.ts';
import {
  type DecodeContext,
  type DecodeOutcome,
  type Decoder,
  decodePayloads,
  isPlaintext,
} from '../../../codec/decode.ts';
import { CannotOpenError } from '../../../codec/errors.ts';
import { deserializePayload, type Payload } from '../../../codec/payload.ts';
import type { RequestFetch } from './fetch.ts';
import { type Bucket, bucketToRead, EXTERNAL_STORAGE_LAYER } from './object-store.ts';
import { isReference, namespaceOfKey, readReference } from './reference.ts';

/** What retrieving needs. */
export interface RetrieveDeps {
  readonly decoder: Decoder;
  readonly buckets: readonly Bucket[];
  readonly fetch: RequestFetch;
  /** Bytes that all payloads retrieved for an answer may have together. */
  readonly answerBytes: number;
}

/**
 * Replaces references among the outcomes of decoding by what became of what they refer to. An object
 * that is itself a reference is returned as one: whoever stored it stored a reference.
 *
 * @returns `outcomes` itself when there is no reference among them
 * @throws StorageUnavailableError (rejects with it) when S3 may answer in a moment
 */
export async function retrieveReferences(
  outcomes: DecodeOutcome[],
  context: DecodeContext,
  deps: RetrieveDeps,
): Promise<DecodeOutcome[]> {
  if (!outcomes.some(isReference)) return outcomes;
  const retrieved = await allOrFirstFailure(
    outcomes.map((outcome) => (isReference(outcome) ? retrieve(outcome, context, deps) : outcome)),
  );
  return withinAnswer(retrieved, deps.answerBytes);
}

async function retrieve(
  outcome: Extract<DecodeOutcome, { payload: Payload }>,
  context: DecodeContext,
  { decoder, buckets, fetch }: RetrieveDeps,
): Promise<DecodeOutcome> {
  const around = outcome.kind === 'decoded' ? outcome.namespace : undefined;
  let namespace = around ?? context.namespace;
  try {
    const reference = readReference(outcome.payload);
    const ofKey = namespaceOfKey(reference.key, reference.sha256);
    namespace = ofKey ?? namespace;
    for (const asked of new Set([namespace, around ?? namespace]))
      if (!(await context.mayDecode(asked))) return { kind: 'denied', namespace: asked };
    // Nobody may decode what belongs to no namespace.
    if (namespace === undefined) return { kind: 'denied', namespace };
    const bucket = bucketToRead(buckets, reference, namespace);
    if (bucket === undefined) throw new CannotOpenError('storage-not-listed', 'the bucket is not listed for it');
    const object = deserializePayload(await fetch.object({ ...bucket, key: reference.key }, reference.sha256));
    const isBound = ofKey !== undefined || bucket.soleNamespace !== undefined;
    const retrieved = await open(decoder, object, { ...context, namespace }, isBound);
    if (retrieved.kind !== 'decoded' || outcome.kind !== 'decoded') return retrieved;
    const layers = [...outcome.layers, ...retrieved.layers];
    return { ...retrieved, layers, neededKey: outcome.neededKey || retrieved.neededKey };
  } catch (error) {
    if (error instanceof CannotOpenError) return { kind: 'cannot-open', reason: error.reason, namespace };
    throw error;
  }
}

/** @param isBound whether the namespace is proven even if the object itself says nothing of one */
async function open(
  decoder: Decoder,
  object: Payload,
  context: DecodeContext,
  isBound: boolean,
): Promise<DecodeOutcome> {
  const [inner] = await decodePayloads(decoder, [object], context);
  if (inner === undefined) throw new Error('one payload has one outcome');
  if (inner.kind !== 'decoded' && inner.kind !== 'unchanged') return inner;
  // No key of ours around it: in a shared bucket, under a name without a namespace, the caller's word would be the proof.
  if (isPlaintext(inner) && !isBound)
    return { kind: 'cannot-open', reason: 'object-unbound', namespace: context.namespace };
  const namespace = inner.kind === 'decoded' ? inner.namespace : context.namespace;
  const layers = [EXTERNAL_STORAGE_LAYER, ...(inner.kind === 'decoded' ? inner.layers : [])];
  return { kind: 'decoded', payload: inner.payload, namespace, layers, neededKey: !isPlaintext(inner) };
}

/** What does not fit into the answer stays closed; what comes before it is shown. */
function withinAnswer(outcomes: DecodeOutcome[], most: number): DecodeOutcome[] {
  let left = most;
  return outcomes.map((outcome) => {
    if (outcome.kind !== 'decoded' && outcome.kind !== 'unchanged') return outcome;
    const bytes = sizeOf(outcome.payload);
    const isRetrieved = outcome.kind === 'decoded' && outcome.layers.includes(EXTERNAL_STORAGE_LAYER);
    if (isRetrieved && bytes > left)
      return { kind: 'cannot-open', reason: 'object-too-large', namespace: outcome.namespace };
    left -= bytes;
    return outcome;
  });
}

function sizeOf({ data, metadata }: Payload): number {
  return Object.values(metadata).reduce((sum, value) => sum + value.length, data.length);
}
