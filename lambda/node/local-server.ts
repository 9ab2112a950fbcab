/**
 * The pipeline behind `node:http`, for a developer's own machine and for whoever runs the server
 * without AWS. What the gateway does on AWS is done here in code: CORS, size and time limits, TLS.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, Server as NetServer } from 'node:net';
import type { Authenticator } from '../server/auth/caller.ts';
import { type CodecPipeline, type CodecResponse, HttpError } from '../server/http/message.ts';
import { type Cors, type CorsSettings, createCors, isLoopbackAddress, isLoopbackHost } from '../server/http/origin.ts';
import { bugResponse, httpErrorResponse } from '../server/http/responses.ts';
import { answerClientError } from './client-error.ts';
import { type BodyTaker, CollectedMessage, type CollectedResponse } from './collected-message.ts';
import { Admission, type AdmissionLimits, DEFAULT_ADMISSION, Gate } from './gate.ts';
import { HeldAnswers, LARGE } from './held-answers.ts';
import { headerValues, NodeRequest } from './node-request.ts';
import { OverdueBodies } from './overdue.ts';

/** How a local server runs. */
export interface LocalServerOptions {
  readonly pipeline: CodecPipeline;
  readonly cors: CorsSettings;
  /** Bytes of a request body; more gets a 413 without being kept. */
  readonly bodyBytes: number;
  /** Address or name to listen on. Default: both loopback addresses. */
  readonly host?: string | undefined;
  /** 0 takes any free one. */
  readonly port: number;
  /** PEM texts; with them it speaks https only. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly admission?: AdmissionLimits;
  /** Milliseconds for a body to arrive; then 408. Default 15,000. */
  readonly bodyTimeoutMs?: number;
  /** Milliseconds in which some more of a body must arrive; then 408. Default 5,000. */
  readonly bodyStallMs?: number;
  /**
   * Who may send a body. Whoever is nobody is answered without waiting for theirs. Default: nobody is asked.
   */
  readonly authenticator?: Authenticator | undefined;
  /** Milliseconds in which a client must take some of its answer. Default 30,000. */
  readonly stallMs?: number;
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

/** A running server. */
export interface LocalServer {
  readonly port: number;
  /** Where it listens, such as `http://127.0.0.1:8888`. */
  readonly addresses: readonly string[];
  /** Takes no new requests, finishes those in flight, and resolves when the last one is answered or `graceMs` is over. */
  close(graceMs?: number): Promise<void>;
}

const LOOPBACK = ['127.0.0.1', '::1'];
/** Milliseconds for which the rest of a refused body is read and thrown away, so that the client sees the answer. */
const DRAIN_MS = 10_000;
/** Milliseconds after which a client that takes no byte of its answer, or asks nothing on a new connection, is cut off. */
const STALL_MS = 30_000;
/** Milliseconds between two looks for connections that can be closed, once the server stops. */
const SWEEP_MS = 20;
const EMPTY = Buffer.alloc(0);
const BUSY = 'The server is busy: try again in a moment';

/**
 * Starts the server.
 *
 * @throws Error with Node's `code` (`EADDRINUSE`, `EACCES`, …) when it cannot listen
 */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const handler = new RequestHandler(options);
  const servers: Server[] = [];
  let { port } = options;
  try {
    for (const host of options.host === undefined ? LOOPBACK : [options.host]) {
      const server = newServer(options, handler);
      if (!(await listen(server, host, port, options.host === undefined && host === '::1'))) continue;
      servers.push(server);
      port = (server.address() as AddressInfo).port;
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  const scheme = options.tls === undefined ? 'http' : 'https';
  return {
    port,
    addresses: servers.map((server) => {
      const { address, family } = server.address() as AddressInfo;
      return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
    }),
    close: async (graceMs = 10_000) => {
      handler.stop();
      await Promise.all(servers.map((server) => closeServer(server, handler, graceMs)));
    },
  };
}

function newServer({ tls, stallMs = STALL_MS }: LocalServerOptions, handler: RequestHandler): Server {
  const settings = {
    keepAliveTimeout: 65_000,
    headersTimeout: 10_000,
    requestTimeout: 60_000,
    connectionsCheckingInterval: 5_000,
    noDelay: true,
    IncomingMessage: CollectedMessage,
  };
  const listener = (message: CollectedMessage, response: CollectedResponse) => handler.handle(message, response);
  const server =
    tls === undefined ? createServer(settings, listener) : createHttpsServer({ ...settings, ...tls }, listener);
  server.on('clientError', answerClientError);
  return server.setTimeout(stallMs);
}

/** Resolves to false where `optional` and the machine has no such address. */
function listen(server: Server, host: string, port: number, optional: boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (optional && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT')) resolve(false);
      else reject(error);
    });
    server.listen(port, host, () => resolve(true));
  });
}

