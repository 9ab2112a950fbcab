/** Payloads made as each producer makes them, against a KMS that enforces encryption contexts. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { temporalProxyFormat } from '../../../codec/formats/temporal-proxy.ts';
import { DataKeyCache } from '../../../codec/keys/cache/data-key-cache.ts';
import type { DataKeyRequest, KeyContext, KeySource } from '../../../codec/keys/key-source.ts';
import { KeyringKeySource } from '../../../codec/keys/keyring/keyring-key-source.ts';
import { KmsKeys } from '../../../codec/keys/kms/kms-key-source.ts';
import { StaticKeySource } from '../../../codec/keys/static/static-key-source.ts';
import { samplesTestKeys } from '../../../codec/keys/static/static-keys.ts';
import { type Payload, serializePayload } from '../../../codec/payload.ts';
import { officialEncrypt, SUITE, wrappingKey } from '../../support/aws-encryption-sdk.ts';
import { decodeOne } from '../../support/decoding.ts';
import { MemoryKms } from '../../support/memory-kms.ts';
import { jsonPlain, payloadOf, sealAesGcm } from '../../support/payloads.ts';
import { RivalPayloads } from '../../support/rival-payloads.ts';

const INNER = serializePayload(jsonPlain({ order: 42 }));
const ORDERS = 'orders.a1b2c';
const BILLING = 'billing.a1b2c';

const FOREIGN = ['temporal-proxy', 'temporal-cloud-proxy', 'kms-python-sample', 'kms-java-sample', 'stdgo'] as const;
const TENANT = { tenant: 'blue & green', tier: '1' };

let memory: MemoryKms;
let ordersKey: string;
let billingKey: string;
let sharedKey: string;
let kms: KeySource;
const staticKeys = new StaticKeySource(samplesTestKeys());

beforeEach(() => {
  memory = new MemoryKms();
  ordersKey = memory.createKey('orders');
  billingKey = memory.createKey('billing');
  sharedKey = memory.createKey('shared');
  const pairings = [
    { namespaces: [ORDERS], write: ordersKey, foreignFormats: FOREIGN, keyUriContexts: [TENANT] },
    { namespaces: [BILLING], write: billingKey, foreignFormats: FOREIGN },
    {
      namespaces: [ORDERS, BILLING],
      write: null,
      read: [sharedKey],
      foreignFormats: ['temporal-proxy', 'temporal-cloud-proxy', 'stdgo'] as const,
      keyUriContexts: [ORDERS, BILLING].map((namespace) => ({ namespace })),
    },
  ];
  kms = new DataKeyCache(new KmsKeys(pairings, { kms: memory }));
});

const rivals = () => new RivalPayloads(memory, INNER);
const temporalProxy = (...of: Parameters<RivalPayloads['temporalProxy']>) => rivals().temporalProxy(...of);
const temporalCloudProxy = (...of: Parameters<RivalPayloads['temporalCloudProxy']>) =>
  rivals().temporalCloudProxy(...of);
const pythonSample = (...of: Parameters<RivalPayloads['pythonSample']>) => rivals().pythonSample(...of);
const stdgo = (...of: Parameters<RivalPayloads['stdgo']>) => rivals().stdgo(...of);
const javaKmsSample = (...of: Parameters<RivalPayloads['javaKmsSample']>) => rivals().javaKmsSample(...of);

const decode = (payload: Payload, namespace: string | undefined, may?: (namespace: string | undefined) => boolean) =>
  decodeOne(payload, { kms, staticKeys, namespace, ...(may && { may }) });

/** A payload of temporal-proxy under the key of a URI. */
const underKey = (uri: string) =>
  payloadOf({ encoding: 'binary/encrypted', 'encryption-key-id': uri, 'encryption-dek': 'AAAA' }, Buffer.alloc(40));

const keyOfUri = (uri: string) => {
  const request = temporalProxyFormat.recognize(underKey(uri), ORDERS)?.keyRequest;
  return request?.kind === 'kms' ? request : undefined;
};

