/** Codecs of the user's own in front of ours, as one: what is encoded first no longer knows of failures. */
import type { PayloadCodec, Payload as TemporalPayload } from '@temporalio/common';
import { failurePartOf, markFailurePart } from './failure-parts.ts';
import type { EncryptingPayloadCodec } from './namespace-codec.ts';
import { areOfFailure, withheld } from './withheld.ts';

/** The codecs in encoding order, ours last. To close it closes ours. */
export function codecChain(first: readonly PayloadCodec[], ours: EncryptingPayloadCodec): EncryptingPayloadCodec {
  if (first.length === 0) return ours;
  return {
    async encode(payloads, ...context) {
      const parts = payloads.map(failurePartOf);
      let encoded = payloads;
      try {
        for (const codec of first) encoded = await codec.encode(encoded, ...context);
      } catch (error) {
        if (areOfFailure(payloads)) return withheld(payloads, error);
        throw error;
      }
      if (encoded !== payloads && encoded.length === payloads.length) mark(encoded, parts);
      return ours.encode(encoded, ...context);
    },
    async decode(payloads, ...context) {
      let decoded = await ours.decode(payloads, ...context);
      for (const codec of first.toReversed()) decoded = await codec.decode(decoded, ...context);
      return decoded;
    },
    close: () => ours.close(),
  };
}

function mark(payloads: readonly TemporalPayload[], parts: readonly ReturnType<typeof failurePartOf>[]): void {
  for (const [i, part] of parts.entries()) {
    const payload = payloads[i];
    if (part !== undefined && payload !== undefined) markFailurePart(payload, part);
  }
}
