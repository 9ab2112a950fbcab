/**
 * How much a server takes on at a time. Above that a request is refused at once: a queue would only
 * make everyone wait and then fail.
 */

/** Bounds of what is in flight. */
export interface AdmissionLimits {
  /** Bytes of request bodies held in memory. */
  readonly bytes: number;
  /** Requests that have not been answered. */
  readonly requests: number;
}

/**
 * Bodies are held twice to six times while a request is decoded, but only one request is decoded at a
 * time: what counts is the sum of the bodies waiting, and of the answers that clients have not taken.
 */
export const DEFAULT_ADMISSION: AdmissionLimits = { bytes: 128 * 1024 * 1024, requests: 2000 };

/** Counts what is in flight. */
export class Admission {
  readonly #limits: AdmissionLimits;
  #bytes = 0;
  #requests = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get requests(): number {
    return this.#requests;
  }

  /** Lets a request in, or not. Whoever is let in {@link leave}s with all the bytes it added. */
  enter(): boolean {
    if (this.#requests >= this.#limits.requests) return false;
    this.#requests++;
    return true;
  }

  /** Takes more bytes on for a request, or not. A request that is alone may have any number. */
  add(bytes: number): boolean {
    if (this.#bytes + bytes > this.#limits.bytes && this.#requests > 1) return false;
    this.#bytes += bytes;
    return true;
  }

  /** The request is answered, and holds the bytes of the answer instead, until it {@link leave}s with these. */
  exchange(bytes: number, answerBytes: number): void {
    this.#bytes += answerBytes - bytes;
  }

  leave(bytes: number): void {
    this.#requests--;
    this.#bytes -= bytes;
  }
}
