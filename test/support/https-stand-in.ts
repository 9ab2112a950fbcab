/**
 * An HTTPS server on loopback whose mood a test decides: in order, down, slow, rate-limiting or
 * talking nonsense. It counts what it is asked. Base of the issuer's and the Cloud Ops API's stand-ins.
 */
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createHttpsGet, type HttpsGet } from '../../lambda/server/auth/https-get.ts';
import { makeTestCertificate, type TestCertificate } from './certificate.ts';

/** How the server answers until told otherwise. */
export type Mood =
  | { readonly kind: 'in-order' }
  /** The connection is cut before an answer. */
  | { readonly kind: 'cut-off' }
  /** No answer ever. */
  | { readonly kind: 'hangs' }
  /** The right answer, late. */
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: 'garbage'; readonly body: string }
  /** An answer that never ends. */
  | { readonly kind: 'endless' }
  | { readonly kind: 'redirect'; readonly to: string };

export interface StandInAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Answers a request when the mood is `in-order` or `slow`. */
export type StandInHandler = (request: IncomingMessage, url: URL) => StandInAnswer;

let sharedCertificate: TestCertificate | undefined;

/** One certificate for all stand-ins of a test run. */
export function testCertificate(): TestCertificate {
  sharedCertificate ??= makeTestCertificate();
  return sharedCertificate;
}

/**
 * Gets from stand-ins: trusts their certificate and nothing else. Ten times as patient as it is asked to be, since
 * test machines can be busier than servers; `strict` keeps to the time.
 */
export function standInGet(patience: 'patient' | 'strict' = 'patient'): HttpsGet {
  const get = createHttpsGet(testCertificate().cert);
  if (patience === 'strict') return get;
  return (url, options) => get(url, { ...options, timeoutMs: options.timeoutMs * 10 });
}

export class HttpsStandIn {
  mood: Mood = { kind: 'in-order' };
  /** Requests that arrived. */
  requests = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #handler: StandInHandler;

  protected constructor(handler: StandInHandler) {
    this.#handler = handler;
    const { cert, key } = testCertificate();
    this.#server = createServer({ cert, key }, (request, response) => {
      this.requests++;
      const { mood } = this;
      const answer = (): void => {
        const { status, body } = this.#handler(request, new URL(request.url ?? '/', this.origin));
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      };
      switch (mood.kind) {
        case 'in-order':
          return answer();
        case 'slow':
          setTimeout(answer, mood.ms).unref();
          return;
        case 'cut-off':
          return void request.socket.destroy();
        case 'hangs':
          return;
        case 'status':
          response.writeHead(mood.status, mood.retryAfter === undefined ? {} : { 'retry-after': mood.retryAfter });
          return void response.end('{}');
        case 'garbage':
          return void response.writeHead(200, { 'content-type': 'application/json' }).end(mood.body);
        case 'redirect':
          return void response.writeHead(302, { location: mood.to }).end();
        case 'endless': {
          response.writeHead(200, { 'content-type': 'application/json' });
          const chunk = Buffer.alloc(65_536, ' ');
          const more = (): void => {
            while (!response.destroyed && response.write(chunk));
          };
          response.on('drain', more);
          more();
        }
      }
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  protected async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  /** Such as `https://localhost:49152`. */
  get origin(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
