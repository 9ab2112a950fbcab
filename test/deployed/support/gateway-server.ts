/** What the emulators of both kinds of API share: a server on loopback, a token bucket, and an account of what was answered. */
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { InvocationError } from './lambda-instance.ts';

export const MOST_BODY_BYTES = 10 * 1024 * 1024;
/** Connections that may be on their way at once: a gateway has no such limit, and a test's client is never refused one. */
const BACKLOG = 4_096;

export interface GatewayOptions {
  /** Requests a second, and at once. */
  readonly throttling: { readonly rate: number; readonly burst: number };
  /** Serves HTTPS, as API Gateway always does; plain HTTP where a test's client trusts no certificate of ours. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Default: a free one. */
  readonly port?: number | undefined;
}

/** What the gateway did with a request, as in its access log. */
export interface AccessLine {
  readonly method: string;
  readonly path: string;
  readonly route: string;
  readonly status: number;
}

export abstract class GatewayServer {
  readonly accesses: AccessLine[] = [];
  readonly #options: GatewayOptions;
  readonly #server: Server;
  #tokens: number;
  #refilled = Date.now();

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#tokens = options.throttling.burst;
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.handle(request, response).catch(() => response.destroy());
    };
    // Node's own limit must not come before the gateway's.
    const settings = { maxHeaderSize: 128 * 1024 };
    this.#server =
      options.tls === undefined
        ? createHttp(settings, listener)
        : createHttps({ ...settings, ...options.tls }, listener);
    // A client that pauses must not find its connection closed while it sends again.
    this.#server.keepAliveTimeout = 75_000;
  }

  protected async listen(): Promise<void> {
    const where = { port: this.#options.port ?? 0, host: '127.0.0.1', backlog: BACKLOG };
    await new Promise<void>((resolve) => this.#server.listen(where, resolve));
  }

  /** Scheme, host and port. */
  get origin(): string {
    const { port } = this.#server.address() as AddressInfo;
    return this.#options.tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;
  }

  /** Without trailing slash, as the output has it. */
  abstract get endpoint(): string;

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  protected abstract handle(request: IncomingMessage, response: ServerResponse): Promise<void>;

  /** The token bucket of the stage. */
  protected takeToken(): boolean {
    const { rate, burst } = this.#options.throttling;
    const now = Date.now();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#refilled) / 1000) * rate);
    this.#refilled = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** Bytes of the request line and the headers together. */
export function headerBytes(request: IncomingMessage): number {
  const line = `${request.method} ${request.url} HTTP/1.1\r\n`;
  return request.rawHeaders.reduce((sum, part) => sum + Buffer.byteLength(part) + 2, Buffer.byteLength(line));
}

/** The body, or undefined when it is larger than the gateway takes. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes <= MOST_BODY_BYTES) chunks.push(chunk as Buffer);
  }
  return bytes > MOST_BODY_BYTES ? undefined : Buffer.concat(chunks);
}

export function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new InvocationError('Timeout', 'the integration did not answer')), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
