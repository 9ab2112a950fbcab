/**
 * Who may send a body. A pipeline decides about a whole request; whoever sends the head of one and
 * then takes their time must not hold a place that others need, so the decisions that need no body are
 * made beforehand for those whose body is not there yet.
 */
import { type Authenticator, UnauthenticatedError } from '../server/auth/caller.ts';
import { type CodecRequest, HttpError } from '../server/http/message.ts';
import { allowedOrigin } from '../server/http/origin.ts';
import { requireJson, routeOf } from '../server/http/route.ts';

/** Callers of one address whose identity may be asked for at a time. */
const MOST_UNKNOWN_PER_PEER = 16;

export class Gate {
  readonly #authenticator: Authenticator;
  readonly #origins: ReadonlySet<string>;
  readonly #unknown = new Map<string, number>();

  constructor(authenticator: Authenticator, origins: readonly string[]) {
    this.#authenticator = authenticator;
    this.#origins = new Set(origins);
  }

  /**
   * Whether the body of a request is worth waiting for; if not, the pipeline has its answer without one.
   * `busy`: too many of this address wait to be recognized.
   *
   * @param peer the address it comes from
   */
  admits(request: CodecRequest, peer: string): boolean | 'busy' | Promise<boolean> {
    try {
      const { operation } = routeOf(request.path);
      const takesBody = operation === 'decode' || operation === 'encode' || operation === 'download';
      if (!takesBody || request.method !== 'POST') return false;
      const origin = allowedOrigin(request.header('origin'), this.#origins);
      requireJson(request.header('content-type'), request.header('content-encoding'));
      const caller = this.#authenticator.authenticate({
        authorization: request.header('authorization'),
        authorizationExtras: request.header('authorization-extras'),
        cookie: origin === undefined ? [] : request.header('cookie'),
      });
      return caller instanceof Promise ? this.#whenKnown(caller, peer) : true;
    } catch (error) {
      return this.#refused(error);
    }
  }

  #whenKnown(caller: Promise<unknown>, peer: string): 'busy' | Promise<boolean> {
    const waiting = this.#unknown.get(peer) ?? 0;
    if (waiting >= MOST_UNKNOWN_PER_PEER) {
      caller.catch(() => {});
      return 'busy';
    }
    this.#unknown.set(peer, waiting + 1);
    return caller
      .then(
        () => true,
        (error) => this.#refused(error),
      )
      .finally(() => {
        const left = (this.#unknown.get(peer) ?? 1) - 1;
        if (left === 0) this.#unknown.delete(peer);
        else this.#unknown.set(peer, left);
      });
  }

  /** The pipeline has words for a refusal; what is none is its business, too, once the body is there. */
  #refused(error: unknown): boolean {
    return !(error instanceof HttpError || error instanceof UnauthenticatedError);
  }
}

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
