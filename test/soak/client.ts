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

export class SoakClient {
  readonly #port: number;
  readonly #agent: Agent;

  constructor(port: number, connections: number) {
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** @param finish what to wait for before the last byte is sent */
  send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string,
    finish?: Promise<void>,
  ): Promise<SoakAnswer> {
    const started = performance.now();
    const done = (status: number, text: string, headers: IncomingHttpHeaders = {}): SoakAnswer => ({
      status,
      body: text,
      retryAfter: headers['retry-after'] !== undefined,
      allowedOrigin: headers['access-control-allow-origin'],
      milliseconds: performance.now() - started,
    });
    return new Promise((resolve) => {
      const outgoing = request(
        { host: '127.0.0.1', port: this.#port, agent: this.#agent, method, path, headers },
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
        outgoing.write(body.slice(0, -1));
        void finish.then(() => outgoing.end(body.slice(-1)));
      }
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
