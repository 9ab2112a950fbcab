/**
 * The border between Temporal's SDK and this codec: the SDK's payloads are protobuf messages in which
 * every field may be missing and 64-bit numbers are `Long`; ours have every field.
 */
import type { Payload as TemporalPayload } from '@temporalio/common';
import Long from 'long';
import { emptyMetadata, type Payload } from './payload.ts';

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