describe('a payload of another producer', () => {
  it.each<[string, () => Payload]>([
    ['temporal-proxy', () => temporalProxy(ordersKey)],
    ['temporal-cloud-proxy', () => temporalCloudProxy(ordersKey, ORDERS)],
    ['kms-python-sample', () => pythonSample(ordersKey)],
    ['stdgo', () => stdgo(ordersKey, ORDERS)],
    ['kms-java-sample', () => javaKmsSample(ordersKey)],
  ])('of %s decodes in its namespace and is refused in another', async (format, make) => {
    const payload = make();
    const outcome = await decode(payload, ORDERS);
    expect(outcome).toMatchObject({ kind: 'decoded', namespace: ORDERS, layers: [format] });
    expect(outcome.kind === 'decoded' && Buffer.from(outcome.payload.data).toString()).toBe('{"order":42}');

    const elsewhere = await decode(payload, BILLING, (namespace) => namespace === BILLING);
    expect(elsewhere.kind).toBe(format === 'stdgo' ? 'denied' : 'cannot-open');
    // The Python sample names no key: the other namespace's own keys are asked, and do not fit.
    if (elsewhere.kind === 'cannot-open')
      expect(elsewhere.reason).toBe(format === 'kms-python-sample' ? 'wrong-context' : 'wrong-namespace');
  });

  it('opens with a shared KMS key only in the namespace it is bound to', async () => {
    const bound = [temporalCloudProxy(sharedKey, ORDERS), stdgo(sharedKey, ORDERS)];
    for (const payload of bound) {
      expect((await decode(payload, ORDERS)).kind).toBe('decoded');
      expect((await decode(payload, BILLING, (namespace) => namespace === BILLING)).kind).not.toBe('decoded');
    }
    expect(await decode(temporalCloudProxy(sharedKey, ORDERS), BILLING)).toMatchObject({ reason: 'wrong-context' });
  });

  it('of temporal-cloud-proxy needs to know the namespace that it does not carry', async () => {
    const asked: (string | undefined)[] = [];
    const outcome = await decode(
      temporalCloudProxy(ordersKey, ORDERS),
      undefined,
      (namespace) => asked.push(namespace) > 0,
    );
    expect(outcome).toMatchObject({ reason: 'wrong-namespace' });
    expect(asked).toEqual([]);
  });

  it('of stdgo is decided by the namespace it names, whatever the caller names', async () => {
    const seen: (string | undefined)[] = [];
    await decode(stdgo(ordersKey, ORDERS), BILLING, (namespace) => seen.push(namespace) > 0);
    expect(seen).toEqual([ORDERS]);
  });

  it('of temporal-proxy takes its encryption context from the key URI', async () => {
    const context = new Map([
      ['tenant', 'blue & green'],
      ['tier', '1'],
    ]);
    const parameters = 'region=eu-central-1&context_tenant=blue%20%26+green&context_tier=1';
    expect((await decode(temporalProxy(ordersKey, parameters, context), ORDERS)).kind).toBe('decoded');
    expect(await decode(temporalProxy(ordersKey, 'region=x', context), ORDERS)).toMatchObject({
      reason: 'wrong-context',
    });
  });

  it('of temporal-proxy is not asked for under a context that the configuration does not list', async () => {
    for (const parameters of [
      'context_application=payroll',
      'context_tenant=blue',
      'context_tenant=blue%20%26+green&context_tier=1&context_application=payroll',
    ]) {
      const context = new Map(
        [...new URLSearchParams(parameters)].map(([name, value]) => [name.replace('context_', ''), value]),
      );
      expect(await decode(temporalProxy(ordersKey, parameters, context), ORDERS)).toMatchObject({
        reason: 'format-not-configured',
      });
    }
    expect(memory.decrypted).toEqual([]);
  });

  it.each<[string, () => Payload]>([
    ['temporal-proxy', () => temporalProxy(sharedKey)],
    ['kms-python-sample', () => pythonSample(sharedKey)],
    ['kms-java-sample', () => javaKmsSample(sharedKey)],
  ])('of %s, which binds nothing, opens under no key that serves several namespaces', async (_, make) => {
    const outcome = await decode(make(), ORDERS);
    expect(outcome).toMatchObject({ kind: 'cannot-open' });
    expect(memory.decrypted.filter(({ arn }) => arn === sharedKey)).toEqual([]);
  });

  it('of temporal-proxy opens under a shared key in the namespace that its context names, where that is listed', async () => {
    const payload = temporalProxy(sharedKey, `context_namespace=${ORDERS}`, new Map([['namespace', ORDERS]]));
    expect((await decode(payload, ORDERS)).kind).toBe('decoded');
    expect((await decode(payload, BILLING, (namespace) => namespace === BILLING)).kind).toBe('denied');
  });

  it.each(FOREIGN)('of %s is not read where the configuration does not name its format', async (format) => {
    const make = {
      'temporal-proxy': () => temporalProxy(ordersKey),
      'temporal-cloud-proxy': () => temporalCloudProxy(ordersKey, ORDERS),
      'kms-python-sample': () => pythonSample(ordersKey),
      'kms-java-sample': () => javaKmsSample(ordersKey),
      stdgo: () => stdgo(ordersKey, ORDERS),
    }[format];
    const others = FOREIGN.filter((it) => it !== format);
    const only = (formats: typeof others) =>
      new DataKeyCache(
        new KmsKeys([{ namespaces: [ORDERS], write: ordersKey, foreignFormats: formats }], { kms: memory }),
      );
    const payload = make();
    expect(await decodeOne(payload, { kms: only(others), namespace: ORDERS })).toMatchObject({
      reason: 'format-not-configured',
    });
    expect(memory.decrypted).toEqual([]);
    expect((await decodeOne(payload, { kms: only([format]), namespace: ORDERS })).kind).toBe('decoded');
  });

  it('of the Java sample may carry a signature in its context, and nothing else', async () => {
    expect((await decode(javaKmsSample(ordersKey, new Map([['signature', 'workflow-1']])), ORDERS)).kind).toBe(
      'decoded',
    );
    for (const key of ['temporal-namespace', 'namespace', 'purpose'])
      expect(await decode(javaKmsSample(ordersKey, new Map([[key, ORDERS]])), ORDERS)).toMatchObject({
        reason: 'malformed',
      });
  });
});

