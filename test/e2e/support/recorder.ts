/**
 * A proxy that stands between a client and the codec server and writes down what passes, so that a check can count
 * requests (preflights too, which a browser's own tools hide) and compare them with what is written of the protocol.
 */
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { createServer as createHttpsServer, request as secureRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { until } from '../../support/patience.ts';
import type { Certificate } from './certificates.ts';

/** Milliseconds without a request after which a page has asked all it asks, on a machine that is busy with others, too. */
const CALM_MS = 1_000;

/** One request and its answer. */
export interface Exchange {
  /** Milliseconds of `performance.now()` at arrival. */
  readonly at: number;
  readonly method: string;
  /** As on the request line: path and query, nothing decoded. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** 0 when the server could not be reached. */
  status: number;
  answerHeaders: IncomingHttpHeaders;
  answer: string;
}

/** What a browser sent, told apart. */
export function requestsAndPreflights(exchanges: readonly Exchange[]): [requests: Exchange[], preflights: Exchange[]] {
  const isPreflight = ({ method }: Exchange): boolean => method === 'OPTIONS';
  return [exchanges.filter((it) => !isPreflight(it)), exchanges.filter(isPreflight)];
}

/** A running recorder. */
export interface Recorder {
  /** Its own origin, which clients are given in place of the server's. No trailing slash. */
  readonly origin: string;
  readonly port: number;
  readonly exchanges: readonly Exchange[];
  /** Everything recorded so far, which is then forgotten. What is still on its way has no answer yet: see {@link settled}. */
  take(): Exchange[];
  /** Waits until every request has its answer and a while has passed without another: a page has asked all it asks. */
  settled(): Promise<void>;
  /** Answers in place of the server while set; for a server that is down or misbehaves. */
  intercept: ((exchange: Exchange) => { status: number; body?: string } | 'hang-up' | undefined) | undefined;
  stop(): Promise<void>;
}

/** Where to listen and what to pass requests on to. */
export interface RecorderOptions {
  /** The server's origin. */
  readonly target: string;
  /** Serve HTTPS with it. */
  readonly certificate?: Certificate;
  /** The name under which clients reach it. Default `127.0.0.1`. */
  readonly hostname?: string;
}

/** Starts a recorder on a free loopback port. */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const { target, certificate, hostname = '127.0.0.1' } = options;
  let exchanges: Exchange[] = [];
  let underWay = 0;
  let last = performance.now();
  const recorder: Pick<Recorder, 'intercept'> = { intercept: undefined };
  const send = target.startsWith('https:') ? secureRequest : request;

  const handle = async (incoming: IncomingMessage, answer: import('node:http').ServerResponse): Promise<void> => {
    const body = Buffer.concat(await Array.fromAsync(incoming as AsyncIterable<Buffer>));
    const exchange: Exchange = {
      at: performance.now(),
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      headers: incoming.headers,
      body: body.toString(),
      status: 0,
      answerHeaders: {},
      answer: '',
    };
    exchanges.push(exchange);
    const instead = recorder.intercept?.(exchange);
    if (instead === 'hang-up') {
      incoming.socket.destroy();
      return;
    }
    if (instead !== undefined) {
      exchange.status = instead.status;
      answer.writeHead(instead.status, { 'access-control-allow-origin': incoming.headers.origin ?? '*' });
      answer.end(instead.body);
      return;
    }
    // The path is passed on byte for byte: doubled slashes and braces are part of what is tested.
    const { hostname: host, port } = new URL(target);
    const outgoing = send({
      host,
      port,
      path: incoming.url,
      method: incoming.method,
      headers: incoming.rawHeaders,
      rejectUnauthorized: false,
    });
    outgoing.end(body);
    const [received] = (await once(outgoing, 'response')) as [IncomingMessage];
    const received_body = Buffer.concat(await Array.fromAsync(received as AsyncIterable<Buffer>));
    exchange.status = received.statusCode ?? 0;
    exchange.answerHeaders = received.headers;
    exchange.answer = received_body.toString();
    answer.writeHead(exchange.status, received.rawHeaders);
    answer.end(received_body);
  };

  const listener = (incoming: IncomingMessage, answer: import('node:http').ServerResponse): void => {
    underWay++;
    handle(incoming, answer)
      .catch(() => incoming.socket.destroy())
      .finally(() => {
        underWay--;
        last = performance.now();
      });
  };
  const server = certificate === undefined ? createHttpServer(listener) : createHttpsServer(certificate, listener);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return Object.assign(recorder, {
    origin: `${certificate === undefined ? 'http' : 'https'}://${hostname}:${port}`,
    port,
    get exchanges() {
      return exchanges;
    },
    take() {
      const taken = exchanges;
      exchanges = [];
      return taken;
    },
    async settled() {
      const calm = () => underWay === 0 && performance.now() - last > CALM_MS;
      await until(calm, `${underWay} requests are still on their way`);
    },
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  });
}
