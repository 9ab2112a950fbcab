import { createCipheriv, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultPayloadConverter, type PayloadCodec, type Payload as TemporalPayload } from '@temporalio/common';
import Long from 'long';
import { parseMessage } from '../../codec/aws-encryption-sdk/reader.ts';
import { failureConverter } from '../../codec/failure-converter.ts';
import {
  CannotEncodeError,
  CannotOpenError,
  CodecOptionsError,
  createDataConverter,
  createPayloadCodec,
  type KeySource,
  KeyUnavailableError,
  type PayloadCodecOptions,
  PrivateFileError,
} from '../../codec/index.ts';
import { formatKeyring, newKeyring } from '../../codec/keys/keyring/keyring.ts';
import { metadataOf, serializePayload } from '../../codec/payload.ts';
import { KmsStandIn } from '../support/kms-stand-in.ts';
import { SecretsManagerStandIn } from '../support/secrets-manager-stand-in.ts';

const folder = mkdtempSync(join(tmpdir(), 'payload-codec-'));
afterAll(() => rmSync(folder, { recursive: true }));

function keyringFile(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, formatKeyring(newKeyring()), { mode: 0o600 });
  return path;
}

const keyring = keyringFile('keyring.json');
const text = (value: string | Uint8Array | null | undefined) => Buffer.from(value ?? '').toString();
const plain = (value: unknown): TemporalPayload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});
const make = (options: Partial<PayloadCodecOptions> = {}) =>
  createPayloadCodec({ namespace: 'orders', keys: { keyring }, ...options });
const ours = (value: unknown) => ({
  metadata: metadataOf({ encoding: 'json/plain' }),
  data: Buffer.from(JSON.stringify(value)),
});
const encodings = (payloads: TemporalPayload[]) => payloads.map((it) => text(it.metadata?.['encoding']));

