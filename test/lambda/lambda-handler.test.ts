import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { CANARY_EVENT } from '../../config/metrics.ts';
import { httpApiEvents, openRestApiEvents } from '../../lambda/api-gateway.ts';
import { createLambdaHandler } from '../../lambda/lambda-handler.ts';
import type { CodecPipeline, CodecRequest } from '../../lambda/server/http/message.ts';
import { apiGatewayEvent } from '../support/api-gateway-event.ts';
import { restApiEvent } from '../support/rest-api-event.ts';

const ORIGIN = 'https://cloud.temporal.io';

const OK = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"payloads":[]}' };

function contextWith(remainingMs: number): Context {
  return { awsRequestId: 'lambda-1', getRemainingTimeInMillis: () => remainingMs } as Context;
}

const canary = async () => true;

function invoke(
  pipeline: CodecPipeline,
  { remainingMs = 10_000, event = apiGatewayEvent(), onBug = jest.fn(), onUnknownEvent = jest.fn() } = {},
) {
  return createLambdaHandler({ events: httpApiEvents, canary, pipeline, onBug, onUnknownEvent })(
    event,
    contextWith(remainingMs),
  );
}

describe('the Lambda handler', () => {
  it('answers with what the pipeline answers, at once or later', async () => {
    const expected = { statusCode: 200, headers: { ...OK.headers, vary: 'origin' }, body: OK.body };
    expect(await invoke(async () => OK)).toEqual(expected);
    expect(await invoke(() => setImmediate(OK))).toEqual(expected);
  });

  it('gives the pipeline a deadline before Lambda’s own', async () => {
    const requests: CodecRequest[] = [];
    const before = Date.now();
    await invoke(
      async (request) => {
        requests.push(request);
        return OK;
      },
      { remainingMs: 8_000 },
    );
    expect(requests[0]?.deadline).toBeGreaterThanOrEqual(before + 7_000);
    expect(requests[0]?.deadline).toBeLessThan(Date.now() + 8_000);
  });

  it('answers 503 itself before Lambda would kill it', async () => {
    const result = await invoke(() => new Promise<never>(() => {}), { remainingMs: 230 });
    const { requestId } = apiGatewayEvent().requestContext;
    expect(result).toMatchObject({
      statusCode: 503,
      headers: { 'retry-after': '1', 'cache-control': 'no-store', 'x-request-id': requestId, vary: 'origin' },
      body: `This took too long: try again in a moment (request ${requestId})\n`,
    });
  });

  it('answers what is there within the turn, however little time is left', async () => {
    for (const remainingMs of [150, 0, -20]) {
      expect(await invoke(async () => OK, { remainingMs })).toMatchObject({ statusCode: 200 });
      expect(await invoke(() => new Promise<never>(() => {}), { remainingMs })).toMatchObject({ statusCode: 503 });
    }
  });

  it('leaves no timer behind that would go off in the next invocation', async () => {
    const armed = () => process.getActiveResourcesInfo().filter((it) => it === 'Timeout' || it === 'Immediate').length;
    const before = armed();
    await invoke(async () => OK);
    await invoke(() => new Promise((resolve) => setTimeout(resolve, 5, OK)));
    await invoke(() => new Promise((_, reject) => setTimeout(reject, 5, new Error('late'))));
    expect(armed()).toBe(before);
  });

  it('keeps an invocation that took too long apart from the next one of its instance', async () => {
    const late = Promise.withResolvers<typeof OK>();
    const answeredInstead = jest.fn();
    const pipeline = async (request: CodecRequest) => {
      request.answeredInstead = answeredInstead;
      return request.requestId === 'first' ? late.promise : OK;
    };
    const onBug = jest.fn();
    const handler = createLambdaHandler({ events: httpApiEvents, pipeline, onBug, onUnknownEvent: jest.fn() });
    const event = (requestId: string) => {
      const { requestContext, ...rest } = apiGatewayEvent();
      return { ...rest, requestContext: { ...requestContext, requestId } };
    };
    expect(await handler(event('first'), contextWith(210))).toMatchObject({ statusCode: 503 });
    expect(answeredInstead.mock.calls).toEqual([[503]]);
    const second = handler(event('second'), contextWith(10_000));
    late.reject(new Error('thawed'));
    expect(await second).toMatchObject({ statusCode: 200 });
    expect([answeredInstead.mock.calls.length, onBug.mock.calls.length]).toEqual([1, 0]);
  });

  it('answers a blank 500 for a bug, and tells the log alone', async () => {
    for (const pipeline of [
      () => {
        throw new Error('secret');
      },
      () => Promise.reject(new Error('secret')),
    ]) {
      const onBug = jest.fn();
      const result = await invoke(pipeline, { onBug });
      const { requestId } = apiGatewayEvent().requestContext;
      expect(result).toMatchObject({
        statusCode: 500,
        headers: { 'x-request-id': requestId, 'cache-control': 'no-store', vary: 'origin' },
        body: `Internal error (request ${requestId})\n`,
      });
      expect(onBug).toHaveBeenCalledWith(expect.objectContaining({ message: 'secret' }), 'lambda-1');
    }
  });

  it('answers an event of another front clearly, and tells the log what to configure', async () => {
    const kinds: [object, string][] = [
      [
        { requestContext: { elb: { targetGroupArn: 'arn' } }, httpMethod: 'POST', path: '/decode', headers: {} },
        'from a load balancer, and this function is deployed for an HTTP API: a load balancer takes 1 MB',
      ],
      [
        restApiEvent(),
        "from a REST API, and this function is deployed for an HTTP API: set deployment.front to { type: 'rest-api'",
      ],
      [{ Records: [] }, 'from a queue or a topic'],
      [{ version: '1.0' }, 'no HTTP request'],
    ];
    for (const [event, told] of kinds) {
      const [onBug, onUnknownEvent, pipeline] = [jest.fn(), jest.fn(), jest.fn(async () => OK)];
      const result = await invoke(pipeline, { event: event as never, onBug, onUnknownEvent });
      expect(result).toMatchObject({ statusCode: 501, body: expect.stringContaining(told) });
      expect(onUnknownEvent).toHaveBeenCalledWith(expect.stringContaining(told), 'lambda-1');
      expect([pipeline.mock.calls, onBug.mock.calls]).toEqual([[], []]);
    }
    const alb = await invoke(async () => OK, { event: kinds[0]?.[0] as never });
    expect(alb).toMatchObject({ statusDescription: '501 Not Implemented', isBase64Encoded: false });
  });

  it('behind a REST API answers preflights itself, and an HTTP API’s event clearly', async () => {
    const pipeline = jest.fn(async () => OK);
    const onUnknownEvent = jest.fn();
    const events = openRestApiEvents({ origins: [ORIGIN], credentials: true });
    const handler = createLambdaHandler({ events, canary, pipeline, onBug: jest.fn(), onUnknownEvent });
    const preflight = restApiEvent({ httpMethod: 'OPTIONS', multiValueHeaders: { Origin: [ORIGIN] } });
    expect(await handler(preflight, contextWith(10_000))).toMatchObject({
      statusCode: 204,
      headers: { 'access-control-allow-origin': ORIGIN, 'access-control-allow-methods': 'POST' },
    });
    expect(pipeline).not.toHaveBeenCalled();
    expect(await handler(apiGatewayEvent() as never, contextWith(10_000))).toMatchObject({ statusCode: 501 });
    expect(onUnknownEvent).toHaveBeenCalledWith(
      expect.stringContaining("set deployment.front to 'http-api'"),
      'lambda-1',
    );
  });

  it('takes the question of a schedule for an event of nobody, where the environment has no canary', async () => {
    const onUnknownEvent = jest.fn();
    const handler = createLambdaHandler({
      events: httpApiEvents,
      pipeline: async () => OK,
      onBug: jest.fn(),
      onUnknownEvent,
    });
    expect(await handler(CANARY_EVENT as never, contextWith(10_000))).toMatchObject({ statusCode: 501 });
    expect(onUnknownEvent).toHaveBeenCalledTimes(1);
  });

  it('asks the canary when the schedule does, and never for a request', async () => {
    const pipeline = jest.fn(async () => OK);
    const asked = jest.fn(async () => false);
    const parts = { events: httpApiEvents, canary: asked, pipeline, onBug: jest.fn(), onUnknownEvent: jest.fn() };
    const handler = createLambdaHandler(parts);
    expect(await handler(CANARY_EVENT as never, contextWith(10_000))).toEqual({ ok: false });
    expect(pipeline).not.toHaveBeenCalled();
    const forged = { ...apiGatewayEvent({ body: JSON.stringify(CANARY_EVENT) }), ...CANARY_EVENT };
    expect(await handler(forged, contextWith(10_000))).toMatchObject({ statusCode: 200 });
    expect([asked.mock.calls.length, pipeline.mock.calls.length]).toEqual([1, 1]);
  });
});
