import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { LAMBDA_LIMITS } from '../../../lambda/server/http/message.ts';
import { contractPipeline, headersOf } from '../../contract/in-process.ts';
import { PATIENCE_MS } from '../../support/patience.ts';

it('keeps the limits of where it runs where the configuration leaves one undefined', async () => {
  const limits = { payloads: undefined } as object;
  const pipeline = contractPipeline({ config: { limits } });
  const answerTo = async (payloads: number) => {
    const body = Buffer.from(JSON.stringify({ payloads: Array.from({ length: payloads }, () => ({})) }));
    const header = (wanted: string) => headersOf({}).flatMap(([name, value]) => (name === wanted ? [value] : []));
    const deadline = Date.now() + PATIENCE_MS;
    return pipeline({ method: 'POST', path: '/decode', query: '', header, body, deadline, requestId: randomUUID() });
  };
  expect((await answerTo(LAMBDA_LIMITS.payloads)).status).toBe(200);
  expect((await answerTo(LAMBDA_LIMITS.payloads + 1)).status).toBe(413);
});
