/** What decodes payloads in batches: keys on this machine, or a codec server. */

import { setTimeout } from 'node:timers/promises';
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

// Waits, and stops waiting when somebody says so.

/**
 * @param ms milliseconds
 * @returns early, without an error, when the signal is given
 */
export async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  }
}

// Puts payloads together into batches, across documents: what takes time is the call, not the payload.

/** Payloads of a batch: what a codec server on Lambda takes. */
const MAX_PAYLOADS = 1_000;
/** Payloads of the first batch; each further one has twice as many, so that who decodes starts while we still read. */
const FIRST_PAYLOADS = 100;
/** Bytes of a batch; base64 and JSON make a third more of them, and Lambda takes 4 MB. */
const MAX_BYTES = 2_250_000;
/** Bytes around the data of a payload, as JSON. */
const OVERHEAD = 300;

/** Payloads that somebody wants back together. */
interface Wanted {
  readonly decoded: Decoded[];
  left: number;
  readonly resolve: (decoded: readonly Decoded[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Waiting {
  readonly payload: Payload;
  readonly wanted: Wanted;
  readonly index: number;
}

/** Collects payloads and hands them on in batches. */
export class Batcher {
  readonly #decoder: PayloadDecoder;
  #batch: Waiting[] = [];
  #bytes = 0;
  #full = FIRST_PAYLOADS;
  readonly #ready: Waiting[][] = [];
  #running = 0;
  #draining = false;
  /** Calls that were made. */
  calls = 0;

  constructor(decoder: PayloadDecoder) {
    this.#decoder = decoder;
  }

  /**
   * @returns one answer for each, in order
   * @throws whatever the decoder throws for a batch that one of them is in
   */
  decode(payloads: readonly Payload[]): Promise<readonly Decoded[]> {
    return new Promise((resolve, reject) => {
      const { length } = payloads;
      if (length === 0) return resolve([]);
      const wanted = { decoded: new Array<Decoded>(length), left: length, resolve, reject };
      for (const [index, payload] of payloads.entries()) this.#add({ payload, wanted, index });
      if (this.#draining) this.#flushSoon();
    });
  }

  #add(waiting: Waiting): void {
    const bytes = waiting.payload.data.length + OVERHEAD;
    if (this.#bytes + bytes > MAX_BYTES) this.#close();
    this.#batch.push(waiting);
    this.#bytes += bytes;
    if (this.#batch.length === this.#full) {
      this.#full = Math.min(2 * this.#full, MAX_PAYLOADS);
      this.#close();
    }
  }

  /** Nothing more comes for now, so a batch that is not full goes when no other is on its way; until {@link fill}. */
  drain(): void {
    this.#draining = true;
    this.#flushSoon();
  }

  /** Nothing more comes but what answers give rise to. */
  finish(): void {
    this.#close();
    this.drain();
  }

  /** More comes: batches are filled again. */
  fill(): void {
    this.#draining = false;
  }

  /** When everything that the last answers gave rise to has been added. */
  #flushSoon(): void {
    setImmediate(() => {
      if (this.#draining && this.#running === 0) this.#close();
    });
  }

  #close(): void {
    if (this.#batch.length === 0) return;
    this.#ready.push(this.#batch);
    this.#batch = [];
    this.#bytes = 0;
    this.#start();
  }

  #start(): void {
    while (this.#running < this.#decoder.concurrency) {
      const batch = this.#ready.shift();
      if (batch === undefined) break;
      this.#running++;
      void this.#run(batch);
    }
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    this.calls++;
    try {
      const decoded = await this.#decoder.decode(batch.map(({ payload }) => payload));
      for (const [i, { wanted, index }] of batch.entries()) {
        wanted.decoded[index] = decoded[i] as Decoded;
        if (--wanted.left === 0) wanted.resolve(wanted.decoded);
      }
    } catch (error) {
      for (const { wanted } of batch) wanted.reject(error);
    } finally {
      this.#running--;
      this.#start();
      if (this.#draining) this.#flushSoon();
    }
  }
}
