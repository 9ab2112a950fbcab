/**
 * Canaries: unique secrets are sent down every path at the most talkative log level, and then looked
 * for in everything that came out: log, audit, metrics and responses.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { PayloadCodec } from '@temporalio/common';
import { KeyUnavailableError } from '../../codec/errors.ts';
import type { DataKey } from '../../codec/keys/data-key.ts';
import type { KeySource } from '../../codec/keys/key-source.ts';
import { serializePayload } from '../../codec/payload.ts';
import type { CodecServerConfig } from '../../config/schema.ts';
import local from '../../environments/local.ts';
import { allSinks, createAuditLog } from '../../lambda/server/audit/audit.ts';
import { createLogger } from '../../lambda/server/audit/logger.ts';
import { createMetrics } from '../../lambda/server/audit/metrics.ts';
import { observeIdentity } from '../../lambda/server/audit/observe.ts';
import { makeServiceToken } from '../../lambda/server/auth/service-tokens.ts';
import { createCodecServer } from '../../lambda/server/create-codec-server.ts';
import { type CodecPipeline, LOCAL_LIMITS } from '../../lambda/server/http/message.ts';
import { openIdentity } from '../../lambda/server/open-identity.ts';
import { openServerKeys } from '../../lambda/server/open-keys.ts';
import { TestClock } from '../support/clock.ts';
import { CloudOps, cloudUser } from '../support/cloud-ops.ts';
import { ask, type CodecRequestParts } from '../support/codec-request.ts';
import { HttpsIssuer } from '../support/https-issuer.ts';
import { standInGet } from '../support/https-stand-in.ts';
import { type JsonPayload, jsonPlain, payloadOf, sealAesGcm, toJson } from '../support/payloads.ts';

const ORIGIN = local.cors.origins[0] ?? '';
let count = 0;
/** A text that occurs nowhere else. */
const canary = (kind: string): string => `${kind}${++count}${randomBytes(9).toString('hex')}`;

