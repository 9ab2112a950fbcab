/**
 * A team's own `PayloadCodec` (the interface of Temporal's TypeScript SDK) in front of ours: it
 * encodes before we encrypt, and decodes after we have decrypted.
 */
import type { PayloadCodec } from '@temporalio/common';
import type { CustomCodec } from './decode.ts';
import { CannotEncodeError } from './errors.ts';
import { createNamespaceMatcher } from './namespace-pattern.ts';
import { asBuffer, type Payload } from './payload.ts';
import { fromTemporalPayload, toTemporalPayload } from './temporal-payload.ts';

/** A codec and the namespaces it is for. */
export interface CustomCodecOptions {
  readonly codec: PayloadCodec;
  /** Full names, with `*`. Default: all. */
  readonly namespaces?: readonly string[];
}

/**
 * Adapts a codec.
 *
 * Payloads go through it one at a time, so that one it fails on costs that payload alone. What it
 * returns unchanged counts as not its own, whether it is the same object or an equal one.
 */
export function createCustomCodec({ codec, namespaces }: CustomCodecOptions): CustomCodec {
  const appliesTo = namespaces === undefined ? () => true : createNamespaceMatcher(namespaces);
  return {
    appliesTo,
    async encode(payload) {
      try {
        const [encoded] = await codec.encode([toTemporalPayload(payload)]);
        if (encoded !== undefined) return fromTemporalPayload(encoded);
      } catch (cause) {
        // Whatever it threw may hold what it was given: the message is ours, and the cause is not logged.
        throw new CannotEncodeError('a codec of the configuration failed to encode', 'custom-codec', { cause });
      }
      throw new CannotEncodeError('a codec of the configuration returned no payload', 'custom-codec');
    },
    async decode(payload) {
      const [decoded] = await codec.decode([toTemporalPayload(payload)]);
      if (decoded === undefined) throw new Error('a codec of the configuration returned no payload');
      const result = fromTemporalPayload(decoded);
      return isSame(result, payload) ? payload : result;
    },
  };
}

function isSame(a: Payload, b: Payload): boolean {
  const keys = Object.keys(a.metadata);
  return (
    asBuffer(a.data).equals(b.data) &&
    keys.length === Object.keys(b.metadata).length &&
    keys.every((key) => {
      const [one, other] = [a.metadata[key], b.metadata[key]];
      return one !== undefined && other !== undefined && asBuffer(one).equals(other);
    }) &&
    sizes(a) === sizes(b)
  );
}

function sizes({ externalPayloads }: Payload): string {
  return (externalPayloads ?? []).map(({ sizeBytes }) => sizeBytes).join();
}
