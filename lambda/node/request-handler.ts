/**
 * What becomes of each request to the local server: CORS, the limits of size, number and time, and the pipeline's answer.
 * What the gateway does on AWS is done here in code.
 */
import { randomUUID } from 'node:crypto';
import type { Authenticator } from '../server/auth/caller.ts';
import { type CodecPipeline, type CodecResponse, HttpError } from '../server/http/message.ts';
import { type Cors, type CorsSettings, createCors, isLoopbackAddress, isLoopbackHost } from '../server/http/origin.ts';
import { bugResponse, httpErrorResponse } from '../server/http/responses.ts';
import { Admission, type AdmissionLimits, DEFAULT_ADMISSION, Gate } from './gate.ts';
import { HeldAnswers, LARGE } from './held-answers.ts';
import {
  type BodyTaker,
  type CollectedMessage,
  type CollectedResponse,
  headerValues,
  NodeRequest,
  OverdueBodies,
} from './node-request.ts';

/** What a {@link RequestHandler} is told. */
export interface RequestHandlerOptions {
  readonly pipeline: CodecPipeline;
  readonly cors: CorsSettings;
  /** Bytes of a request body; more gets a 413 without being kept. */
  readonly bodyBytes: number;
  /** Address or name to listen on. Default: both loopback addresses. */
  readonly host?: string | undefined;
  readonly admission?: AdmissionLimits;
  /** Milliseconds for a body to arrive; then 408. Default 15,000. */
  readonly bodyTimeoutMs?: number;
  /** Milliseconds in which some more of a body must arrive; then 408. Default 5,000. */
  readonly bodyStallMs?: number;
  /**
   * Who may send a body. Whoever is nobody is answered without waiting for theirs. Default: nobody is asked.
   */
  readonly authenticator?: Authenticator | undefined;
  /** Milliseconds that an answer may take, key services included. Default 9,500: the CLI gives up after ten seconds. */
  readonly answerTimeoutMs?: number;
  /** Told of what should never happen, for the log. */
  readonly onBug?: (error: unknown) => void;
  /** Told of requests that are refused before the pipeline sees them, whose audit line there is none of. */
  readonly onTurnedAway?: (request: TurnedAway) => void;
}

/** A request that never reached the pipeline, and the answer it got. */
export interface TurnedAway {
  readonly status: number;
  readonly text: string;
  /** What the `Origin` header says, whoever wrote it. */
  readonly origin: string | undefined;
  readonly requestId: string;
}

/** Milliseconds for which the rest of a refused body is read and thrown away, so that the client sees the answer. */
const DRAIN_MS = 10_000;
const EMPTY = Buffer.alloc(0);
const FOREIGN_ORIGIN = new HttpError(403, 'This origin is not allowed: add it to cors.origins in the configuration');
const BUSY = new HttpError(503, 'The server is busy: try again in a moment', { 'retry-after': '1' });

/** Answers the requests of one local server. */
export class RequestHandler implements BodyTaker {
  #stopping = false;
  /** Answers that are large, or given while the server stops, and that their clients have not taken. */
  answersOnTheirWay = 0;
  readonly #pipeline: CodecPipeline;
  readonly #cors: Cors;
  readonly #admission: Admission;
  readonly #bodyBytes: number;
  readonly #answerTimeoutMs: number;
  readonly #checkHost: boolean;
  readonly #onBug: (error: unknown) => void;
  readonly #onTurnedAway: (request: TurnedAway) => void;
  readonly #overdue: OverdueBodies;
  readonly #answers = new HeldAnswers();
  readonly #bodyTimeoutMs: number;
  readonly #bodyStallMs: number;
  readonly #gate: Gate | undefined;
  /** Requests of this turn of the event loop whose bodies are not there yet. */
  #fresh: [message: CollectedMessage, response: CollectedResponse][] = [];