/** A source of one's own that unwraps the sample's data keys with the key of a keyring. */
class KeyOfTheSample implements KeySource {
  readonly #keyring: KeySource;

  constructor(keyring: KeySource) {
    this.#keyring = keyring;
  }

  unwrap(request: DataKeyRequest, context: KeyContext) {
    return this.#keyring.unwrap(request.kind === 'message' ? { ...request, format: undefined } : request, context);
  }

  materialsFor(): never {
    throw new Error('it only reads');
  }
}

describe('a message of the official library, made as the Java sample makes it', () => {
  it.each([{}, { signature: 'workflow-1' }])(
    'decodes with its signed suite 0x0578 and the context %j',
    async (context) => {
      const key = wrappingKey();
      const suiteId = SUITE.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384;
      const data = await officialEncrypt(INNER, key, { context, suiteId });
      const keyring = new KeyringKeySource({ namespace: key.namespace, current: key.name, keys: [key] });
      const payload = payloadOf({ encoding: 'awsencriptionsdk/binary/encrypted' }, data);
      // A keyring serves every namespace, and the sample binds none.
      expect(await decodeOne(payload, { keyring, namespace: ORDERS })).toMatchObject({ reason: 'unknown-key' });
      const lent = new KeyOfTheSample(keyring);
      expect(await decodeOne(payload, { kms: lent, namespace: ORDERS })).toMatchObject({
        kind: 'decoded',
        layers: ['kms-java-sample'],
      });
      data[data.length - 1] = (data.at(-1) as number) ^ 1;
      expect((await decodeOne({ ...payload, data }, { kms: lent, namespace: ORDERS })).kind).toBe('cannot-open');
    },
  );
});

describe('a payload dressed up as one of another producer', () => {
  it('keeps the namespace that KMS binds its key to', async () => {
    const { metadata, data } = stdgo(sharedKey, ORDERS);
    const wrappedLength = Buffer.from(data).readUInt32BE(0);
    const disguised = payloadOf(
      {
        encoding: 'binary/encrypted',
        'encryption-key-id': `awskms:///${Buffer.from(metadata['encryption-key-id'] ?? '')}?context_namespace=${ORDERS}`,
        'encryption-dek': Buffer.from(data.subarray(4, 4 + wrappedLength)).toString('base64'),
      },
      data.subarray(4 + wrappedLength),
    );
    expect(await decode(disguised, BILLING, (namespace) => namespace === BILLING)).toEqual({
      kind: 'denied',
      namespace: ORDERS,
    });
    expect(memory.decrypted).toEqual([]);
  });

  it('cannot name two namespaces', async () => {
    const payload = temporalProxy(sharedKey, `context_namespace=${BILLING}&context_temporal-namespace=${ORDERS}`);
    expect(await decode(payload, BILLING)).toMatchObject({ kind: 'cannot-open', reason: 'malformed' });
  });

  it('of our own format is refused as one of the Java sample', async () => {
    const payload = javaKmsSample(sharedKey, new Map([['temporal-namespace', ORDERS]]));
    expect(await decode(payload, BILLING, (namespace) => namespace === BILLING)).toMatchObject({ reason: 'malformed' });
  });

  it('never takes the path of a format with a later mark, or of none', async () => {
    const marks: [string, string | Uint8Array][] = [
      ['encryption-dek', 'AAAA'],
      ['encrypted-data-key', Buffer.alloc(3)],
      ['data_key_encrypted', 'AAAA'],
    ];
    const sample = payloadOf(
      { encoding: 'binary/encrypted', 'encryption-key-id': 'test-key-id' },
      sealAesGcm(Buffer.from('test-key-test-key-test-key-test!'), INNER),
    );
    expect((await decode(sample, ORDERS)).kind).toBe('decoded');
    for (const [mark, value] of marks) {
      const marked = { ...sample, metadata: payloadOf({ mark: value }, Buffer.alloc(0)).metadata };
      const metadata = { ...sample.metadata, [mark]: marked.metadata['mark'] as Uint8Array };
      expect((await decode({ ...sample, metadata }, ORDERS)).kind).toBe('cannot-open');
    }
    for (const [outer, inner] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      const [first] = marks[outer] as [string, string];
      const original = [temporalProxy, (arn: string) => temporalCloudProxy(arn, ORDERS), pythonSample][inner]?.(
        ordersKey,
      );
      const metadata = { ...(original as Payload).metadata, [first]: Buffer.from('AAAA') };
      expect((await decode({ ...(original as Payload), metadata }, ORDERS)).kind).toBe('cannot-open');
    }
  });
});

