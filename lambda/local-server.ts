/**
 * The pipeline behind `node:http`, for a developer's own machine and for whoever runs the server
 * without AWS. What the gateway does on AWS is done here in code: CORS, size and time limits, TLS.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Cors, type CorsSettings, createCors, type RawHeaders } from './http/cors.ts';
import { isLoopbackAddress, isLoopbackHost } from './http/host.ts';
import type { CodecPipeline, CodecResponse } from './http/message.ts';
import { Admission, type AdmissionLimits, DEFAULT_ADMISSION } from './local/admission.ts';
import { NodeRequest } from './local/node-request.ts';

/** How a local server runs. */
export interface LocalServerOptions {
  readonly pipeline: CodecPipeline;
  readonly cors: CorsSettings;
  /** Bytes of a request body; more is answered 413 without being kept. */
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
  /** Milliseconds that an answer may take, key services included. Default 9,500: the CLI gives up after ten seconds. */
  readonly answerTimeoutMs?: number;
  /** Told of what should never happen, for the log. */
  readonly onBug?: (error: unknown) => void;
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
const DRAIN_MS = 2000;
const SECURITY_HEADERS: RawHeaders = ['cache-control', 'no-store', 'x-content-type-options', 'nosniff'];

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
      handler.closing = true;
      await Promise.all(servers.map((server) => closeServer(server, graceMs)));
    },
  };
}

function newServer({ tls }: LocalServerOptions, handler: RequestHandler): Server {
  const settings = {
    keepAliveTimeout: 65_000,
    headersTimeout: 10_000,
    requestTimeout: 60_000,
    connectionsCheckingInterval: 5_000,
    noDelay: true,
  };
  const listener = (message: IncomingMessage, response: ServerResponse) => handler.handle(message, response);
  return tls === undefined ? createServer(settings, listener) : createHttpsServer({ ...settings, ...tls }, listener);
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

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

class RequestHandler {
  closing = false;
  readonly #pipeline: CodecPipeline;
  readonly #cors: Cors;
  readonly #admission: Admission;
  readonly #bodyBytes: number;
  readonly #bodyTimeoutMs: number;
  readonly #answerTimeoutMs: number;
  readonly #checkHost: boolean;
  readonly #onBug: (error: unknown) => void;

  constructor(options: LocalServerOptions) {
    this.#pipeline = options.pipeline;
    this.#cors = createCors(options.cors);
    this.#admission = new Admission(options.admission ?? DEFAULT_ADMISSION);
    this.#bodyBytes = options.bodyBytes;
    this.#bodyTimeoutMs = options.bodyTimeoutMs ?? 15_000;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? 9_500;
    this.#checkHost = options.host === undefined || isLoopbackAddress(options.host);
    this.#onBug = options.onBug ?? (() => {});
  }

  handle(message: IncomingMessage, response: ServerResponse): void {
    if (this.#checkHost && !isLoopbackHost(message.headers.host)) {
      this.#refuse(message, response, 403, 'This server answers to localhost only.');
    } else if (message.method === 'OPTIONS') this.#preflight(message, response);
    else if (!this.#admission.enter()) this.#refuseForNow(message, response);
    else this.#readBody(message, response);
  }

  #preflight(message: IncomingMessage, response: ServerResponse): void {
    const headers = this.#cors.preflightHeaders(message.headers.origin);
    if (headers === undefined) this.#refuse(message, response, 403, 'This origin is not allowed.');
    else response.writeHead(204, headers as string[]).end();
  }

  /** Collects the body; every way out leaves the admission exactly once. */
  #readBody(message: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    let length = 0;
    let reading = true;
    const stop = (): boolean => {
      const was = reading;
      reading = false;
      clearTimeout(timer);
      return was;
    };
    const abandon = (status: number, text: string, retryAfter?: string): void => {
      if (!stop()) return;
      this.#admission.leave(length);
      this.#refuse(message, response, status, text, retryAfter);
    };
    const timer = setTimeout(
      () => abandon(408, `The request body did not arrive within ${this.#bodyTimeoutMs / 1000} seconds.`),
      this.#bodyTimeoutMs,
    );
    const tooLarge = `The request body is larger than ${this.#bodyBytes} bytes: send fewer payloads at a time.`;
    if (Number(message.headers['content-length'] ?? 0) > this.#bodyBytes) {
      abandon(413, tooLarge);
      return;
    }
    message.on('data', (chunk: Buffer) => {
      if (!reading) return;
      if (length + chunk.length > this.#bodyBytes) abandon(413, tooLarge);
      else if (!this.#admission.add(chunk.length)) abandon(503, 'The server is busy. Try again in a moment.', '1');
      else {
        length += chunk.length;
        chunks.push(chunk);
      }
    });
    message.on('end', () => {
      if (!stop()) return;
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
      this.#answer(message, response, body);
    });
    message.on('close', () => {
      if (stop()) this.#admission.leave(length);
    });
  }

  #answer(message: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const { origin } = message.headers;
    try {
      const answer = this.#pipeline(new NodeRequest(message, body, Date.now() + this.#answerTimeoutMs));
      if (answer instanceof Promise) {
        answer.then(
          (settled) => this.#send(response, settled, origin, body.length),
          (error) => this.#bug(response, error, origin, body.length),
        );
      } else this.#send(response, answer, origin, body.length);
    } catch (error) {
      this.#bug(response, error, origin, body.length);
    }
  }

  #send(
    response: ServerResponse,
    { status, headers, body }: CodecResponse,
    origin: string | undefined,
    held: number,
  ): void {
    this.#admission.leave(held);
    const raw: string[] = [...this.#cors.headersFor(origin)];
    for (const name in headers) raw.push(name, headers[name] as string);
    raw.push('content-length', String(Buffer.byteLength(body)));
    if (this.closing) raw.push('connection', 'close');
    response.writeHead(status, raw).end(body);
  }

  /** The pipeline never fails; should it, the caller learns nothing and the log the error. */
  #bug(response: ServerResponse, error: unknown, origin: string | undefined, held: number): void {
    this.#onBug(error);
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
    this.#send(response, { status: 500, headers, body: 'Internal error.' }, origin, held);
  }

  #refuseForNow(message: IncomingMessage, response: ServerResponse): void {
    this.#refuse(message, response, 503, 'The server is busy. Try again in a moment.', '1');
  }

  /**
   * Answers without the pipeline and gives the connection up: whatever body is still on its way is
   * thrown away for a moment, since a client that is cut off while sending never reads the answer.
   */
  #refuse(message: IncomingMessage, response: ServerResponse, status: number, text: string, retryAfter?: string): void {
    const raw: string[] = [...this.#cors.headersFor(message.headers.origin), ...SECURITY_HEADERS];
    raw.push('content-type', 'text/plain; charset=utf-8', 'content-length', String(Buffer.byteLength(text)));
    raw.push('connection', 'close');
    if (retryAfter !== undefined) raw.push('retry-after', retryAfter);
    response.writeHead(status, raw).end(text);
    if (message.complete) return;
    const timer = setTimeout(() => message.socket.destroy(), DRAIN_MS).unref();
    message.on('close', () => clearTimeout(timer));
    message.resume();
  }
}
