/** Calls of Temporal's API: paced, and repeated when their failing may pass. */
import { pauseAfter } from '../../codec/calls/backoff.ts';
import { wait } from '../histories/payload-decoder.ts';
import { failed, GRPC, type GrpcClient, GrpcError } from './grpc-client.ts';
import { type Field, MalformedAnswerError, Message, message } from './protobuf.ts';

// So many a second and no more: what others may still call of a namespace depends on it.

/** Lets callers pass at a rate, in the order in which they came. */
class RateLimiter {
  readonly #intervalMs: number;
  #next = 0;

  /** @param perSecond how many */
  constructor(perSecond: number) {
    this.#intervalMs = 1000 / perSecond;
  }

  /** Returns when it is the caller's turn. */
  async turn(): Promise<void> {
    const now = performance.now();
    // A tenth of a second may be made up for, so that rounding of timers costs nothing.
    this.#next = Math.max(this.#next + this.#intervalMs, now - 100);
    if (this.#next > now) await wait(this.#next - now);
  }
}

/** Runs work over items, several at a time. The first failure is thrown when all that had begun has ended. */
export async function sideBySide<T>(items: Iterable<T>, most: number, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const run = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && failure === undefined; next = iterator.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: most }, run));
  if (failure !== undefined) throw failure.error;
}

const WORKFLOW_SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';
const OPERATOR_SERVICE = 'temporal.api.operatorservice.v1.OperatorService';

/** Temporal Cloud lets a namespace make 30 visibility calls and 10 schedule requests a second; others want some, too. */
const VISIBILITY_PER_SECOND = 15;
const SCHEDULES_PER_SECOND = 5;
const ATTEMPTS = 8;
/** Before anything has been answered: an address that is wrong does not get right. */
const FIRST_ATTEMPTS = 3;
const PATIENCE_MS = 250;
const MOST_PATIENCE_MS = 10_000;

const PASSING: ReadonlySet<number> = new Set([
  GRPC.deadlineExceeded,
  GRPC.resourceExhausted,
  GRPC.aborted,
  GRPC.unavailable,
]);

/** What to tell a person of calls that ended like this; undefined for what is no fault of the server or the connection. */
export function faultOf(error: unknown): string | undefined {
  if (error instanceof GrpcError) return failed(error);
  return error instanceof MalformedAnswerError ? error.message : undefined;
}

/** The API of one server. */
export class TemporalApi {
  readonly #client: GrpcClient;
  readonly #all: RateLimiter;
  readonly #visibility: RateLimiter;
  readonly #schedules: RateLimiter;
  readonly #patienceMs: number;
  #hasAnswered = false;
  /** Calls that were made, repetitions included. */
  calls = 0;

  /**
   * @param perSecond calls of all kinds
   * @param patienceMs before the first repetition; each further one waits twice as long
   */
  constructor(client: GrpcClient, perSecond: number, patienceMs = PATIENCE_MS) {
    this.#client = client;
    this.#all = new RateLimiter(perSecond);
    this.#visibility = new RateLimiter(Math.min(perSecond, VISIBILITY_PER_SECOND));
    this.#schedules = new RateLimiter(Math.min(perSecond, SCHEDULES_PER_SECOND));
    this.#patienceMs = patienceMs;
  }

  /** @returns the answer, and its bytes. @throws GrpcError */
  async call(method: string, request: Uint8Array): Promise<{ readonly bytes: Buffer; readonly message: Message }> {
    for (let attempt = 1; ; attempt++) {
      await this.#turn(method);
      this.calls++;
      try {
        const service = method === 'ListNexusEndpoints' ? OPERATOR_SERVICE : WORKFLOW_SERVICE;
        const bytes = await this.#client.call(service, method, request);
        this.#hasAnswered = true;
        return { bytes, message: new Message(bytes) };
      } catch (error) {
        if (!(error instanceof GrpcError) || !PASSING.has(error.code)) throw error;
        if (attempt === (this.#hasAnswered ? ATTEMPTS : FIRST_ATTEMPTS)) throw error;
        const patience = pauseAfter(attempt, { firstMs: this.#patienceMs, mostMs: MOST_PATIENCE_MS });
        await wait(patience * (0.75 + Math.random() / 2));
      }
    }
  }

  /**
   * The pages of a list or of a history, one after the other.
   *
   * @param fields of the request, but for the token of the page
   * @param tokens number of the token's field in the request, and in the answer
   * @throws GrpcError
   * @throws MalformedAnswerError when a page leads back to one that was read
   */
  async *pages(
    method: string,
    fields: readonly Field[],
    [asked, given]: readonly [asked: number, given: number],
  ): AsyncGenerator<{ readonly bytes: Buffer; readonly message: Message }> {
    const seen = new Set<string>();
    for (let token: Buffer | undefined; ; ) {
      const page = await this.call(method, message(...fields, [asked, token]));
      yield page;
      token = page.message.bytes(given);
      if (token.length === 0) return;
      const name = token.toString('base64');
      if (seen.has(name)) throw new MalformedAnswerError(`The pages of ${method} lead back to one that was read.`);
      seen.add(name);
    }
  }

  async #turn(method: string): Promise<void> {
    await this.#all.turn();
    if (/^(?:List|Count)/.test(method)) await this.#visibility.turn();
    if (/Schedule/.test(method)) await this.#schedules.turn();
  }
}
