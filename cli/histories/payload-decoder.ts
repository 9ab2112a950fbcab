/** What decodes payloads in batches: keys on this machine, or a codec server. */
import type { Payload } from '../../codec/payload.ts';

/** What became of one payload: itself where nothing was done, or why it stays closed. */
export type Decoded = { readonly payload: Payload } | { readonly closed: string };

/** Decodes payloads. */
export interface PayloadDecoder {
  /**
   * @returns one answer for each, in order
   * @throws DecoderError when no payload can be decoded, now or by these means
   */
  decode(payloads: readonly Payload[]): Promise<readonly Decoded[]>;
  /** Batches that it takes at a time. */
  readonly concurrency: number;
  /** Zeroes keys and ends connections. */
  close(): void;
}

/** Decoding as a whole does not work. The message is one sentence for a person. */
export class DecoderError extends Error {
  override readonly name = 'DecoderError';
}
