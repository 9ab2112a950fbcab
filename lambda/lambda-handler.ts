/**
 * The pipeline as a Lambda handler behind a front. Everything that could go wrong around the pipeline is
 * an answer of ours, since the gateway's own errors say nothing to anybody.
 */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { EventAdapter } from './api-gateway.ts';
import { type Canary, isCanaryEvent } from './server/canary.ts';
import { type CodecPipeline, HttpError } from './server/http/message.ts';
import { bugResponse, httpErrorResponse } from './server/http/responses.ts';

/** Milliseconds before Lambda's timeout by which the pipeline must have answered: what serializing 6 MB takes. */
const ANSWER_MARGIN_MS = 500;

/** Milliseconds before Lambda's timeout at which we answer in the pipeline's place. */
const LAST_MOMENT_MS = 200;

const TOO_LONG = new HttpError(503, 'This took too long: try again in a moment', { 'retry-after': '1' });

/** A handler of whatever Lambda is invoked with. */
export type LambdaHandler<Result = unknown> = (event: unknown, context: Context) => Promise<Result>;

/** What a handler is made with. */
export interface LambdaHandlerDeps<Event, Result> {
  /** The environment's kind of front. */
  readonly events: EventAdapter<Event, Result>;
  /** Answers requests. */
  readonly pipeline: CodecPipeline;
  /** Told of what should never happen, for the log. */
  readonly onBug: (error: unknown, requestId: string | undefined) => void;
  /** Answers the question of the schedule, whether the server could serve somebody; never rejects. */
  readonly canary?: Canary | undefined;
  /** Told of an event that no front of this environment sends, and what to do about it. */
  readonly onUnknownEvent: (advice: string, requestId: string) => void;
}

/** The point in time by which an answer must be out. */
function deadlineOf(context: Context): number {
  return Date.now() + context.getRemainingTimeInMillis() - ANSWER_MARGIN_MS;
}

/** Makes the handler. It never rejects: an invocation that fails would be a 500 of the gateway's. */
export function createLambdaHandler<Event, Result>(deps: LambdaHandlerDeps<Event, Result>): LambdaHandler<Result> {
  const { events, pipeline, canary, onBug, onUnknownEvent } = deps;

  async function answer(event: Event, context: Context): Promise<Result> {
    const requestId = events.requestIdOf(event, context);
    const request = events.requestOf(event, requestId, deadlineOf(context));
    const response = await beforeLastMoment(pipeline(request), context);
    if (response !== undefined) return events.resultOf(response, event);
    request.answeredInstead?.(TOO_LONG.status);
    return events.resultOf(httpErrorResponse(TOO_LONG, requestId), event);
  }

  // middy arms its timer for every invocation; ours is armed for those that wait.
  const handler = middy(answer, { timeoutEarlyInMillis: 0 })
    .before(async ({ event, context }) => {
      if (canary !== undefined && isCanaryEvent(event)) return { ok: await canary(deadlineOf(context)) };
      if (events.recognizes(event)) return events.answerOf?.(event);
      const advice = describeEvent(event, events.front);
      onUnknownEvent(advice, context.awsRequestId);
      return unknownEventResult(event, advice, context.awsRequestId);
    })
    .onError(({ error, event, context }) => {
      onBug(error, context.awsRequestId);
      const known = events.recognizes(event) ? event : undefined;
      const requestId = known === undefined ? context.awsRequestId : events.requestIdOf(known, context);
      return events.resultOf(bugResponse(requestId), known);
    });
  // What `recognizes` does not let through has its answer before the handler.
  return handler as LambdaHandler<Result>;
}

/**
 * What `answer` resolves to; undefined where it has not by the last moment before Lambda's timeout. A timer is armed
 * only for what is not there within the turn of the event loop: for every invocation it would cost 15 µs, half of
 * what a warm decode takes.
 */
function beforeLastMoment<Result>(answer: Promise<Result>, context: Context): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const arming = setImmediate(() => {
      const left = context.getRemainingTimeInMillis() - LAST_MOMENT_MS;
      timer = setTimeout(resolve, Math.max(0, left), undefined);
    });
    void answer.then(resolve, reject).then(() => {
      clearImmediate(arming);
      clearTimeout(timer);
    });
  });
}

/** Events that the environment's front does not send: from a load balancer, the other kind of API, or somebody's test. */

/** What may be there to tell events apart by. */
interface Traces {
  readonly requestContext?: { readonly elb?: unknown; readonly http?: unknown; readonly apiId?: unknown };
  readonly httpMethod?: unknown;
  readonly Records?: unknown;
}

/**
 * A sentence for the log: what came, and what to configure.
 *
 * @param front the front that the environment has, in words
 */
function describeEvent(event: unknown, front: string): string {
  const came = kindOf((event ?? {}) as Traces);
  return `The event is ${came.kind}, and this function is deployed for ${front}: ${came.fix}`;
}

function kindOf({ requestContext, httpMethod, Records }: Traces): { readonly kind: string; readonly fix: string } {
  if (requestContext?.elb !== undefined) {
    return {
      kind: 'from a load balancer',
      fix: 'a load balancer takes 1 MB of payloads at most, so it cannot stand in front of it. Use deployment.front, whose REST API can be private; docs/network.md says which one fits.',
    };
  }
  if (requestContext?.http !== undefined)
    return { kind: 'from an HTTP API or a function URL', fix: "set deployment.front to 'http-api' and deploy again." };
  if (typeof httpMethod === 'string' && requestContext?.apiId !== undefined)
    return { kind: 'from a REST API', fix: "set deployment.front to { type: 'rest-api', … } and deploy again." };
  if (Records !== undefined)
    return {
      kind: 'from a queue or a topic',
      fix: 'it answers HTTP requests, and nothing should be subscribed to it.',
    };
  return { kind: 'no HTTP request', fix: 'send it requests through the endpoint of its stack.' };
}

/** An answer in a form that a load balancer and both kinds of API understand. */
function unknownEventResult(event: unknown, advice: string, requestId: string): object {
  const isBalancer = (event as Traces | null)?.requestContext?.elb !== undefined;
  return {
    statusCode: 501,
    ...(isBalancer ? { statusDescription: '501 Not Implemented' } : {}),
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
    },
    body: `${advice} (request ${requestId})\n`,
    isBase64Encoded: false,
  };
}
