/**
 * A `node:http` request that hands its body over as the parser delivers it, instead of being read as
 * a stream: with the listeners, events and callbacks of a stream, the server spent 7 % more CPU on a small
 * request of sixteen connections that were kept alive, and 2.5 % more on one connection.
 *
 * `push` is how Node's parser gives a message its body, and `null` its end; `IncomingMessage` is an
 * option of `createServer` so that a class may extend it.
 */
import { randomUUID } from 'node:crypto';
import { IncomingMessage, type ServerResponse } from 'node:http';
import type { CodecRequest } from '../server/http/message.ts';

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

export class CollectedMessage extends IncomingMessage {
  /** Bytes of body kept so far. */
  kept = 0;
  /** When {@link collect} was called, in milliseconds of `performance.now()`. */
  startedAt = 0;
  /** When some of the body arrived last. */
  since = 0;
  /** The links and the mark are for {@link OverdueBodies} alone. */
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

/**
 * One timer for all bodies that are on their way. A timer each would be made and cleared with every
 * request, and nearly no body is ever late. Messages are linked to one another: entering each into a
 * set and taking it out again was more than a hundredth of the work for a small request.
 */
export class OverdueBodies {
  readonly #limitMs: number;
  readonly #onOverdue: (message: CollectedMessage) => void;
  /** The ends of a list in the order in which messages began, so that the first is the first to be late. */
  #first: CollectedMessage | undefined;
  #last: CollectedMessage | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param limitMs milliseconds that a body may take */
  constructor(limitMs: number, onOverdue: (message: CollectedMessage) => void) {
    this.#limitMs = limitMs;
    this.#onOverdue = onOverdue;
  }

  /** Waits for a message that nothing waits for yet. */
  add(message: CollectedMessage): void {
    message.isWaiting = true;
    message.previous = this.#last;
    if (this.#last === undefined) this.#first = message;
    else this.#last.next = message;
    this.#last = message;
    this.#timer ??= this.#wake(this.#limitMs);
  }

  /** Waits for it no longer, if anything did. */
  delete(message: CollectedMessage): void {
    if (!message.isWaiting) return;
    const { previous, next } = message;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    message.isWaiting = false;
    message.previous = undefined;
    message.next = undefined;
  }

  #wake(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#check(), ms).unref();
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let message = this.#first; message !== undefined; message = this.#first) {
      const left = message.since + this.#limitMs - now;
      if (left > 0) {
        this.#timer = this.#wake(Math.ceil(left));
        return;
      }
      this.delete(message);
      this.#onOverdue(message);
    }
  }
}

const NONE: readonly string[] = [];

/** A `node:http` request as the pipeline sees it. */
export class NodeRequest implements CodecRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: Uint8Array;
  readonly deadline: number;
  readonly requestId: string = randomUUID();
  readonly sourceAddress: string | undefined;
  readonly #rawHeaders: readonly string[];

  constructor(message: IncomingMessage, body: Uint8Array, deadline: number) {
    const url = message.url ?? '/';
    const mark = url.indexOf('?');
    this.method = message.method ?? '';
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? '' : url.slice(mark + 1);
    this.body = body;
    this.sourceAddress = message.socket?.remoteAddress;
    this.deadline = deadline;
    this.#rawHeaders = message.rawHeaders;
  }

  header(name: string): readonly string[] {
    return headerValues(this.#rawHeaders, name);
  }
}

/**
 * All values of a header, in order. Node's own `headers` would silently drop the second
 * `Authorization`, and sorts all of them into an object first.
 *
 * @param raw names and values in turn
 * @param name in lower case
 */
export function headerValues(raw: readonly string[], name: string): readonly string[] {
  let first: string | undefined;
  let values: string[] | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const candidate = raw[i] as string;
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
    const value = raw[i + 1] as string;
    if (first === undefined) first = value;
    else if (values === undefined) values = [first, value];
    else values.push(value);
  }
  if (first === undefined) return NONE;
  return values ?? [first];
}
