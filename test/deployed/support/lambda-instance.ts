/**
 * One instance of a function: a process of its own with only the environment that Lambda and the
 * template give it, and the Runtime API through which it gets one event at a time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { until } from '../../support/patience.ts';

/** Bytes of JSON that an event or a result may have. */
export const MOST_INVOCATION_BYTES = 6 * 1024 * 1024;

const MOVED_CLOCK = new URL('moved-clock.mjs', import.meta.url).href;
const BOOTSTRAP = fileURLToPath(new URL('bootstrap.mjs', import.meta.url));
const API = '/2018-06-01/runtime';
/** Milliseconds that a freeze takes at least: more than `moved-clock.mjs` has between two looks at the clock. */
const FREEZE_MS = 20;

/** A function as its template describes it. */
export interface FunctionDescription {
  readonly functionName: string;
  /** The folder that holds the handler's file. */
  readonly code: string;
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly region: string;
  /** The function's environment variables, as in its template. */
  readonly variables: Readonly<Record<string, string>>;
  /** Variables that stand for what surrounds the function: where AWS is, and whom to trust. */
  readonly surroundings: Readonly<Record<string, string>>;
  /** A file for the clock of an instance that is to be frozen; undefined for the machine's own clock. */
  readonly clockFile?: string | undefined;
}

/** How an invocation went wrong. */
export class InvocationError extends Error {
  /** As Lambda names it, or the error type of the function. */
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** One event on its way through a function. */
export interface Invocation {
  readonly id: string;
  readonly payload: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: InvocationError) => void;
}

/** Told of what happens to an instance. */
export interface InstanceEvents {
  /** It asks for an event. */
  idle(): void;
  /** Its process is gone. */
  exit(): void;
  log(line: string): void;
  error(line: string): void;
}

export class LambdaInstance {
  /** Milliseconds from the start of the process to its first question for an event; undefined until then. */
  initMs: number | undefined;
  readonly #function: FunctionDescription;
  readonly #events: InstanceEvents;
  readonly #server: Server;
  readonly #started = performance.now();
  #process: ChildProcess | undefined;
  #waiting: ServerResponse | undefined;
  #current: Invocation | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** How far the clocks of the process were moved on, in milliseconds. */
  #moved = 0;

  private constructor(description: FunctionDescription, events: InstanceEvents) {
    this.#function = description;
    this.#events = events;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#server.keepAliveTimeout = 0;
    this.#server.requestTimeout = 0;
  }

  static start(description: FunctionDescription, events: InstanceEvents): LambdaInstance {
    const instance = new LambdaInstance(description, events);
    instance.#server.listen(0, '127.0.0.1', () => instance.#spawn());
    return instance;
  }

  /** Whether it waits for an event. */
  get isIdle(): boolean {
    return this.#waiting !== undefined;
  }

  /** Whether it starts, or has answered and will ask for the next event in a moment. */
  get isSoonIdle(): boolean {
    return this.#waiting === undefined && this.#current === undefined;
  }

  get processId(): number | undefined {
    return this.#process?.pid;
  }