describe('secrets', () => {
  /** Must be in nothing that comes out. */
  const secrets = new Map<string, string>();
  /** May be in the audit log, and in what their owner is told. */
  const emails = new Set<string>();
  /** May be in the answer to whoever may read them. */
  const plaintexts = new Set<string>();
  const written: { readonly type: string; readonly line: string }[] = [];
  const responses: { readonly text: string; readonly mayHold: string }[] = [];
  const staticKey = randomBytes(32);
  const serviceToken = makeServiceToken('ci');
  const apiKey = canary('apikey');
  let folder: string;
  let issuer: HttpsIssuer;
  let cloud: CloudOps;
  let pipeline: CodecPipeline;
  let trouble: (() => Error) | undefined;
  let customTrouble: string | undefined;
  let close: () => void;

  function secret(kind: string, value: string): string {
    secrets.set(value, kind);
    return value;
  }

  function keyBytes(kind: string, bytes: Uint8Array): void {
    for (const encoding of ['base64', 'base64url', 'hex', 'latin1'] as const) {
      secret(`${kind} in ${encoding}`, Buffer.from(bytes).toString(encoding).replace(/=+$/, ''));
    }
  }

  const noting = (key: DataKey): DataKey => {
    keyBytes('a data key', key.bytes);
    return key;
  };

  /** A key source that notes every key it gives, and fails when told to. */
  function watched(source: KeySource): KeySource {
    return {
      unwrap(request, context) {
        if (trouble !== undefined) throw trouble();
        const key = source.unwrap(request, context);
        return key instanceof Promise ? key.then(noting) : noting(key);
      },
      materialsFor(encryptionContext, length, context) {
        if (trouble !== undefined) throw trouble();
        const materials = source.materialsFor(encryptionContext, length, context);
        if (materials instanceof Promise) return materials.then((it) => ({ ...it, dataKey: noting(it.dataKey) }));
        noting(materials.dataKey);
        return materials;
      },
    };
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'canary-'));
    issuer = await HttpsIssuer.start();
    cloud = await CloudOps.start();
    cloud.apiKey = secret('the API key', apiKey);
    cloud.users = [cloudUser('roles@acme.com', 'ROLE_READ', { orders: 'PERMISSION_READ' })];
    const entry = { id: 'static-1', key: staticKey.toString('base64'), namespaces: ['orders'] };
    const privately = { mode: 0o600 };
    writeFileSync(join(folder, 'static.json'), JSON.stringify({ keys: [entry] }), privately);
    writeFileSync(join(folder, 'tokens.json'), JSON.stringify({ tokens: [serviceToken.entry] }), privately);
    writeFileSync(join(folder, 'api-key'), apiKey, privately);
    keyBytes('the static key', staticKey);
    secret('the service token', serviceToken.token);
    const codec: PayloadCodec = {
      encode: async (payloads) => payloads,
      decode: async (payloads) => {
        if (customTrouble !== undefined) throw new Error(`codec failed on ${customTrouble}`);
        return payloads;
      },
    };
    const config: CodecServerConfig = {
      ...local,
      explainTo: 'browsers-and-cli',
      identity: {
        issuers: [
          { type: 'oidc', issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience: 'codec', from: 'authorization' },
        ],
        serviceTokens: { file: 'tokens.json' },
        temporalCloudRoles: { apiKey: { file: 'api-key' }, endpoint: cloud.origin },
      },
      access: [
        { name: 'team', namespaces: ['orders'], people: [{ emailDomain: 'acme.com' }], allow: ['decode', 'encode'] },
        { name: 'roles', namespaces: ['orders', 'roles'], people: [{ temporalCloudRole: 'read' }], allow: ['decode'] },
        { name: 'ci', namespaces: ['orders'], people: [{ serviceToken: 'ci' }], allow: ['decode'] },
      ],
      codecs: [{ codec }],
      keys: { ...local.keys, keyring: { file: 'keyring.json' }, staticKeys: { file: 'static.json' } },
    };
    const write = (line: string) => void written.push({ type: String(JSON.parse(line).type), line });
    const logger = createLogger(write, 'DEBUG');
    const metrics = createMetrics(write, 'test');
    const keys = await openServerKeys(config.keys, { cwd: folder });
    const keyring = JSON.parse(readFileSync(join(folder, 'keyring.json'), 'utf8'));
    for (const { key } of keyring.keys) keyBytes('a keyring key', Buffer.from(key, 'base64'));
    const identity = await openIdentity(config.identity as NonNullable<typeof config.identity>, {
      cwd: folder,
      httpsGet: standInGet(),
      ...observeIdentity(logger, metrics),
    });
    pipeline = createCodecServer(
      config,
      {
        keys: { ...keys, source: watched(keys.source) },
        authenticator: identity.authenticator,
        roles: identity.roles,
      },
      {
        audit: allSinks(createAuditLog(write), metrics),
        limits: LOCAL_LIMITS,
        onBug: (error, requestId) => logger.error('a request failed by a bug', { requestId }, error),
      },
    );
    close = () => keys.close();
  });

  afterEach(() => {
    jest.restoreAllMocks();
    trouble = undefined;
    customTrouble = undefined;
    issuer.mood = { kind: 'in-order' };
    cloud.mood = { kind: 'in-order' };
  });

  afterAll(async () => {
    close();
    await issuer.close();
    await cloud.close();
    rmSync(folder, { recursive: true });
  });

  function token(claims: Record<string, unknown> = {}): string {
    const text = issuer.token({ jti: canary('jti'), ...claims });
    secret('a token', text);
    for (const part of text.split('.').slice(1)) secret('a part of a token', part);
    return text;
  }

  function person(domain = 'acme.com'): { email: string; authorization: string } {
    const email = `${canary('person')}@${domain}`;
    emails.add(email);
    return { email, authorization: `Bearer ${token({ email })}` };
  }

  function plaintext(): string {
    const text = canary('plaintext');
    plaintexts.add(text);
    return text;
  }

  /** Sends a request, and keeps the answer with what it may hold. */
  async function send(parts: CodecRequestParts, mayHold = ''): Promise<{ status: number; payloads: JsonPayload[] }> {
    const response = await ask(pipeline, { ...parts, headers: { 'x-namespace': 'orders', ...parts.headers } });
    const { payloads = [] } = (response.status === 200 ? JSON.parse(response.body) : {}) as {
      payloads?: JsonPayload[];
    };
    const data = payloads.map(({ data: it = '' }) => Buffer.from(it, 'base64').toString('latin1')).join('\n');
    responses.push({ text: `${JSON.stringify(response.headers)}\n${response.body}\n${data}`, mayHold });
    return { status: response.status, payloads };
  }

  async function encoded(text: string, by = person()): Promise<JsonPayload> {
    const { authorization } = by;
    const { payloads } = await send({
      path: '/encode',
      headers: { authorization },
      body: { payloads: [toJson(jsonPlain(text))] },
    });
    return payloads[0] as JsonPayload;
  }

  const sampleOf = (text: string, key = staticKey, id = 'static-1'): JsonPayload =>
    toJson(
      payloadOf(
        { encoding: 'binary/encrypted', 'encryption-key-id': id },
        sealAesGcm(key, serializePayload(jsonPlain(text))),
      ),
    );

  it('go down the paths on which all is well', async () => {
    for (const make of [encoded, async (text: string) => sampleOf(text)]) {
      const text = plaintext();
      const payload = await make(text);
      for (const headers of [{}, { origin: ORIGIN }]) {
        const { email, authorization } = person();
        expect(
          (await send({ headers: { authorization, ...headers }, body: { payloads: [payload] } }, text + email)).status,
        ).toBe(200);
      }
      const { status } = await send(
        { headers: { authorization: serviceToken.token }, body: { payloads: [payload] } },
        text,
      );
      expect(status).toBe(200);
      const roles = `Bearer ${token({ email: 'roles@acme.com' })}`;
      await send({ headers: { authorization: roles, 'x-namespace': 'roles' }, body: { payloads: [payload] } }, text);
    }
    expect(responses.some(({ text, mayHold }) => mayHold !== '' && text.includes(mayHold.slice(0, 20)))).toBe(true);
  });

  it('go down the paths of those who may not', async () => {
    const payload = await encoded(plaintext());
    for (const headers of [{}, { origin: ORIGIN }, { 'x-namespace': canary('namespace') }]) {
      const stranger = person('evil.example');
      await send(
        { headers: { authorization: stranger.authorization, ...headers }, body: { payloads: [payload] } },
        stranger.email,
      );
      await send(
        {
          path: '/encode',
          headers: { authorization: stranger.authorization, ...headers },
          body: { payloads: [payload] },
        },
        stranger.email,
      );
    }
    // What is not encrypted goes back to whoever sent it.
    const open = plaintext();
    const bodies = [{ payloads: [toJson(jsonPlain(open))] }, { payloads: [payload] }];
    const unverified = `${canary('person')}@acme.com`;
    emails.add(unverified);
    for (const body of bodies) {
      for (const authorization of [
        '',
        `Basic ${secret('a password', canary('password'))}`,
        secret('an opaque token', canary('opaque')),
        token({ exp: 1, iat: 0 }),
        token({ aud: 'x' }),
        token({ iss: 'https://evil.example/' }),
        `${token().slice(0, -6)}AAAAAA`,
        token({ sub: undefined }),
        secret('an unknown service token', makeServiceToken('ci').token),
      ]) {
        expect((await send({ headers: { authorization }, body })).status).toBe(401);
      }
      expect((await send({ headers: { authorization: [token(), token()] }, body })).status).toBe(401);
      await send({ headers: { authorization: token({ email: unverified, email_verified: false }) }, body }, open);
      await send({ headers: { cookie: `session=${secret('a cookie', canary('cookie'))}` }, body });
      await send({ query: `token=${token()}&x=${secret('a query', canary('query'))}`, body });
    }
  });

  it('go down the paths of payloads that stay closed', async () => {
    const { email, authorization } = person();
    const payload = await encoded(plaintext());
    const bytes = Buffer.from(payload.data ?? '', 'base64');
    const broken = [0, 3, 40, 120, bytes.length - 5].map((at) => {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      return { ...payload, data: flipped.toString('base64') };
    });
    const cut = [1, 20, 100, bytes.length - 1].map((end) => ({
      ...payload,
      data: bytes.subarray(0, end).toString('base64'),
    }));
    const unknown = [sampleOf(plaintext(), randomBytes(32)), sampleOf(plaintext(), staticKey, 'unknown')];
    for (const headers of [{ authorization }, { authorization, origin: ORIGIN }]) {
      expect((await send({ headers, body: { payloads: [...broken, ...cut, ...unknown] } }, email)).status).toBe(200);
    }
  });

  it('go down the paths of bodies that are none', async () => {
    const { email, authorization } = person();
    const text = plaintext();
    const json = JSON.stringify({ payloads: [toJson(jsonPlain(text))] });
    const bodies = [
      json.slice(0, -2),
      `${json}x`,
      `{"payloads":"${text}"}`,
      `{"payloads":[{"data":"${text}!"}]}`,
      `["${text}"]`,
      text,
    ];
    for (const path of ['/decode', '/encode']) {
      for (const body of bodies)
        expect((await send({ path, headers: { authorization }, body }, email)).status).toBe(400);
      await send({ path, headers: { authorization, 'content-type': 'text/plain' }, body: json }, email);
      await send({ path: `/${text}${path}/x`, headers: { authorization }, body: json }, email);
      await send({ path, headers: { authorization, origin: 'https://evil.example' }, body: json }, email);
    }
  });

  it('go down the paths of outages and bugs', async () => {
    const clock = new TestClock();
    const { email, authorization } = person();
    const text = plaintext();
    const payload = await encoded(text);
    const plain = { payloads: [toJson(jsonPlain(plaintext()))] };
    const body = { payloads: [payload] };
    const troubles = [
      () => new KeyUnavailableError('throttled', 'the key service throttles'),
      () => new Error(`cannot read ${text} of ${email} with ${authorization}`),
      () => Object.assign(new TypeError(text), { code: text, reason: text, cause: new Error(text) }),
    ];
    for (const make of troubles) {
      trouble = make;
      await send({ headers: { authorization }, body }, email);
      await send({ path: '/encode', headers: { authorization }, body: plain }, email);
    }
    trouble = undefined;
    customTrouble = text;
    await send({ headers: { authorization, origin: ORIGIN }, body }, email);
    customTrouble = undefined;

    cloud.mood = { kind: 'garbage', body: text };
    clock.advance(3_600_000);
    const roles = token({ email: 'roles@acme.com', exp: Math.floor(Date.now() / 1000) + 600 });
    expect(
      (await send({ headers: { authorization: roles, 'x-namespace': 'roles' }, body: { payloads: [sampleOf(text)] } }))
        .status,
    ).toBe(503);
    issuer.mood = { kind: 'garbage', body: text };
    clock.advance(24 * 3_600_000);
    const fresh = token({ exp: Math.floor(Date.now() / 1000) + 600 });
    expect((await send({ headers: { authorization: fresh }, body })).status).toBe(503);
  });

  describe('are then', () => {
    it('many, and looked for in much', () => {
      expect(secrets.size).toBeGreaterThan(100);
      expect(plaintexts.size).toBeGreaterThan(8);
      expect(emails.size).toBeGreaterThan(10);
      expect(responses.length).toBeGreaterThan(70);
      for (const type of ['audit', 'metrics', 'log']) expect(written.some((it) => it.type === type)).toBe(true);
      expect(written.some(({ line }) => line.includes('a request failed by a bug'))).toBe(true);
    });

    it('in no line: no plaintext, no key, no token', () => {
      const all = written.map(({ line }) => line).join('\n');
      for (const [value, kind] of secrets) expect([kind, all.includes(value)]).toEqual([kind, false]);
      for (const text of plaintexts) {
        const base64 = Buffer.from(JSON.stringify(text)).toString('base64').slice(0, -4);
        const lines = written.filter(({ line }) => line.includes(text) || line.includes(base64));
        expect(lines).toEqual([]);
      }
    });

    it('in no answer but the one they belong to', () => {
      for (const { text, mayHold } of responses) {
        for (const [value, kind] of secrets) expect([kind, text.includes(value)]).toEqual([kind, false]);
        for (const one of plaintexts) if (!mayHold.includes(one)) expect(text).not.toContain(one);
        for (const one of emails) if (!mayHold.includes(one)) expect(text).not.toContain(one);
      }
    });

    it('as far as they are emails, in audit lines alone', () => {
      const audit = written.filter(({ type }) => type === 'audit').map(({ line }) => line);
      const others = written.filter(({ type }) => type !== 'audit').map(({ line }) => line);
      const unverified = [...emails].filter((email) => !audit.some((line) => line.includes(email)));
      expect(unverified).toHaveLength(1);
      for (const email of emails) expect(others.join('\n')).not.toContain(email);
    });
  });
});
