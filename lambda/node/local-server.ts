/**
 * The pipeline behind `node:http`, for a developer's own machine and for whoever runs the server
 * without AWS: where it listens, TLS, the connections, and how it ends.
 */
import { createServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { CollectedMessage, type CollectedResponse } from './node-request.ts';
import { RequestHandler, type RequestHandlerOptions } from './request-handler.ts';

/** How a local server runs. */
export interface LocalServerOptions extends RequestHandlerOptions {
  /** 0 takes any free one. */
  readonly port: number;
  /** PEM texts; with them it speaks https only. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Milliseconds in which a client must take some of its answer. Default 30,000. */
  readonly stallMs?: number;
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
/** Milliseconds after which a client that takes no byte of its answer, or asks nothing on a new connection, is cut off. */
const STALL_MS = 30_000;
/** Milliseconds between two looks for connections that can be closed, once the server stops. */
const SWEEP_MS = 20;

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

// What becomes of bytes that are not a request: an answer all the same, and an end.

/** Milliseconds for which the rest is read and thrown away, so that the client sees the answer. */
const DRAIN_MS = 2_000;

/** What Node's parser makes of a request that it cannot take, by the code of its error. */
const PARSER_ANSWERS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

const answered = new WeakSet<Duplex>();

/** Answers what never became a request. Node would cut the client off while it sends, and it would read no answer. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (answered.has(socket)) return;
  answered.add(socket);
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = PARSER_ANSWERS[error.code ?? ''] ?? '400 Bad Request';
  const text = status.slice(4);
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`,
  );
  socket.resume();
  setTimeout(() => socket.destroy(), DRAIN_MS).unref();
}