/**
 * Ends the listening, and every connection once nothing is on its way on it. Node's own `close` takes
 * a connection for idle whose answer is written and has not left, and looks for idle ones but once.
 */
function closeServer(server: Server, handler: RequestHandler, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const grace = setTimeout(() => server.closeAllConnections(), graceMs);
    const sweep = setInterval(() => {
      if (handler.answersOnTheirWay === 0) server.close();
    }, SWEEP_MS);
    NetServer.prototype.close.call(server, () => {
      clearTimeout(grace);
      clearInterval(sweep);
      resolve();
    });
  });
}

class RequestHandler implements BodyTaker {
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
  readonly #overdue: OverdueBodies<CollectedMessage>;
  readonly #answers = new HeldAnswers();
  readonly #bodyTimeoutMs: number;
  readonly #bodyStallMs: number;
  readonly #gate: Gate | undefined;
  /** Requests of this turn of the event loop whose bodies are not there yet. */
  #fresh: [message: CollectedMessage, response: CollectedResponse][] = [];

  constructor(options: LocalServerOptions) {
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
      this.#abandon(message, response, 408, `The request body did not arrive within ${limits}`);
    });
  }

  /** From now on every answer ends its connection. */
  stop(): void {
    this.#stopping = true;
    this.#answers.release();
  }

  handle(message: CollectedMessage, response: CollectedResponse): void {
    if (this.#checkHost && !isLoopbackHost(headerValues(message.rawHeaders, 'host')[0])) {
      this.#refuse(message, response, 403, 'This server answers to localhost only');
    } else if (message.method === 'OPTIONS') this.#preflight(message, response);
    else if (!this.#enter()) this.#refuse(message, response, 503, BUSY, '1');
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
    if (headers === undefined)
      this.#refuse(message, response, 403, 'This origin is not allowed: add it to cors.origins in the configuration');
    else this.#answers.end(response.writeHead(204, headers as string[]), '', 'latin1');
  }

  /** Has the body collected; every way out leaves the admission exactly once. */
  #readBody(message: CollectedMessage, response: CollectedResponse): void {
    const announced = headerValues(message.rawHeaders, 'content-length')[0];
    if (announced !== undefined && Number(announced) > this.#bodyBytes) {
      this.#abandon(message, response, 413, this.#tooLarge());
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
        this.#abandon(message, response, 503, BUSY, '1');
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
    if (message.kept + bytes > this.#bodyBytes) this.#abandon(message, response, 413, this.#tooLarge());
    else if (!this.#admission.add(bytes)) this.#abandon(message, response, 503, BUSY, '1');
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

  #abandon(
    message: CollectedMessage,
    response: CollectedResponse,
    status: number,
    text: string,
    retryAfter?: string,
  ): void {
    this.#overdue.delete(message);
    this.#admission.leave(message.kept);
    this.#refuse(message, response, status, text, retryAfter);
  }

  #tooLarge(): string {
    return `The request body is larger than ${this.#bodyBytes} bytes: send fewer payloads at a time`;
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
  #refuse(
    message: CollectedMessage,
    response: CollectedResponse,
    status: number,
    text: string,
    retryAfter?: string,
  ): void {
    const more = retryAfter === undefined ? undefined : { 'retry-after': retryAfter };
    const requestId = randomUUID();
    const origin = originOf(message);
    this.#onTurnedAway({ status, text, origin, requestId });
    const { headers, body } = httpErrorResponse(new HttpError(status, text, more), requestId);
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