  /** Gives an idle instance an event. */
  run(invocation: Invocation): void {
    const waiting = this.#waiting;
    if (waiting === undefined) throw new Error('the instance is busy');
    const { timeoutSeconds, functionName, region } = this.#function;
    this.#waiting = undefined;
    this.#current = invocation;
    this.#timer = setTimeout(() => {
      this.#fail(new InvocationError('Sandbox.Timedout', `timed out after ${timeoutSeconds} seconds`));
      void this.end();
    }, timeoutSeconds * 1000);
    waiting.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': invocation.id,
      'lambda-runtime-deadline-ms': String(Date.now() + this.#moved + timeoutSeconds * 1000),
      'lambda-runtime-invoked-function-arn': `arn:aws:lambda:${region}:111122223333:function:${functionName}:live`,
    });
    waiting.end(invocation.payload);
  }

  /** Lets the process stand still, as Lambda does between two events, while all its clocks move on. */
  async freeze(milliseconds: number): Promise<void> {
    if (this.#function.clockFile === undefined) throw new Error('the function was started without a clock to move');
    this.#process?.kill('SIGSTOP');
    // The signal takes a moment to arrive, and what the process was doing must not see the clock move.
    await new Promise((resolve) => setTimeout(resolve, FREEZE_MS));
    await until(() => standsStill(this.#process?.pid), 'the process does not stand still');
    this.#moved += milliseconds;
    writeClock(this.#function.clockFile, this.#moved);
    this.#process?.kill('SIGCONT');
  }

  /** Ends the process and waits until it is gone. */
  async end(): Promise<void> {
    const child = this.#process;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      // Its last lines are read by then, too.
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #spawn(): void {
    const { functionName, code, handler, memoryMb, region, variables, surroundings, clockFile } = this.#function;
    if (clockFile !== undefined) writeClock(clockFile, 0);
    const { port } = this.#server.address() as AddressInfo;
    // Lambda's Node gets a heap that fits its memory.
    const heap = `--max-old-space-size=${Math.floor(memoryMb * 0.9)}`;
    const clock = clockFile === undefined ? [] : ['--import', MOVED_CLOCK];
    const child = spawn(process.execPath, [heap, ...clock, BOOTSTRAP], {
      cwd: code,
      env: {
        PATH: '/var/lang/bin:/usr/local/bin:/usr/bin:/bin',
        TZ: ':UTC',
        LANG: 'en_US.UTF-8',
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_ACCESS_KEY_ID: 'ASIAEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'example',
        AWS_SESSION_TOKEN: 'example',
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
        AWS_LAMBDA_FUNCTION_NAME: functionName,
        AWS_LAMBDA_FUNCTION_VERSION: '1',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
        LAMBDA_TASK_ROOT: code,
        _HANDLER: handler,
        ...variables,
        ...surroundings,
        ...(clockFile === undefined ? {} : { TEST_CLOCK_FILE: clockFile }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    eachLine(child.stdout, (line) => this.#events.log(line));
    eachLine(child.stderr, (line) => this.#events.error(line));
    child.once('exit', () => {
      this.#fail(new InvocationError('Runtime.ExitError', 'the process of the function exited'));
      this.#waiting = undefined;
      this.#server.close();
      this.#events.exit();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    if (request.method === 'GET' && path === `${API}/invocation/next`) {
      this.initMs ??= performance.now() - this.#started;
      this.#waiting = response;
      this.#events.idle();
      return;
    }
    const body = await readBody(request);
    response.writeHead(202).end();
    const [, id, kind] = /\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (path === `${API}/init/error`) this.#events.error(body);
    else if (id === this.#current?.id) this.#finish(kind === 'error', body);
  }

  #finish(failed: boolean, body: string): void {
    if (failed) {
      const { errorType, errorMessage } = JSON.parse(body) as { errorType: string; errorMessage: string };
      this.#fail(new InvocationError(errorType, errorMessage));
      return;
    }
    if (Buffer.byteLength(body) > MOST_INVOCATION_BYTES) {
      this.#fail(new InvocationError('Function.ResponseSizeTooLarge', 'the result is larger than 6 MB'));
      return;
    }
    const current = this.#current;
    clearTimeout(this.#timer);
    this.#current = undefined;
    current?.resolve(JSON.parse(body));
  }

  #fail(error: InvocationError): void {
    const current = this.#current;
    clearTimeout(this.#timer);
    this.#current = undefined;
    current?.reject(error);
  }
}

/** Whether a process is stopped, as far as this system tells. */
function standsStill(processId: number | undefined): boolean {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${processId}/status`, 'utf8'));
  } catch {
    return true;
  }
}

/** As `moved-clock.mjs` reads it. */
function writeClock(file: string, milliseconds: number): void {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(milliseconds);
  const descriptor = openSync(file, 'w');
  writeSync(descriptor, bytes, 0, 8, 0);
  closeSync(descriptor);
}

function eachLine(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') take(line);
  });
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