describe('the codec of a worker', () => {
  it('encrypts every payload, and decrypts it to what it was', async () => {
    const codec: PayloadCodec = make();
    const payloads = [
      plain({ order: 1 }),
      plain('wörld'),
      {},
      { ...plain(1), externalPayloads: [{ sizeBytes: Long.fromNumber(7) }] },
    ];
    const encoded = await codec.encode(payloads);
    expect(new Set(encodings(encoded))).toEqual(new Set(['binary/aws-encryption-sdk']));
    expect(encoded.map((it) => text(it.data)).join()).not.toContain('wörld');
    const decoded = await codec.decode(encoded);
    expect(decoded.map((it) => text(it.data))).toEqual(payloads.map((it) => text(it.data)));
    expect(encodings(decoded)).toEqual(encodings(payloads));
    expect(decoded[3]?.externalPayloads).toEqual(payloads[3]?.externalPayloads);
  });

  it('answers an empty list with an empty list', async () => {
    expect(await make().encode([])).toEqual([]);
    expect(await make().decode([])).toEqual([]);
  });

  it('refuses to encode for another namespace than its own, as the SDK names it, and none of its peers', async () => {
    const codec: PayloadCodec = make({ alsoDecode: ['peer-*'] });
    const context = (namespace: string) => ({ type: 'workflow', namespace, workflowId: 'w' }) as const;
    for (const named of ['orders', 'default', 'peer-1'])
      expect(encodings(await codec.encode([plain(1)], context(named)))).toEqual(['binary/aws-encryption-sdk']);
    const error = await codec.encode([plain(1)], context('ordres')).catch((it: unknown) => it);
    expect(error).toBeInstanceOf(CannotEncodeError);
    expect((error as Error).message).toMatch(/for the namespace orders, and the payload is for ordres/);
    const encoded = await codec.encode([plain(1)]);
    expect(text((await codec.decode(encoded, context('another')))[0]?.data)).toBe('1');
  });

  it('refuses what needs no key where it is told to, in and out of compression', async () => {
    const codec = make({ plaintext: 'refuse', onRefusal: () => {} });
    const [encoded] = await codec.encode([plain(1)]);
    expect(text((await codec.decode([encoded as TemporalPayload]))[0]?.data)).toBe('1');
    const zlib = { metadata: metadataOf({ encoding: 'binary/zlib' }), data: deflateSync(serializePayload(ours(1))) };
    const compressed = {
      metadata: metadataOf({ encoding: 'json/plain', 'compression/algorithm': 'zstd' }),
      data: zstdCompressSync(Buffer.from('1')),
    };
    for (const payload of [plain(1), zlib, compressed]) {
      await expect(codec.decode([payload])).rejects.toMatchObject({ name: 'CannotOpenError', reason: 'not-encrypted' });
      await expect(make().decode([payload])).resolves.toHaveLength(1);
    }
  });

  it('leaves null unencrypted where it is told to, and nothing that only calls itself so', async () => {
    const codec = make({ nullPayloads: 'plain', plaintext: 'refuse', onRefusal: () => {} });
    const nothing = defaultPayloadConverter.toPayload(undefined);
    const disguised = { metadata: metadataOf({ encoding: 'binary/null' }), data: Buffer.from('secret') };
    const noted = { metadata: metadataOf({ encoding: 'binary/null', note: 'secret' }), data: Buffer.alloc(0) };
    const encoded = await codec.encode([plain(1), nothing, disguised, noted, plain(2)]);
    expect(encodings(encoded).map((it) => it === 'binary/null')).toEqual([false, true, false, false, false]);
    expect(encoded[1]).toBe(nothing);
    const decoded = await codec.decode(encoded);
    expect(decoded.map((it) => text(it.data))).toEqual(['1', '', 'secret', '', '2']);
    expect(encodings(await make().encode([nothing]))).toEqual(['binary/aws-encryption-sdk']);
  });

  it('says of a refusal what was wanted and what is there, once a minute', async () => {
    const told: string[] = [];
    const codec = make({ onRefusal: (message) => told.push(message) });
    const foreign = await make({ keys: { keyring: keyringFile('foreign.json') } }).encode([plain(1)]);
    for (let i = 0; i < 3; i++)
      await expect(codec.decode(foreign)).rejects.toThrow(
        /unknown-key \(.*names the key codec-server\/.* has codec-server\//,
      );
    expect(told).toHaveLength(1);
  });

  it('gives what is not encrypted back as the very same object, and encodes nothing twice', async () => {
    const codec = make();
    const payload = plain(1);
    expect((await codec.decode([payload]))[0]).toBe(payload);
    const [encoded] = await codec.encode([payload]);
    expect((await codec.encode(encoded ? [encoded] : []))[0]).toBe(encoded);
  });

  it('compresses inside encryption when asked to', async () => {
    const payload = plain('x'.repeat(10_000));
    for (const compression of ['zstd', 'zlib'] as const) {
      const codec = make({ compression });
      const [encoded] = await codec.encode([payload]);
      expect(encoded?.data?.length).toBeLessThan(1000);
      expect(text((await codec.decode(encoded ? [encoded] : []))[0]?.data)).toBe(text(payload.data));
    }
    expect((await make().encode([payload]))[0]?.data?.length).toBeGreaterThan(10_000);
  });

  it('refuses payloads of other namespaces, unless they are named', async () => {
    const encoded = await make({ namespace: 'payments' }).encode([plain(1)]);
    await expect(make().decode(encoded)).rejects.toThrow(/payments.*alsoDecode/);
    await expect(make({ alsoDecode: ['pay'] }).decode(encoded)).rejects.toThrow(CannotOpenError);
    expect(text((await make({ alsoDecode: ['pay*'] }).decode(encoded))[0]?.data)).toBe('1');
  });

  it('fails when one payload of several cannot be opened, instead of handing out ciphertext', async () => {
    const codec = make();
    const [encoded] = await codec.encode([plain(1)]);
    const broken = { metadata: { encoding: Buffer.from('binary/aws-encryption-sdk') }, data: Buffer.from('x') };
    await expect(codec.decode(encoded ? [encoded, broken] : [])).rejects.toThrow('malformed');
    const foreign = make({ keys: { keyring: keyringFile('other.json') } });
    await expect(foreign.decode(encoded ? [encoded] : [])).rejects.toThrow('unknown-key');
  });

  it('fails for now when the keys are unavailable for now', async () => {
    const source: KeySource = {
      unwrap: () => Promise.reject(new KeyUnavailableError('throttled', 'not now')),
      materialsFor: () => Promise.reject(new KeyUnavailableError('throttled', 'not now')),
    };
    const codec = make({ keys: { source } });
    await expect(codec.encode([plain(1)])).rejects.toThrow(KeyUnavailableError);
    await expect(codec.decode(await make().encode([plain(1)]))).rejects.toThrow(KeyUnavailableError);
  });

  it('can be given several kinds of keys: the first writes, all read', async () => {
    const unused: KeySource = {
      unwrap: () => {
        throw new CannotOpenError('unknown-key', 'none of mine');
      },
      materialsFor: () => {
        throw new Error('asked first, as it should be');
      },
    };
    const both = make({ keys: { keyring, source: unused } });
    expect(text((await both.decode(await make().encode([plain(1)])))[0]?.data)).toBe('1');
    await expect(both.encode([plain(1)])).rejects.toThrow('asked first');
  });

  it('reads with static keys what a codec like the samples’ wrote before, and writes as ever', async () => {
    const key = randomBytes(32);
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    const inner = serializePayload({ metadata: metadataOf({ encoding: 'json/plain' }), data: Buffer.from('"old"') });
    const old = {
      metadata: metadataOf({ encoding: 'binary/encrypted', 'encryption-key-id': 'k' }),
      data: Buffer.concat([nonce, cipher.update(inner), cipher.final(), cipher.getAuthTag()]),
    };
    const document = (namespace: string) =>
      JSON.stringify({ keys: [{ id: 'k', key: key.toString('base64'), namespaces: [namespace] }] });
    const codec = make({ keys: { keyring, staticKeys: document('orders') } });
    expect(text((await codec.decode([old]))[0]?.data)).toBe('"old"');
    expect(encodings(await codec.encode([plain('new')]))).toEqual(['binary/aws-encryption-sdk']);
    await expect(make({ keys: { keyring, staticKeys: document('payments') } }).decode([old])).rejects.toThrow(
      'wrong-namespace',
    );
    codec.close();
  });

  it.each([
    ['without a namespace', { namespace: '' }, CodecOptionsError],
    ['with half of a surrogate pair in the namespace', { namespace: 'a\ud800' }, CodecOptionsError],
    ['without any keys', { keys: {} as PayloadCodecOptions['keys'] }, CodecOptionsError],
    ['with static keys alone', { keys: { staticKeys: '{"keys":[]}' } as never }, CodecOptionsError],
    ['with static keys that are none', { keys: { keyring, staticKeys: '{}' } }, CodecOptionsError],
    ['with an alias where the ARN of a KMS key must be', { keys: { kms: 'alias/orders' } }, CodecOptionsError],
    ['with a bound that is not a number', { cache: { ttlSeconds: Number('?') } }, /^cache\.ttlSeconds must be a whole/],
    ['with no room for a data key', { cache: { maxKeys: 0 } }, /^cache\.maxKeys must be a whole number from 1/],
    ['with half a millisecond', { timeoutMs: 0.5 }, /^timeoutMs must be/],
    ['with less than nothing to inflate', { inflatedBytes: -1 }, /^inflatedBytes must be/],
    ['with an option that it does not know', { compress: 'zstd' } as object, /^there is no option compress; there are/],
    ['with a kind of keys that there is not', { keys: { keyRing: 'k' } as never }, /^there is no option keys\.keyRing/],
    ['with a bound that there is not', { cache: { ttl: 1 } as object }, /^there is no option cache\.ttl;/],
    ['with a key where the keys must be', { keys: 'arn:aws:kms:…' as never }, /^keys must be an object, such as/],
    ['with a cache that is nothing', { cache: null as never }, /^cache must be an object/],
    ['with a peer that is not in a list', { alsoDecode: 'billing' as never }, /^alsoDecode must be a list/],
    ['with a peer that is nothing', { alsoDecode: [null as never] }, /^alsoDecode\[\] must be an object, such as/],
    ['with a peer without a name', { alsoDecode: [{ kms: 'arn' } as never] }, /^namespace must be the full name/],
    ['with a peer that says too much', { alsoDecode: [{ namespace: 'a', arn: 'b' } as never] }, /alsoDecode\[\]\.arn/],
    ['with a choice that there is not', { plaintext: 'no' as never }, /^plaintext must be 'accept', 'refuse' or left/],
    ['with a compression that it does not know', { compression: 'gzip' as never }, /^compression must be 'zstd'/],
    ['with a keyring file that does not exist', { keys: { keyring: join(folder, 'none.json') } }, PrivateFileError],
  ])('is not made %s', (_what, options, error) => {
    expect(() => make(options)).toThrow(error);
  });

  it('takes a new data key when the bounds of its cache say so, and the defaults for what is undefined', async () => {
    const dataKeysOfTwo = async (cache: object) => {
      const encoded = await make({ cache }).encode([plain(1), plain(2)]);
      return new Set(
        encoded.map(({ data }) => String(parseMessage(data as Uint8Array).header.encryptedDataKeys[0]?.ciphertext)),
      ).size;
    };
    expect(await dataKeysOfTwo({})).toBe(1);
    expect(await dataKeysOfTwo({ ttlSeconds: undefined, maxMessages: undefined })).toBe(1);
    expect(await dataKeysOfTwo({ maxMessages: 1 })).toBe(2);
    expect(await dataKeysOfTwo({ maxBytes: 1 })).toBe(2);
  });

  it('can be closed, and does not lose anything by it', async () => {
    const codec = make();
    const encoded = await codec.encode([plain(1)]);
    codec.close();
    expect(text((await make().decode(encoded))[0]?.data)).toBe('1');
  });
});

describe('the codec of a worker with a keyring in a secret', () => {
  it('writes and reads with one reading of the secret, and refuses what is not an ARN of one', async () => {
    const secrets = await SecretsManagerStandIn.start();
    const saved = { ...process.env };
    try {
      Object.assign(process.env, {
        AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
      });
      const keys = { keyringSecret: secrets.createSecret('keyring', formatKeyring(newKeyring())) };
      const writer = make({ keys, alsoDecode: ['billing'] });
      const ofPeer = make({ keys, namespace: 'billing' });
      const encoded = await writer.encode([plain(1), plain(2)]);
      expect(
        (await writer.decode([...encoded, ...(await ofPeer.encode([plain(3)]))])).map((it) => text(it.data)),
      ).toEqual(['1', '2', '3']);
      expect(secrets.calls).toEqual(['AWSCURRENT', 'AWSCURRENT']);
      expect(() => make({ keys: { keyringSecret: 'keyring' } })).toThrow(
        /^keys\.keyringSecret: .* is not an ARN of a secret/,
      );
    } finally {
      process.env = saved;
      await secrets.close();
    }
  });
});

describe('the codec of a worker with KMS', () => {
  const settings = ['AWS_ENDPOINT_URL_KMS', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;
  const before = settings.map((name) => process.env[name]);
  let kms: KmsStandIn;

  beforeEach(async () => {
    kms = await KmsStandIn.start();
    const values = [kms.endpoint, 'test', 'test'];
    settings.forEach((name, i) => {
      process.env[name] = values[i];
    });
  });
  afterEach(async () => {
    settings.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    });
    await kms.close();
  });

  it('writes thousands of payloads with one call, and reads them with one', async () => {
    const arn = kms.createKey();
    const writer = make({ keys: { kms: arn } });
    const encoded: TemporalPayload[] = [];
    for (let i = 0; i < 20; i++)
      encoded.push(...(await writer.encode(Array.from({ length: 100 }, (_, j) => plain(j)))));
    const reader = make({ keys: { kms: [{ namespaces: ['orders'], write: null, read: [arn] }] } });
    const decoded = await reader.decode(encoded);
    expect(decoded.slice(0, 100).map((it) => text(it.data))).toEqual(Array.from({ length: 100 }, (_, j) => String(j)));
    expect([kms.count('GenerateDataKey'), kms.count('Decrypt')]).toEqual([1, 1]);
    writer.close();
    reader.close();
  });

  it('moves from a keyring to KMS: KMS writes, and what the keyring wrote is read', async () => {
    const old = await make().encode([plain('old')]);
    const codec = make({ keys: { keyring, kms: kms.createKey() } });
    const [encoded] = await codec.encode([plain('new')]);
    expect(encoded?.data && Buffer.from(encoded.data).includes('aws-kms')).toBe(true);
    const decoded = await codec.decode([...old, ...(encoded ? [encoded] : [])]);
    expect(decoded.map((it) => text(it.data))).toEqual(['"old"', '"new"']);
    codec.close();
  });
});

