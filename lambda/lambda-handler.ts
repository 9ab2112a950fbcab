/**
 * The pipeline as a Lambda handler behind an HTTP API. Everything that could go wrong around the
 * pipeline is an answer of ours, since the gateway's own errors say nothing to anybody.
 */
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { ApiGatewayRequest, apiGatewayResult } from './api-gateway.ts';
import { HttpError } from './server/http/http-error.ts';
import type { CodecPipeline } from './server/http/message.ts';
import { bugResponse, httpErrorResponse } from './server/http/responses.ts';

/** Milliseconds before Lambda's timeout by which the pipeline must have answered: what serializing 6 MB takes. */
const ANSWER_MARGIN_MS = 500;

/** Milliseconds before Lambda's timeout at which we answer in the pipeline's place. */
const LAST_MOMENT_MS = 200;

const TOO_LONG = new HttpError(503, 'This took too long: try again in a moment', { 'retry-after': '1' });

/** A handler of API Gateway v2 events. */
export type LambdaHandler = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;

/** What a handler is made with. */
export interface LambdaHandlerDeps {
  /** Answers requests. */
  readonly pipeline: CodecPipeline;
  /** Told of what should never happen, for the log. */
  readonly onBug: (error: unknown, requestId: string | undefined) => void;
}

/** Makes the handler. It never rejects: an invocation that fails would be a 500 of the gateway's. */
export function createLambdaHandler({ pipeline, onBug }: LambdaHandlerDeps): LambdaHandler {
  // An instance works on one event at a time, and middy does not say which it has waited for too long.
  let requestId = '';
  const answer = (
    event: APIGatewayProxyEventV2,
    context: Context,
  ): APIGatewayProxyStructuredResultV2 | Promise<APIGatewayProxyStructuredResultV2> => {
    requestId = event.requestContext?.requestId ?? context.awsRequestId;
    const deadline = Date.now() + context.getRemainingTimeInMillis() - ANSWER_MARGIN_MS;
    const response = pipeline(new ApiGatewayRequest(event, deadline));
    return response instanceof Promise ? response.then(apiGatewayResult) : apiGatewayResult(response);
  };
  // middy 7's types know handlers that return promises only; it runs the others without waiting.
  const handler = middy(answer as LambdaHandler, {
    timeoutEarlyInMillis: LAST_MOMENT_MS,
    timeoutEarlyResponse: () => apiGatewayResult(httpErrorResponse(TOO_LONG, requestId)),
  });
  handler.onError(({ error, context }) => {
    onBug(error, context?.awsRequestId);
    return apiGatewayResult(bugResponse(requestId));
  });
  return handler as LambdaHandler;
}
