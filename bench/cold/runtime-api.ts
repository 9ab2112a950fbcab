/**
 * The Lambda Runtime API for one function process: hands out events, takes answers, and notes when.
 * Protocol: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { memoryOf } from '../process.ts';

/** An answer of the function, and how long it took, in milliseconds. */
export interface Invocation {
  readonly answer: unknown;
  readonly ms: number;
}

/** Lambda gives a function that long to initialise. */
const INIT_LIMIT_MS = 10_000;
const BOOTSTRAP = fileURLToPath(new URL('./bootstrap.mjs', import.meta.url));

export class FunctionInstance {
  /** From starting the process until it asks for its first event. */
  readonly initMs: number;
  readonly #api: RuntimeApi;
  readonly #child: ChildProcess;

  private constructor(initMs: number, api: RuntimeApi, child: ChildProcess) {
    this.initMs = initMs;
    this.#api = api;
    this.#child = child;
  }

  /** Starts a fresh process. @throws Error when it ends, or does not ask for an event within ten seconds */
  static async start(handlerFile: string, environment: Readonly<Record<string, string>>): Promise<FunctionInstance> {
    const api = await RuntimeApi.listen();
    const start = performance.now();
    const child = spawn(process.execPath, [BOOTSTRAP, handlerFile], {
      env: { AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${api.port}`, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000);
    });
    const ended = new Promise<never>((_, reject) => {
      child.once('exit', (code) => reject(new Error(`the function ended with ${code}: ${errors.trim()}`)));
      setTimeout(() => reject(new Error(`no init within ${INIT_LIMIT_MS} ms: ${errors}`)), INIT_LIMIT_MS).unref();
    });
    ended.catch(() => undefined);
    await Promise.race([api.asked(), ended]);
    return new FunctionInstance(performance.now() - start, api, child);
  }

  /** Resident memory in MiB. */
  get rssMiB(): number {
    return memoryOf(this.#child.pid ?? 0).rss;
  }

  async invoke(event: unknown): Promise<Invocation> {
    await this.#api.asked();
    const start = performance.now();
    const answer = await this.#api.deliver(JSON.stringify(event));
    return { answer, ms: performance.now() - start };
  }

  async stop(): Promise<void> {
    this.#child.removeAllListeners('exit');
    this.#child.kill('SIGKILL');
    await this.#api.close();
  }
}

class RuntimeApi {
  readonly #server: Server;
  #waiting: ServerResponse | undefined;
  #onAsked: (() => void) | undefined;
  #onAnswer: ((answer: unknown) => void) | undefined;
  #count = 0;

  private constructor() {
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  static async listen(): Promise<RuntimeApi> {
    const api = new RuntimeApi();
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves once the function waits for an event. */
  asked(): Promise<void> {
    if (this.#waiting !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onAsked = resolve;
    });
  }

  /** Hands out an event and resolves with the answer to it. */
  deliver(event: string): Promise<unknown> {
    const response = this.#waiting;
    this.#waiting = undefined;
    response
      ?.writeHead(200, {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': `bench-${++this.#count}`,
        'lambda-runtime-deadline-ms': String(Date.now() + 10_000),
      })
      .end(event);
    return new Promise((resolve) => {
      this.#onAnswer = resolve;
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (request.url?.endsWith('/next')) {
      this.#waiting = response;
      this.#onAsked?.();
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      response.writeHead(202).end();
      this.#onAnswer?.(answer);
    });
  }
}