describe('the data converter', () => {
  it('puts our codec outside of those that there are', async () => {
    const inner: PayloadCodec = {
      encode: async (payloads) => payloads.map((it) => ({ ...it, data: Buffer.from('inner') })),
      decode: async (payloads) => payloads.map((it) => ({ ...it, data: Buffer.from(`${text(it.data)} 1`) })),
    };
    const options = { namespace: 'orders', keys: { keyring } };
    const converter = createDataConverter(options, { payloadCodecs: [inner], payloadConverterPath: '/p.js' });
    expect(converter.payloadConverterPath).toBe('/p.js');
    const encoded = await converter.payloadCodecs?.[0]?.encode([plain(1)]);
    expect(encodings(encoded ?? [])).toEqual(['binary/aws-encryption-sdk']);
    const decoded = await converter.payloadCodecs?.[0]?.decode(encoded ?? []);
    expect(text(decoded?.[0]?.data)).toBe('inner 1');
    expect(text((await make().decode(encoded ?? []))[0]?.data)).toBe('inner');
    expect(createDataConverter(options).payloadCodecs).toHaveLength(1);
  });

  it('hides messages and stack traces of failures in a payload, unless told not to', () => {
    const options = { namespace: 'orders', keys: { keyring } };
    expect(createDataConverter(options).failureConverterPath).toBe(
      fileURLToPath(new URL('../../codec/failure-converter.ts', import.meta.url)),
    );
    expect(createDataConverter({ ...options, encryptFailures: false }).failureConverterPath).toBeUndefined();
    // As of a base that is put together with a setting that is not set.
    expect(createDataConverter(options, { failureConverterPath: undefined } as object).failureConverterPath).toBe(
      createDataConverter(options).failureConverterPath,
    );
    expect(createDataConverter(options, { failureConverterPath: '/own.js' }).failureConverterPath).toBe('/own.js');
    const failure = failureConverter.errorToFailure(new Error('card 4242 refused'), defaultPayloadConverter);
    expect(text(failure.encodedAttributes?.data)).toContain('card 4242 refused');
    expect(JSON.stringify({ ...failure, encodedAttributes: undefined })).not.toContain('4242');
  });
});
