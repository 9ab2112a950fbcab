/** What the synthesized stack does beyond the contract: limits of the gateway and of Lambda, starts, logs. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { formatKeyring, newKeyring } from '../../codec/keys/keyring/keyring.ts';
import { serializePayload } from '../../codec/payload.ts';
import type { EnvironmentConfig } from '../../config/environment.ts';
import dev from '../../environments/dev.ts';
import { HttpsIssuer } from '../support/https-issuer.ts';
import { testCertificate } from '../support/https-stand-in.ts';
import { KmsStandIn } from '../support/kms-stand-in.ts';
import { until } from '../support/patience.ts';
import { BACKWARD_ENCODING } from './support/own-codecs.ts';
import { type Deployed, startDeployed } from './support/start-deployed.ts';

const ORIGIN = 'https://cloud.temporal.io';
const base64 = (data: string | Uint8Array) => Buffer.from(data).toString('base64');
const plain = (data: string | Uint8Array) => ({
  metadata: { encoding: base64('binary/plain') },
  data: base64(data),
});

/** A payload of a few bytes that inflates to `bytes`. */
function deflated(bytes: number) {
  const inner = serializePayload({ metadata: { encoding: Buffer.from('binary/plain') }, data: new Uint8Array(bytes) });
  return { metadata: { encoding: base64('binary/zlib') }, data: base64(deflateSync(inner)) };
}

let issuer: HttpsIssuer;
let kms: KmsStandIn;

function configFor(changes: Partial<EnvironmentConfig> = {}): EnvironmentConfig {
  const { issuer: iss, jwksUri } = issuer;
  return {
    ...dev,
    identity: {
      issuers: [{ type: 'oidc', issuer: iss, jwksUri, audience: 'codec', from: 'authorization' }],
      serviceTokens: null,
    },
    access: [{ name: 'all', namespaces: ['*'], people: [{ emailDomain: 'example.com' }], allow: ['decode', 'encode'] }],
    ...changes,
  };
}

