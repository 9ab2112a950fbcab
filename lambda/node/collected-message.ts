/**
 * A `node:http` request that hands its body over as the parser delivers it, instead of being read as
 * a stream: a stream gives a body of one packet back two turns of the event loop later, and the
 * listeners, events and callbacks on the way cost as much as decoding what is in it.
 *
 * `push` is how Node's parser gives a message its body, and `null` its end; `IncomingMessage` is an
 * option of `createServer` so that a class may extend it.
 */
import { IncomingMessage, type ServerResponse } from 'node:http';
import type { Waiting } from './overdue.ts';

/** The response to a {@link CollectedMessage}. */
export type CollectedResponse = ServerResponse<CollectedMessage>;

/** Takes the body of a message. */
export interface BodyTaker {
  /** More of it is there. @returns whether to keep it; false throws away what was kept and what follows */
  arrives(message: CollectedMessage, response: CollectedResponse, bytes: number): boolean;
  complete(message: CollectedMessage, response: CollectedResponse, body: Buffer): void;
  /** It will never be complete: the client is gone. */
  lost(message: CollectedMessage): void;
}

const EMPTY = Buffer.alloc(0);

export class CollectedMessage extends IncomingMessage implements Waiting<CollectedMessage> {
  /** Bytes of body kept so far. */
  kept = 0;
  /** When {@link collect} was called, in milliseconds of `performance.now()`. */
  startedAt = 0;
  /** When some of the body arrived last. */
  since = 0;
  previous: CollectedMessage | undefined = undefined;
  next: CollectedMessage | undefined = undefined;
  isWaiting = false;
  #taker: BodyTaker | undefined;
  #response: CollectedResponse | undefined;
  #first: Buffer = EMPTY;
  #more: Buffer[] | undefined;

  /** Keeps the body for `taker`; without this call it is thrown away as it arrives. */
  collect(taker: BodyTaker, response: CollectedResponse): void {
    this.#taker = taker;
    this.#response = response;
    this.startedAt = performance.now();
    this.since = this.startedAt;
  }

  /** Whether the body is still on its way to a taker. */
  get isCollecting(): boolean {
    return this.#taker !== undefined;
  }

  /** Throws away what is kept and what is still to come. @returns the response; undefined when nothing was being collected */
  discard(): CollectedResponse | undefined {
    const response = this.#response;
    this.#taker = undefined;
    this.#response = undefined;
    this.#first = EMPTY;
    this.#more = undefined;
    return response;
  }

  override push(chunk: Buffer | null): boolean {
    const taker = this.#taker;
    const response = this.#response;
    if (taker === undefined || response === undefined) return true;
    if (chunk === null) {
      const body = this.#more === undefined ? this.#first : Buffer.concat(this.#more, this.kept);
      this.discard();
      taker.complete(this, response, body);
    } else if (taker.arrives(this, response, chunk.length)) this.#keep(chunk);
    else this.discard();
    return true;
  }

  #keep(chunk: Buffer): void {
    if (this.kept === 0) this.#first = chunk;
    else if (this.#more === undefined) this.#more = [this.#first, chunk];
    else this.#more.push(chunk);
    this.kept += chunk.length;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const taker = this.#taker;
    this.discard();
    taker?.lost(this);
    super._destroy(error, callback);
  }
}
