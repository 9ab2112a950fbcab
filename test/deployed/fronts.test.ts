/** What a REST API does beyond the contract: whom it lets in, its limits, its own answers, and ids that callers would like to choose. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpsIssuer } from '../support/https-issuer.ts';
import { testCertificate } from '../support/https-stand-in.ts';
import { environmentWith } from './environment.ts';
import { PRIVATE, REST_FRONTS } from './fronts.ts';
import type { RestApi } from './support/rest-api.ts';
import { type Deployed, startDeployed } from './support/start-deployed.ts';

const ORIGIN = 'https://cloud.temporal.io';

describe.each(REST_FRONTS)('the synthesized stack behind $name', ({ front, from, strangers }) => {
  let issuer: HttpsIssuer;
  let deployed: Deployed;
  let api: RestApi;

  beforeAll(async () => {
    issuer = await HttpsIssuer.start();
    const { issuer: iss, jwksUri } = issuer;
    const config = environmentWith(
      {
        identity: {
          issuers: [{ type: 'oidc', issuer: iss, jwksUri, audience: 'codec', from: 'authorization' }],
          serviceTokens: null,
        },
        access: [
          { name: 'all', namespaces: ['live', 'orders'], people: [{ emailDomain: 'example.com' }], allow: ['encode'] },
        ],
      },
      front,
    );
    deployed = await startDeployed(config, { from, trust: [testCertificate().cert] });
    api = deployed.api as RestApi;
  });
  afterAll(async () => {
    await deployed.close();
    await issuer.close();
  });

  const post = (path: string, headers: Record<string, string> = {}, body = '{}') =>
    fetch(`${deployed.endpoint}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        origin: ORIGIN,
        authorization: `Bearer ${issuer.token({ email: 'alice@example.com' })}`,
        ...headers,
      },
      body,
    });

  it('lets in whom it should, and nobody else, not even to a preflight', async () => {
    expect((await post('/decode')).status).toBe(200);
    for (const stranger of strangers) {
      api.from = stranger;
      const before = deployed.lambda.invocations;
      expect((await post('/decode')).status).toBe(403);
      expect((await fetch(`${deployed.endpoint}/decode`, { method: 'OPTIONS' })).status).toBe(403);
      expect(deployed.lambda.invocations).toBe(before);
    }
    api.from = from;
  });

  it('takes as many bytes of headers as its kind of endpoint does', async () => {
    const most = front === PRIVATE.front ? 8_000 : 10_240;
    const token = issuer.token({ email: 'alice@example.com' });
    const around = 700 + token.length;
    expect((await post('/decode', { 'x-large': 'x'.repeat(most - around) })).status).toBe(200);
    expect((await post('/decode', { 'x-large': 'x'.repeat(most) })).status).toBe(431);
  });

  it('does not take its stage for a namespace', async () => {
    const plain = JSON.stringify({ payloads: [{ metadata: { encoding: 'YmluYXJ5L3BsYWlu' }, data: 'YQ==' }] });
    expect((await post('/encode', {}, plain)).status).toBe(400);
    expect((await post('/live/encode', {}, plain)).status).toBe(200);
    expect((await post('/payroll/encode', {}, plain)).status).toBe(400);
    expect((await post('/payroll/encode', { 'x-namespace': 'payroll' }, plain)).status).toBe(403);
  });

  it('accounts for a request by an id that its caller cannot choose', async () => {
    const answer = await post('/decode', { 'x-amzn-requestid': 'chosen', 'x-request-id': 'chosen' });
    const id = answer.headers.get('x-request-id') ?? '';
    expect(id).toBe(answer.headers.get('x-amz-apigw-id'));
    await deployed.lambda.logged((line) => line.includes(id));
    expect(deployed.lambda.log.join('\n')).not.toContain('chosen');
  });

  it('answers by itself so that the page can read it, but for what is too large', async () => {
    const missing = await fetch(`${deployed.endpoint}/decode`, { headers: { origin: ORIGIN } });
    expect([missing.status, missing.headers.get('access-control-allow-origin')]).toEqual([404, ORIGIN]);
    const tooLarge = await post('/decode', {}, `"${'x'.repeat(11_000_000)}"`);
    expect([tooLarge.status, tooLarge.headers.get('access-control-allow-origin')]).toEqual([413, null]);
  });

  it('is alive and ready, below its stage and nowhere else', async () => {
    for (const path of ['/healthz', '/readyz']) expect((await fetch(`${deployed.endpoint}${path}`)).status).toBe(200);
    expect((await fetch(`${api.origin}/healthz`)).status).toBe(403);
  });
});
