/** Sends requests over kept connections and times them. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface SoakAnswer {
  /** 0: the connection failed. */
  readonly status: number;
  readonly body: string;
  readonly milliseconds: number;
  readonly retryAfter: boolean;
  /** `Access-Control-Allow-Origin`. */
  readonly allowedOrigin: string | undefined;
}

/** Bytes at the end of a slow body that come one by one, and the milliseconds between two of them. */
const SLOW_BYTES = 60;
const SLOW_MS = 1_000;

/** Where a server is on this machine. */
export interface ServerAddress {
  readonly port: number;
  /** What stands before every path, such as the stage of a REST API; empty for nothing. */
  readonly prefix: string;
}

export class SoakClient {
  readonly #server: ServerAddress;
  readonly #agent: Agent;

  constructor(server: ServerAddress, connections: number) {
    this.#server = server;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /**
   * @param finish what to wait for before the last byte is sent. The bytes before it come one by one, so that the
   * server sees a slow body, and not one that stalls.
   */
  send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string,
    finish?: Promise<void>,
  ): Promise<SoakAnswer> {
    const started = performance.now();
    const { port, prefix } = this.#server;
    const done = (status: number, text: string, headers: IncomingHttpHeaders = {}): SoakAnswer => ({
      status,
      body: text,
      retryAfter: headers['retry-after'] !== undefined,
      allowedOrigin: headers['access-control-allow-origin'],
      milliseconds: performance.now() - started,
    });
    return new Promise((resolve) => {
      const outgoing = request(
        { host: '127.0.0.1', port, agent: this.#agent, method, path: `${prefix}${path}`, headers },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', (error) => resolve(done(0, error.message)));
          incoming.on('end', () => {
            const text = Buffer.concat(chunks).toString('latin1');
            resolve(done(incoming.statusCode ?? 0, text, incoming.headers));
          });
        },
      );
      outgoing.on('error', (error) => resolve(done(0, error.message)));
      if (finish === undefined) outgoing.end(body);
      else {
        outgoing.setHeader('content-length', body.length);
        let sent = Math.max(0, body.length - SLOW_BYTES);
        outgoing.write(body.slice(0, sent));
        const drip = setInterval(() => {
          if (sent < body.length - 1) outgoing.write(body.slice(sent, ++sent));
        }, SLOW_MS);
        outgoing.on('close', () => clearInterval(drip));
        void finish.then(() => {
          clearInterval(drip);
          outgoing.end(body.slice(sent));
        });
      }
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
