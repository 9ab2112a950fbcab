/**
 * The canary: asks the server's keys for what a person would need, on a schedule, so that an outage is
 * seen while nobody reads. It seals a payload under each key that writes, and opens the one that it
 * sealed the time before: by then the cache has forgotten its data key, and KMS has to unwrap it again.
 */
import { type Decoder, decodePayloads } from '../../codec/decode.ts';
import { encodePayloads } from '../../codec/encode.ts';
import { recognizeOwn } from '../../codec/formats/all-formats.ts';
import type { KeySource } from '../../codec/keys/key-source.ts';
import { metadataOf, type Payload } from '../../codec/payload.ts';
import { CANARY_EVENT } from '../../config/metrics.ts';

/** Whether an event is the schedule's. */
export function isCanaryEvent(event: unknown): boolean {
  const { codecServer, requestContext } = (event ?? {}) as Record<string, unknown>;
  return codecServer === CANARY_EVENT.codecServer && requestContext === undefined;
}

const LIMITS = { inflateBudget: 65_536 };
const MAX_LAYERS = 2;

interface CanaryParts {
  readonly keys: KeySource;
  /** Namespaces, one a key that writes. */
  readonly namespaces: readonly string[];
  /** Told of each namespace that could not be served, and why. */
  readonly onFailure: (namespace: string, error: unknown) => void;
}

/** Resolves to whether every namespace could be written and read, by a time in milliseconds of `Date.now()`; never rejects. */
export type Canary = (deadline: number) => Promise<boolean>;

/** Makes the canary. */
export function createCanary({ keys, namespaces, onFailure }: CanaryParts): Canary {
  const known = Buffer.from('"the canary sings"');
  const payload: Payload = { metadata: metadataOf({ encoding: 'json/plain' }), data: known };
  const decoder: Decoder = { recognize: recognizeOwn, keys, customCodecs: [], maxLayers: MAX_LAYERS };
  const encoder = { keys, customCodecs: [], compression: null };
  const sealedBefore = new Map<string, Payload>();

  async function sings(namespace: string, deadline: number): Promise<boolean> {
    const usage = { keyIds: new Set<string>(), cacheHits: 0, cacheMisses: 0 };
    try {
      const context = { namespace, deadline, limits: LIMITS, usage };
      const [sealed] = await encodePayloads(encoder, [payload], context);
      const toOpen = sealedBefore.get(namespace) ?? sealed;
      if (sealed === undefined || toOpen === undefined) throw new Error('nothing was sealed');
      sealedBefore.set(namespace, sealed);
      const [opened] = await decodePayloads(decoder, [toOpen], { ...context, mayDecode: () => true });
      if (opened?.kind === 'decoded' && known.equals(opened.payload.data)) return true;
      throw new Error(`the sealed payload is ${opened?.kind === 'cannot-open' ? opened.reason : opened?.kind}`);
    } catch (error) {
      onFailure(namespace, error);
      return false;
    }
  }

  return async (deadline) => {
    const songs = await Promise.all(namespaces.map((namespace) => sings(namespace, deadline)));
    return songs.every((sang) => sang);
  };
}
