/**
 * The border between Temporal's SDK and this codec: the SDK's payloads are protobuf messages in which
 * every field may be missing and 64-bit numbers are `Long`; ours have every field.
 */
import type { PayloadCodec, Payload as TemporalPayload } from '@temporalio/common';
import Long from 'long';
import type { CustomCodec } from './decode.ts';
import { CannotEncodeError } from './errors.ts';
import { createNamespaceMatcher } from './namespace-pattern.ts';
import { asBuffer, emptyMetadata, type Payload } from './payload.ts';

const NO_DATA = new Uint8Array(0);

/** A payload of the SDK as ours. Its bytes are shared, not copied. */
export function fromTemporalPayload({ metadata, data, externalPayloads }: TemporalPayload): Payload {
  const ours = emptyMetadata();
  if (metadata) for (const [key, value] of Object.entries(metadata)) ours[key] = value ?? NO_DATA;
  if (!externalPayloads?.length) return { metadata: ours, data: data ?? NO_DATA };
  return {
    metadata: ours,
    data: data ?? NO_DATA,
    // A Long, a number or a decimal string, depending on who made the message
    externalPayloads: externalPayloads.map(({ sizeBytes }) => ({ sizeBytes: BigInt(String(sizeBytes ?? 0)) })),
  };
}

/** One of our payloads as the SDK takes it. Its bytes are shared, not copied. */
export function toTemporalPayload({ metadata, data, externalPayloads }: Payload): TemporalPayload {
  const theirs: TemporalPayload = { metadata: { ...metadata }, data };
  if (externalPayloads !== undefined)
    theirs.externalPayloads = externalPayloads.map(({ sizeBytes }) => ({
      sizeBytes: Long.fromBits(Number(BigInt.asIntN(32, sizeBytes)), Number(BigInt.asIntN(32, sizeBytes >> 32n))),
    }));
  return theirs;
}

// A team's own `PayloadCodec` (the interface of Temporal's TypeScript SDK) in front of ours: it
// encodes before we encrypt, and decodes after we have decrypted.

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
