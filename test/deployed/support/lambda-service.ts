/** A function as Lambda runs it: an instance for each event at a time, started when all others are busy. */
import { randomUUID } from 'node:crypto';
import { until } from '../../support/patience.ts';
import {
  type FunctionDescription,
  type Invocation,
  InvocationError,
  LambdaInstance,
  MOST_INVOCATION_BYTES,
} from './lambda-instance.ts';

export interface LambdaServiceOptions extends FunctionDescription {
  /** The most instances at once; more events wait for one. */
  readonly maxInstances: number;
  /** The function's reserved concurrency: events at once above it are throttled. Default: none is. */
  readonly reserved?: number | undefined;
}

export class LambdaService {
  /** Lines of standard output: the function's log. */
  readonly log: string[] = [];
  /** Lines of standard error. */
  readonly errors: string[] = [];
  /** How many instances were started so far. */
  started = 0;
  /** How often the function was asked to run. */
  invocations = 0;
  /** How often it was not run, since it ran as often at once as is reserved for it. */
  throttled = 0;
  readonly #options: LambdaServiceOptions;
  readonly #instances = new Set<LambdaInstance>();
  readonly #queue: Invocation[] = [];
  #failedStarts = 0;
  #underWay = 0;
  #closed = false;

  constructor(options: LambdaServiceOptions) {
    this.#options = options;
  }

  /** Instances that are alive. */
  get instances(): readonly LambdaInstance[] {
    return [...this.#instances];
  }

  /**
   * Runs the function once.
   *
   * @throws InvocationError as Lambda would
   */
  invoke(event: unknown): Promise<unknown> {
    this.invocations++;
    const payload = JSON.stringify(event);
    if (Buffer.byteLength(payload) > MOST_INVOCATION_BYTES) {
      return Promise.reject(new InvocationError('RequestTooLargeException', 'the event is larger than 6 MB'));
    }
    if (this.#underWay >= (this.#options.reserved ?? Number.POSITIVE_INFINITY)) {
      this.throttled++;
      return Promise.reject(new InvocationError('TooManyRequestsException', 'Rate Exceeded.'));
    }
    this.#underWay++;
    return new Promise((resolve, reject) => {
      this.#queue.push({ id: randomUUID(), payload, resolve, reject });
      this.#dispatch();
    }).finally(() => this.#underWay--);
  }

  /** Resolves when a line of the log fulfils a condition: it may arrive a moment after the answer. */
  async logged(condition: (line: string) => boolean): Promise<void> {
    await until(() => this.log.some(condition), 'the function did not log what was waited for');
  }

  /** Resolves when every instance waits for an event: it has then done, and written, all it does about the last one. */
  async idle(): Promise<void> {
    await until(() => this.instances.every(({ isIdle }) => isIdle), 'an instance is still busy');
  }

  /** Ends every instance: the next event starts cold. */
  async coolDown(): Promise<void> {
    await Promise.all([...this.#instances].map((instance) => instance.end()));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.coolDown();
    for (const { reject } of this.#queue.splice(0)) reject(new InvocationError('Closed', 'the harness was closed'));
  }

  #dispatch(): void {
    for (const instance of this.#instances) {
      if (!instance.isIdle) continue;
      const invocation = this.#queue.shift();
      if (invocation === undefined) return;
      instance.run(invocation);
    }
    const soonIdle = this.instances.filter((instance) => instance.isSoonIdle).length;
    for (let missing = this.#queue.length - soonIdle; missing > 0; missing--) this.#start();
  }

  #start(): void {
    if (this.#closed || this.#instances.size >= this.#options.maxInstances) return;
    this.started++;
    let ready = false;
    const instance = LambdaInstance.start(this.#options, {
      idle: () => {
        ready = true;
        this.#failedStarts = 0;
        this.#dispatch();
      },
      exit: () => {
        if (!ready) this.#failedStarts++;
        this.#instances.delete(instance);
        // A function that does not come up fails the event that waits for it; it is not started for ever.
        if (this.#failedStarts > 1) {
          this.#queue.shift()?.reject(new InvocationError('Runtime.ExitError', 'the function does not start'));
        }
        if (!this.#closed) this.#dispatch();
      },
      log: (line) => this.log.push(line),
      error: (line) => this.errors.push(line),
    });
    this.#instances.add(instance);
  }
}