function post(deployed: Deployed, path: string, body: string, headers: Record<string, string> = {}) {
  return fetch(`${deployed.endpoint}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-namespace': 'orders.a1b2c',
      origin: ORIGIN,
      authorization: `Bearer ${issuer.token({ email: 'alice@example.com' })}`,
      ...headers,
    },
    body,
  });
}

const payloads = (...all: object[]) => JSON.stringify({ payloads: all });

beforeAll(async () => {
  issuer = await HttpsIssuer.start();
  kms = await KmsStandIn.start();
});

afterAll(async () => {
  await kms.close();
  await issuer.close();
});

describe('the synthesized stack', () => {
  let deployed: Deployed;
  beforeAll(async () => {
    deployed = await startDeployed(configFor(), { kms, trust: [testCertificate().cert] });
  });
  afterAll(() => deployed.close());

  it('runs the function with its configuration beside it', () => {
    const files = readdirSync(deployed.code);
    expect(files).toEqual(expect.arrayContaining(['config.json', 'index.mjs']));
    expect(files).not.toContain('codecs.mjs');
  });

  it('decodes what it encoded, at the endpoint of its output, through any prefix and any slashes', async () => {
    const encoded = await (await post(deployed, '//team/orders.a1b2c//encode', payloads(plain('hello')))).text();
    expect(encoded).not.toContain(base64('hello'));
    const decoded = await post(deployed, '//decode', encoded);
    expect(await decoded.json()).toEqual({ payloads: [plain('hello')] });
    expect(deployed.endpoint).not.toMatch(/\/$/);
  });

  it('names the key of the stack in what it encodes', async () => {
    const encoded = (await (await post(deployed, '/encode', payloads(plain('x')))).json()) as {
      payloads: { data: string }[];
    };
    expect(Buffer.from(encoded.payloads[0]?.data ?? '', 'base64').includes(deployed.keyArn ?? '-')).toBe(true);
  });

  it('is alive and ready', async () => {
    for (const path of ['/healthz', '/readyz']) expect((await fetch(`${deployed.endpoint}${path}`)).status).toBe(200);
  });

  it('answers 413 itself for a body that Lambda could take and the limits do not', async () => {
    const answer = await post(deployed, '/decode', payloads(plain(randomBytes(3_200_000))));
    expect(answer.status).toBe(413);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  });

  it('takes a body up to the limit, also where it is nothing but quotes and backslashes', async () => {
    const escaped = `{"x":"${'\\"'.repeat(1_490_000)}"}`;
    expect(Buffer.byteLength(escaped)).toBeLessThan(4_000_000);
    expect((await post(deployed, '/decode', escaped)).status).toBe(200);
    expect((await post(deployed, '/decode', payloads(plain(randomBytes(2_950_000))))).status).toBe(200);
  });

  it('answers 413 itself when the decoded payloads are more than Lambda can answer with', async () => {
    expect((await post(deployed, '/decode', payloads(deflated(4_000_000)))).status).toBe(200);
    const answer = await post(deployed, '/decode', payloads(deflated(5_000_000)));
    expect(answer.status).toBe(413);
    expect(await answer.text()).toContain('6 MB');
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  });

  it('is refused by the gateway for more than 10,240 bytes of headers and more than 10 MB of body', async () => {
    expect((await post(deployed, '/decode', '{}', { 'x-large': 'x'.repeat(10_240) })).status).toBe(431);
    expect((await post(deployed, '/decode', `"${'x'.repeat(11_000_000)}"`)).status).toBe(413);
  });

  it('takes both tokens of a person with many groups', async () => {
    const token = issuer.token({ email: 'alice@example.com', groups: 'g'.repeat(2_500) });
    const headers = { authorization: `Bearer ${token}`, 'authorization-extras': token };
    expect((await post(deployed, '/decode', '{}', headers)).status).toBe(200);
  });

  it('answers preflight without waking the function', async () => {
    const before = deployed.lambda.log.length;
    const answer = await fetch(`${deployed.endpoint}/decode`, {
      method: 'OPTIONS',
      headers: { origin: ORIGIN, 'access-control-request-method': 'POST' },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-max-age')).toBe('7200');
    expect(deployed.lambda.log).toHaveLength(before);
  });

  it('writes an audit line and metrics per request, and neither token nor plaintext', async () => {
    const canary = `canary-${randomBytes(8).toString('hex')}`;
    const answer = await post(deployed, '/encode', payloads(plain(canary)));
    const requestId = answer.headers.get('x-request-id') ?? '';
    await deployed.lambda.logged((line) => line.includes(requestId));
    const line = deployed.lambda.log.find((it) => it.includes(requestId)) ?? '';
    expect(JSON.parse(line)).toMatchObject({
      type: 'audit',
      operation: 'encode',
      status: 200,
      caller: { email: 'alice@example.com' },
      namespaces: { allowed: ['orders.a1b2c'] },
      payloads: { encoded: 1 },
      keyIds: [deployed.keyArn],
    });
    const metrics = deployed.lambda.log.map((it) => JSON.parse(it)).filter(({ type }) => type === 'metrics');
    expect(metrics.length).toBeGreaterThan(0);
    for (const it of metrics)
      expect(it).toMatchObject({ Environment: 'test', Served: expect.any(Number), NotServed: expect.any(Number) });
    const everything = [...deployed.lambda.log, ...deployed.lambda.errors].join('\n');
    for (const secret of [canary, base64(canary), ...kms.plaintexts]) expect(everything).not.toContain(secret);
    // The head of a token; a request id of the gateway may begin like one, and is shorter.
    expect(everything).not.toMatch(/eyJ[\w-]{16}/);
  });

  it('serves requests at a time with an instance each, and starts again when they are gone', async () => {
    await deployed.lambda.coolDown();
    const started = deployed.lambda.started;
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(deployed, '/decode', '{}')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(deployed.lambda.started - started).toBe(2);
  });
});

describe('the function', () => {
  it('starts while KMS and the issuer are out, says 503, and is well when they are back', async () => {
    kms.trouble = () => 'throttle';
    issuer.mood = { kind: 'cut-off' };
    const deployed = await startDeployed(configFor(), { kms, trust: [testCertificate().cert], maxInstances: 1 });
    try {
      expect((await fetch(`${deployed.endpoint}/healthz`)).status).toBe(200);
      expect((await fetch(`${deployed.endpoint}/readyz`)).status).toBe(503);
      expect((await post(deployed, '/encode', payloads(plain('x')))).status).toBe(503);
      kms.trouble = () => 'ok';
      issuer.mood = { kind: 'in-order' };
      const isWell = async () => (await post(deployed, '/encode', payloads(plain('x')))).status === 200;
      await until(isWell, 'it still says 503');
    } finally {
      kms.trouble = () => 'ok';
      issuer.mood = { kind: 'in-order' };
      await deployed.close();
    }
  });

  it('answers before Lambda’s time is up when KMS hangs', async () => {
    const deployed = await startDeployed(configFor(), { kms, trust: [testCertificate().cert], maxInstances: 1 });
    try {
      kms.trouble = () => 'hang';
      const answer = await post(deployed, '/encode', payloads(plain('x')), { 'x-namespace': 'slow.a1b2c' });
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    } finally {
      kms.trouble = () => 'ok';
      await deployed.close();
    }
  });

  it('is throttled by the gateway, without being woken, as the environment says', async () => {
    const deployed = await startDeployed(
      configFor({ deployment: { ...dev.deployment, throttling: { rate: 1, burst: 3 } } }),
      { kms, trust: [testCertificate().cert] },
    );
    try {
      const answers = await Promise.all(Array.from({ length: 30 }, () => post(deployed, '/decode', '{}')));
      const served = answers.filter(({ status }) => status === 200).length;
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
      expect(served).toBeGreaterThanOrEqual(3);
      expect(deployed.lambda.invocations).toBe(served);
    } finally {
      await deployed.close();
    }
  });

  it('encodes and decodes under a keyring in a secret of the stack, and asks KMS for nothing', async () => {
    const keyringSecret = { secret: 'created-by-stack', namespaces: ['orders.a1b2c'] } as const;
    const keyring = newKeyring('in-a-secret');
    const before = kms.calls.length;
    const deployed = await startDeployed(configFor({ keys: { ...dev.keys, kms: null, keyringSecret } }), {
      kms,
      trust: [testCertificate().cert],
      secretTexts: { SecretsKeyring: formatKeyring(keyring) },
    });
    try {
      const encoded = await (await post(deployed, '/encode', payloads(plain('hello')))).text();
      expect(encoded).not.toContain(base64('hello'));
      expect(await (await post(deployed, '/decode', encoded)).json()).toEqual({ payloads: [plain('hello')] });
      expect((await fetch(`${deployed.endpoint}/readyz`)).status).toBe(200);
      expect(kms.calls.length).toBe(before);
    } finally {
      await deployed.close();
    }
  });

  it('opens what was written under a static key in a secret of the stack', async () => {
    const key = randomBytes(32);
    const document = { keys: [{ id: 'old', key: key.toString('base64'), namespaces: ['orders.a1b2c'] }] };
    const deployed = await startDeployed(
      configFor({ keys: { ...dev.keys, staticKeys: { secret: 'created-by-stack' } } }),
      { kms, trust: [testCertificate().cert], secretTexts: { SecretsStaticKeys: JSON.stringify(document) } },
    );
    try {
      const { createCipheriv } = await import('node:crypto');
      const inner = serializePayload({
        metadata: { encoding: Buffer.from('binary/plain') },
        data: Buffer.from('written before'),
      });
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const sealed = Buffer.concat([nonce, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
      const payload = {
        metadata: { encoding: base64('binary/encrypted'), 'encryption-key-id': base64('old') },
        data: base64(sealed),
      };
      const answer = await post(deployed, '/decode', payloads(payload));
      expect(await answer.json()).toEqual({ payloads: [plain('written before')] });
    } finally {
      await deployed.close();
    }
  });

  it('reads with codecs of a team’s own, which are a module beside it', async () => {
    const codecsEntry = fileURLToPath(new URL('support/own-codecs.ts', import.meta.url));
    const deployed = await startDeployed(configFor(), { kms, trust: [testCertificate().cert], codecsEntry });
    try {
      const payload = { metadata: { encoding: base64(BACKWARD_ENCODING) }, data: base64('drawkcab') };
      expect(await (await post(deployed, '/decode', payloads(payload))).json()).toEqual({
        payloads: [plain('backward')],
      });
    } finally {
      await deployed.close();
    }
  });
});