describe('a damaged payload of another producer', () => {
  it.each<[string, () => Payload]>([
    ['temporal-proxy', () => temporalProxy(ordersKey)],
    ['temporal-cloud-proxy', () => temporalCloudProxy(ordersKey, ORDERS)],
    ['the Python sample', () => pythonSample(ordersKey)],
    ['stdgo', () => stdgo(ordersKey, ORDERS)],
    ['the Java sample', () => javaKmsSample(ordersKey)],
  ])('of %s stays closed after any flipped bit and any truncation', async (_, make) => {
    const payload = make();
    await fc.assert(
      fc.asyncProperty(fc.nat(payload.data.length * 8 - 1), async (bit) => {
        const data = Buffer.from(payload.data);
        data[bit >> 3] = (data[bit >> 3] as number) ^ (1 << (bit & 7));
        expect((await decode({ ...payload, data }, ORDERS)).kind).toBe('cannot-open');
      }),
      { numRuns: 60 },
    );
    for (let length = 0; length < payload.data.length; length += 3)
      expect((await decode({ ...payload, data: payload.data.subarray(0, length) }, ORDERS)).kind).toBe('cannot-open');
  });

  it.each<[string, Record<string, string | Uint8Array>]>([
    ['a wrapped key that is not base64', { 'encryption-dek': 'not base64!' }],
    ['an unpadded wrapped key', { 'encryption-dek': 'AAA' }],
    ['an empty wrapped key', { 'encryption-dek': '' }],
    ['a wrapped key that is too long for KMS', { 'encrypted-data-key': Buffer.alloc(6145) }],
    ['a key URI that is none', { 'encryption-dek': 'AAAA', 'encryption-key-id': 'key' }],
    ['an endless key URI', { 'encryption-dek': 'AAAA', 'encryption-key-id': `awskms:///${'a'.repeat(5000)}` }],
    [
      'a context parameter twice',
      { 'encryption-dek': 'AAAA', 'encryption-key-id': 'awskms:///k?context_a=1&context_a=2' },
    ],
    ['a badly encoded key URI', { 'encryption-dek': 'AAAA', 'encryption-key-id': 'awskms:///%ff' }],
  ])('is malformed with %s', async (_, metadata) => {
    const uri = `awskms:///${ordersKey}`;
    const payload = payloadOf(
      { encoding: 'binary/encrypted', 'encryption-key-id': uri, ...metadata },
      Buffer.alloc(40),
    );
    expect(await decode(payload, ORDERS)).toMatchObject({ kind: 'cannot-open', reason: 'malformed' });
    expect(memory.decrypted).toEqual([]);
  });

  it.each(['gcpkms://projects/p/locations/l', 'azurekeyvault://vault/keys/k', 'extension://keys/k'])(
    'is of an unknown key with the key URI %s, whose name can be told and for which KMS is not asked',
    async (uri) => {
      expect(await decode(underKey(`${uri}?x=1`), ORDERS)).toMatchObject({
        kind: 'cannot-open',
        reason: 'unknown-key',
      });
      expect(keyOfUri(`${uri}?x=1`)?.claimedKey).toBe(uri);
      expect(memory.decrypted).toEqual([]);
    },
  );

  it('is of an unknown key with a key URI that holds the key, which no error repeats', async () => {
    const uri = 'base64key://c2VjcmV0';
    expect(await decode(underKey(uri), ORDERS)).toMatchObject({ kind: 'cannot-open', reason: 'unknown-key' });
    expect(() => keyOfUri(uri)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(uri.slice(10)) }),
    );
  });
});

describe('a key URI of the Go CDK', () => {
  const arn = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd';

  it.each([
    [`awskms:///${arn}?region=us-east-1`, arn],
    [`awskms:///${arn}`, arn],
    ['awskms://alias/orders?region=us-east-1', 'alias/orders'],
    ['awskms://1234ABCD-12ab?region=us-east-1', '1234ABCD-12ab'],
  ])('%s names %s', (uri, key) => {
    expect(keyOfUri(uri)).toMatchObject({ claimedKey: key, encryptionContext: new Map() });
  });
});
