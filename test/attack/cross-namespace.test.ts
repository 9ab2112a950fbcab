/** A reader of `orders` tries to read `billing`, under each format, in every disguise. */
import { deflateSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { DataKeyCache } from '../../codec/keys/cache/data-key-cache.ts';
import { combineKeySources } from '../../codec/keys/combined-keys.ts';
import { type KmsKeyPairing, KmsKeys } from '../../codec/keys/kms/kms-key-source.ts';
import { StaticKeySource } from '../../codec/keys/static/static-key-source.ts';
import { parseStaticKeys } from '../../codec/keys/static/static-keys.ts';
import { type Payload, serializePayload } from '../../codec/payload.ts';
import type { FailuresSetting } from '../../config/schema.ts';
import local from '../../environments/local.ts';
import { createCodecServer } from '../../lambda/server/create-codec-server.ts';
import { type CodecPipeline, LOCAL_LIMITS } from '../../lambda/server/http/message.ts';
import { person } from '../support/callers.ts';
import { ask, type CodecRequestParts } from '../support/codec-request.ts';
import { MemoryKms } from '../support/memory-kms.ts';
import { type JsonPayload, jsonPlain, payloadOf, sealAesGcm, toJson } from '../support/payloads.ts';
import { RivalPayloads } from '../support/rival-payloads.ts';

const ORDERS = 'orders.a1b2c';
const BILLING = 'billing.a1b2c';
const ORDERS_TEXT = 'plaintext-of-orders';
const BILLING_TEXT = 'plaintext-of-billing';
const ORDERS_STATIC = Buffer.alloc(32, 1);
const BILLING_STATIC = Buffer.alloc(32, 2);
const ORIGIN = local.cors.origins[0] ?? '';

/** A namespace as its worker sees it: its KMS key, its static key, and what it seals. */
interface Side {
  readonly namespace: string;
  readonly key: string;
  readonly staticKey: Buffer;
  readonly staticKeyId: string;
}

type Make = (side: Side, inner: Uint8Array) => Payload;

let kms: MemoryKms;
let orders: Side;
let billing: Side;
let sharedKey: string;

const rivals = (inner: Uint8Array): RivalPayloads => new RivalPayloads(kms, inner);
const sample = ({ staticKey }: Side, inner: Uint8Array, metadata: Record<string, string>): Payload =>
  payloadOf({ encoding: 'binary/encrypted', ...metadata }, sealAesGcm(staticKey, inner));

/** Every format that is read, made for a side with its own keys. */
const FORMATS: readonly (readonly [name: string, make: Make])[] = [
  ['our own', (side, inner) => rivals(inner).ours(side.key, side.namespace)],
  ['temporal-proxy', (side, inner) => rivals(inner).temporalProxy(side.key)],
  ['temporal-cloud-proxy', (side, inner) => rivals(inner).temporalCloudProxy(side.key, side.namespace)],
  ['the Python KMS sample', (side, inner) => rivals(inner).pythonSample(side.key)],
  ['stdgo', (side, inner) => rivals(inner).stdgo(side.key, side.namespace)],
  ['the Java KMS sample', (side, inner) => rivals(inner).javaKmsSample(side.key)],
  ['a sample with a key id', (side, inner) => sample(side, inner, { 'encryption-key-id': side.staticKeyId })],
  [
    'the Java sample',
    (side, inner) =>
      sample(side, inner, { 'encryption-key-id': side.staticKeyId, 'encryption-cipher': 'AES/GCM/NoPadding' }),
  ],
];

/** Every format under one KMS key that both namespaces read. Those that bind no namespace open for nobody. */
const SHARED_KEY: readonly (readonly [name: string, make: Make])[] = [
  ['our own under a shared key', (side, inner) => rivals(inner).ours(sharedKey, side.namespace)],
  [
    'temporal-cloud-proxy under a shared key',
    (side, inner) => rivals(inner).temporalCloudProxy(sharedKey, side.namespace),
  ],
  ['stdgo under a shared key', (side, inner) => rivals(inner).stdgo(sharedKey, side.namespace)],
  [
    'temporal-proxy with a namespace in its context under a shared key',
    (side, inner) =>
      rivals(inner).temporalProxy(
        sharedKey,
        `context_namespace=${side.namespace}`,
        new Map([['namespace', side.namespace]]),
      ),
  ],
];

const UNBOUND_SHARED: readonly (readonly [name: string, make: Make])[] = [
  ['temporal-proxy under a shared key', (_, inner) => rivals(inner).temporalProxy(sharedKey)],
  [
    'temporal-proxy under a shared key, with a key of another application',
    (_, inner) =>
      rivals(inner).temporalProxy(sharedKey, 'context_application=payroll', new Map([['application', 'payroll']])),
  ],
  ['the Python KMS sample under a shared key', (_, inner) => rivals(inner).pythonSample(sharedKey)],
  ['the Java KMS sample under a shared key', (_, inner) => rivals(inner).javaKmsSample(sharedKey)],
  [
    'the Java KMS sample with a signature under a shared key',
    (_, inner) => rivals(inner).javaKmsSample(sharedKey, new Map([['signature', 'workflow-1']])),
  ],
];

const ZLIB: Make = (_, inner) => payloadOf({ encoding: 'binary/zlib' }, deflateSync(inner));
const ALL = [...FORMATS, ...SHARED_KEY, ...UNBOUND_SHARED];
const OPENS = new Set([...FORMATS, ...SHARED_KEY].map(([name]) => name));

const EVERY_FORMAT = [
  'temporal-proxy',
  'temporal-cloud-proxy',
  'kms-python-sample',
  'kms-java-sample',
  'stdgo',
] as const;

function pipelineFor(failures: FailuresSetting): CodecPipeline {
  const pairings: KmsKeyPairing[] = [
    ...[orders, billing].map(({ namespace, key }) => ({
      namespaces: [namespace],
      write: key,
      foreignFormats: EVERY_FORMAT,
    })),
    {
      namespaces: [ORDERS, BILLING],
      write: null,
      read: [sharedKey],
      foreignFormats: ['temporal-proxy', 'temporal-cloud-proxy', 'stdgo'],
      keyUriContexts: [{ namespace: ORDERS }, { namespace: BILLING }],
    },
  ];
  const document = {
    keys: [orders, billing].map(({ namespace, staticKey, staticKeyId }) => ({
      id: staticKeyId,
      key: staticKey.toString('base64'),
      namespaces: [namespace],
    })),
  };
  const source = combineKeySources(
    new DataKeyCache(new KmsKeys(pairings, { kms })),
    new StaticKeySource(parseStaticKeys(JSON.stringify(document), 'refused')),
  );
  const config = {
    ...local,
    failures,
    defaultNamespace: ORDERS,
    access: [
      { name: 'orders', namespaces: [ORDERS], people: [{ email: 'a@acme.com' }], allow: ['decode', 'encode'] as const },
    ],
  };
  return createCodecServer(
    config,
    {
      keys: { source, keyring: undefined, close: () => {} },
      authenticator: { authenticate: () => person('a@acme.com') },
    },
    {
      audit: { record: () => {} },
      limits: LOCAL_LIMITS,
      onBug: (error) => {
        throw error;
      },
    },
  );
}

const inner = (text: string): Uint8Array => serializePayload(jsonPlain(text));

/** Everything in an answer that could be a plaintext. */
function textOf(body: string): string {
  const { payloads = [] } = (body.startsWith('{') ? JSON.parse(body) : {}) as { payloads?: JsonPayload[] };
  return body + payloads.map(({ data = '' }) => Buffer.from(data, 'base64').toString('latin1')).join();
}

beforeEach(() => {
  kms = new MemoryKms();
  sharedKey = kms.createKey('shared');
  orders = { namespace: ORDERS, key: kms.createKey('orders'), staticKey: ORDERS_STATIC, staticKeyId: 'orders-1' };
  billing = { namespace: BILLING, key: kms.createKey('billing'), staticKey: BILLING_STATIC, staticKeyId: 'billing-1' };
});

describe.each(ALL)('a payload of another namespace in the format %s', (name, make) => {
  const ways: readonly (readonly [name: string, request: () => CodecRequestParts])[] = [
    ['under the caller’s own X-Namespace', () => ({ headers: { 'x-namespace': ORDERS } })],
    ['in the caller’s own path', () => ({ path: `/${ORDERS}/decode` })],
    [
      'in the caller’s own path under the other X-Namespace',
      () => ({ path: `/${ORDERS}/decode`, headers: { 'x-namespace': BILLING } }),
    ],
    [
      'in the other path under the caller’s own X-Namespace',
      () => ({ path: `/${BILLING}/decode`, headers: { 'x-namespace': ORDERS } }),
    ],
    ['under its own X-Namespace', () => ({ headers: { 'x-namespace': BILLING } })],
    ['with no namespace named', () => ({})],
    [
      'as the Web UI would ask',
      () => ({ query: 'preserveStorageRefs=true', headers: { 'x-namespace': ORDERS, origin: ORIGIN } }),
    ],
  ];

  it.each(ways)('stays closed %s', async (_way, request) => {
    for (const failures of ['explain', 'return-encoded', 'reject'] as const) {
      const body = { payloads: [toJson(make(billing, inner(BILLING_TEXT)))] };
      const response = await ask(pipelineFor(failures), { ...request(), body });
      expect(textOf(response.body)).not.toContain(BILLING_TEXT);
      expect([200, 403, 422]).toContain(response.status);
    }
  });

  it('stays closed among payloads that the caller may read, which all come out', async () => {
    const own = FORMATS.map(([, makeOwn]) => toJson(makeOwn(orders, inner(ORDERS_TEXT))));
    const foreign = toJson(make(billing, inner(BILLING_TEXT)));
    const payloads = own.flatMap((payload) => [payload, foreign]);
    const response = await ask(pipelineFor('return-encoded'), {
      headers: { 'x-namespace': ORDERS },
      body: { payloads },
    });
    const answered = JSON.parse(response.body).payloads as JsonPayload[];
    expect(textOf(response.body)).not.toContain(BILLING_TEXT);
    expect(answered.filter((_payload, index) => index % 2 === 1)).toEqual(own.map(() => foreign));
    for (const [index, { data = '' }] of answered.entries()) {
      if (index % 2 === 0) expect(Buffer.from(data, 'base64').toString()).toBe(JSON.stringify(ORDERS_TEXT));
    }
  });

  it('stays closed inside any layer that the caller may open', async () => {
    for (const [, wrap] of [...FORMATS, ['zlib', ZLIB] as const]) {
      const nested = wrap(orders, serializePayload(make(billing, inner(BILLING_TEXT))));
      const twice = wrap(orders, serializePayload(ZLIB(orders, serializePayload(nested))));
      const payloads = [toJson(nested), toJson(twice)];
      const response = await ask(pipelineFor('return-encoded'), {
        headers: { 'x-namespace': ORDERS },
        body: { payloads },
      });
      expect(response.status).toBe(200);
      expect(textOf(response.body)).not.toContain(BILLING_TEXT);
    }
  });

  it('opens for whoever may read it where its format binds it or its key serves one namespace', async () => {
    const payloads = [toJson(make(orders, inner(ORDERS_TEXT)))];
    const response = await ask(pipelineFor('reject'), { headers: { 'x-namespace': ORDERS }, body: { payloads } });
    expect(response.status).toBe(OPENS.has(name) ? 200 : 422);
    expect(textOf(response.body).includes(ORDERS_TEXT)).toBe(OPENS.has(name));
  });
});
