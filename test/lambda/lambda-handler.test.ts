import { describe, expect, it, jest } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { createLambdaHandler } from '../../lambda/lambda-handler.ts';
import type { CodecPipeline, CodecRequest } from '../../lambda/server/http/message.ts';
import { apiGatewayEvent } from '../support/api-gateway-event.ts';

const OK = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"payloads":[]}' };

function contextWith(remainingMs: number): Context {
  return { awsRequestId: 'lambda-1', getRemainingTimeInMillis: () => remainingMs } as Context;
}

function invoke(pipeline: CodecPipeline, { remainingMs = 10_000, event = apiGatewayEvent(), onBug = jest.fn() } = {}) {
  return createLambdaHandler({ pipeline, onBug })(event, contextWith(remainingMs));
}

describe('the Lambda handler', () => {
  it('answers with what the pipeline answers, at once or later', async () => {
    const expected = { statusCode: 200, headers: { ...OK.headers, vary: 'origin' }, body: OK.body };
    expect(await invoke(() => OK)).toEqual(expected);
    expect(await invoke(async () => OK)).toEqual(expected);
  });

  it('gives the pipeline a deadline before Lambda’s own', async () => {
    const requests: CodecRequest[] = [];
    const before = Date.now();
    await invoke(
      (request) => {
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

  it('survives an event that is none of the gateway’s', async () => {
    const event = { version: '1.0' } as unknown as ReturnType<typeof apiGatewayEvent>;
    expect(await invoke(() => OK, { event })).toMatchObject({
      statusCode: 500,
      headers: { 'x-request-id': 'lambda-1' },
    });
  });
});