  constructor(options: RequestHandlerOptions) {
    this.#pipeline = options.pipeline;
    this.#cors = createCors(options.cors);
    this.#admission = new Admission(options.admission ?? DEFAULT_ADMISSION);
    this.#bodyBytes = options.bodyBytes;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? 9_500;
    this.#checkHost = options.host === undefined || isLoopbackAddress(options.host);
    this.#onBug = options.onBug ?? (() => {});
    this.#onTurnedAway = options.onTurnedAway ?? (() => {});
    this.#bodyTimeoutMs = options.bodyTimeoutMs ?? 15_000;
    this.#bodyStallMs = Math.min(options.bodyStallMs ?? 5_000, this.#bodyTimeoutMs);
    this.#gate = options.authenticator && new Gate(options.authenticator, options.cors.origins);
    this.#overdue = new OverdueBodies(this.#bodyStallMs, (message) => {
      const response = message.discard();
      if (response === undefined) return;
      const limits = `${this.#bodyTimeoutMs / 1000} seconds, or paused for ${this.#bodyStallMs / 1000}`;
      this.#abandon(message, response, new HttpError(408, `The request body did not arrive within ${limits}`));
    });
  }

  /** From now on every answer ends its connection. */
  stop(): void {
    this.#stopping = true;
    this.#answers.release();
  }

  handle(message: CollectedMessage, response: CollectedResponse): void {
    if (this.#checkHost && !isLoopbackHost(headerValues(message.rawHeaders, 'host')[0])) {
      this.#refuse(message, response, new HttpError(403, 'This server answers to localhost only'));
    } else if (message.method === 'OPTIONS') this.#preflight(message, response);
    else if (!this.#enter()) this.#refuse(message, response, BUSY);
    else this.#readBody(message, response);
  }

  /** Nobody is turned away for the sake of those who may not send a body. */
  #enter(): boolean {
    if (this.#admission.enter()) return true;
    this.#checkFresh();
    return this.#admission.enter();
  }

  #preflight(message: CollectedMessage, response: CollectedResponse): void {
    const headers = this.#cors.preflightHeaders(originOf(message));
    if (headers === undefined) this.#refuse(message, response, FOREIGN_ORIGIN);
    else this.#answers.end(response.writeHead(204, headers as string[]), '', 'latin1');
  }

  /** Has the body collected; every way out leaves the admission exactly once. */
  #readBody(message: CollectedMessage, response: CollectedResponse): void {
    const announced = headerValues(message.rawHeaders, 'content-length')[0];
    if (announced !== undefined && Number(announced) > this.#bodyBytes) {
      this.#abandon(message, response, this.#tooLarge());
      return;
    }
    message.collect(this, response);
    this.#overdue.add(message);
    if (this.#gate !== undefined && this.#fresh.push([message, response]) === 1) setImmediate(() => this.#checkFresh());
  }

  /** Whoever has not sent a whole body by the end of the turn is looked at before it is waited for. */
  #checkFresh(): void {
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const [message, response] of fresh) if (message.isCollecting) this.#check(message, response);
  }

  #check(message: CollectedMessage, response: CollectedResponse): void {
    const request = new NodeRequest(message, EMPTY, Date.now() + this.#answerTimeoutMs);
    const decide = (admitted: boolean | 'busy' | undefined): void => {
      if (admitted === true || !message.isCollecting) return;
      message.discard();
      if (admitted === 'busy') {
        this.#abandon(message, response, BUSY);
        return;
      }
      this.complete(message, response, EMPTY, message.kept);
      this.#drain(message);
    };
    const admitted = this.#gate?.admits(request, message.socket.remoteAddress ?? '');
    if (admitted instanceof Promise) void admitted.then(decide);
    else decide(admitted);
  }

  arrives(message: CollectedMessage, response: CollectedResponse, bytes: number): boolean {
    this.#overdue.delete(message);
    message.since = Math.min(performance.now(), message.startedAt + this.#bodyTimeoutMs - this.#bodyStallMs);
    this.#overdue.add(message);
    if (message.kept + bytes > this.#bodyBytes) this.#abandon(message, response, this.#tooLarge());
    else if (!this.#admission.add(bytes)) this.#abandon(message, response, BUSY);
    else return true;
    return false;
  }

  lost(message: CollectedMessage): void {
    this.#overdue.delete(message);
    this.#admission.leave(message.kept);
  }

  /** @param held bytes that were kept for the request; those of the body unless it is answered without it */
  complete(message: CollectedMessage, response: CollectedResponse, body: Buffer, held = body.length): void {
    this.#overdue.delete(message);
    this.#answers.releaseBeforeLarge(body.length);
    void this.#answer(message, response, body, held);
  }

  async #answer(message: CollectedMessage, response: CollectedResponse, body: Buffer, held: number): Promise<void> {
    const origin = originOf(message);
    try {
      const request = new NodeRequest(message, body, Date.now() + this.#answerTimeoutMs);
      this.#send(response, await this.#pipeline(request), origin, held);
    } catch (error) {
      this.#bug(response, error, origin, held);
    }
  }

  #abandon(message: CollectedMessage, response: CollectedResponse, refusal: HttpError): void {
    this.#overdue.delete(message);
    this.#admission.leave(message.kept);
    this.#refuse(message, response, refusal);
  }

  #tooLarge(): HttpError {
    return new HttpError(
      413,
      `The request body is larger than ${this.#bodyBytes} bytes: send fewer payloads at a time`,
    );
  }

  #send(
    response: CollectedResponse,
    { status, headers, cookies, body }: CodecResponse,
    origin: string | undefined,
    held: number,
  ): void {
    const raw: string[] = [...this.#cors.headersFor(origin)];
    for (const name in headers) raw.push(name, headers[name] as string);
    if (cookies !== undefined) for (const cookie of cookies) raw.push('set-cookie', cookie);
    const length = Buffer.byteLength(body);
    raw.push('content-length', String(length));
    if (this.#stopping) raw.push('connection', 'close');
    if (length >= LARGE || this.#stopping) this.#watch(response, held, length);
    else this.#admission.leave(held);
    // A text as long as its bytes is ASCII, which Node writes without converting it.
    response.writeHead(status, raw);
    this.#answers.end(response, body, length === body.length ? 'latin1' : 'utf8');
  }

  /** Counts an answer until its client has taken it, or is gone. */
  #watch(response: CollectedResponse, held: number, length: number): void {
    const { socket } = response.req;
    this.#admission.exchange(held, length);
    this.answersOnTheirWay++;
    let isOnItsWay = true;
    const left = (): void => {
      if (!isOnItsWay) return;
      isOnItsWay = false;
      socket.off('close', left);
      this.answersOnTheirWay--;
      this.#admission.leave(length);
    };
    if (socket.destroyed) left();
    response.once('close', left);
    // A response behind another on its connection never hears of the end.
    socket.once('close', left);
  }

  /** The pipeline never fails; should it, the caller learns nothing and the log the error. */
  #bug(response: CollectedResponse, error: unknown, origin: string | undefined, held: number): void {
    this.#onBug(error);
    this.#send(response, bugResponse(randomUUID()), origin, held);
  }

  /**
   * Answers without the pipeline and gives the connection up: whatever body is still on its way is
   * thrown away for a moment, since a client that is cut off while sending never reads the answer.
   */
  #refuse(message: CollectedMessage, response: CollectedResponse, refusal: HttpError): void {
    const { status, message: text } = refusal;
    const requestId = randomUUID();
    const origin = originOf(message);
    this.#onTurnedAway({ status, text, origin, requestId });
    const { headers, body } = httpErrorResponse(refusal, requestId);
    const raw: string[] = [...this.#cors.headersFor(origin), ...Object.entries(headers).flat()];
    raw.push('content-length', String(Buffer.byteLength(body)));
    // With a promise to close, Node would close at once, and a client that still sends never reads the answer.
    const isSending = !message.complete && status !== 408;
    if (!isSending) raw.push('connection', 'close');
    response.writeHead(status, raw).end(body);
    if (isSending) this.#drain(message);
  }

  #drain(message: CollectedMessage): void {
    const { socket } = message;
    setTimeout(() => {
      if (!message.complete) socket.destroy();
    }, DRAIN_MS).unref();
  }
}

function originOf(message: CollectedMessage): string | undefined {
  return headerValues(message.rawHeaders, 'origin')[0];
}
