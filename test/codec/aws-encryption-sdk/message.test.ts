import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deriveMessageKeys } from '../../../codec/aws-encryption-sdk/algorithm-suites.ts';
import { contextOfNamespace } from '../../../codec/aws-encryption-sdk/encryption-context.ts';
import {
  type RawAesWrappingKey,
  unwrapDataKey,
  wrapDataKey,
} from '../../../codec/aws-encryption-sdk/raw-aes-keyring.ts';
import { decryptMessage, parseMessage } from '../../../codec/aws-encryption-sdk/reader.ts';
import { encryptMessage } from '../../../codec/aws-encryption-sdk/writer.ts';
import { CannotEncodeError, CannotOpenError, MalformedPayloadError } from '../../../codec/errors.ts';
import { officialDecrypt, officialEncrypt, ourDecrypt, SUITE, wrappingKey } from '../../support/aws-encryption-sdk.ts';

const key = wrappingKey();

function ourEncrypt(plaintext: Uint8Array, namespace: string, ...keys: RawAesWrappingKey[]): Buffer {
  const dataKey = randomBytes(32);
  const encryptionContext = contextOfNamespace(namespace);
  const encryptedDataKeys = keys.map((it) => wrapDataKey(it, dataKey, encryptionContext));
  return encryptMessage(plaintext, { dataKey, encryptedDataKeys, encryptionContext });
}

const SIZES = [0, 1, 15, 16, 300, 4095, 4096, 4097, 8192, 100_000, 3_000_000];
const NAMESPACES = ['orders-prod.a1b2c', 'bestellungen-ü.a1b2c', '注文', '🦊.𝒳', 'x'.repeat(1000)];

describe('a message that we write', () => {
  it.each(SIZES)('is read by the official library, with %d bytes', async (size) => {
    const plaintext = randomBytes(size);
    const read = await officialDecrypt(ourEncrypt(plaintext, 'orders', key), key);
    expect(read.plaintext.equals(plaintext)).toBe(true);
    expect(read.context).toEqual({ 'temporal-namespace': 'orders' });
  });

  it.each(NAMESPACES)('carries the namespace %s to the official library', async (namespace) => {
    const read = await officialDecrypt(ourEncrypt(Buffer.from('x'), namespace, key), key);
    expect(read.context).toEqual({ 'temporal-namespace': namespace });
  });

  it('is read by the holder of any one of its keys', async () => {
    const keys = ['a', 'b', 'ü'].map((name) => wrappingKey(name));
    const message = ourEncrypt(Buffer.from('x'), 'orders', ...keys);
    for (const one of keys) {
      expect((await officialDecrypt(message, one)).plaintext.toString()).toBe('x');
      expect(ourDecrypt(message, one).toString()).toBe('x');
    }
  });

  it('never repeats a message id, and so never a key, under one data key', () => {
    const ids = Array.from(
      { length: 1000 },
      () => parseMessage(ourEncrypt(Buffer.from('x'), 'a', key)).header.messageId,
    );
    expect(new Set(ids.map((id) => id.toString('hex'))).size).toBe(1000);
    expect(ids.filter((id) => id.equals(Buffer.alloc(32)))).toEqual([]);
  });

  it('has the overhead that the format prescribes, and no more', () => {
    expect(ourEncrypt(randomBytes(1000), 'orders-dev.a1b2c', wrappingKey('1'.repeat(8))).length - 1000).toBeLessThan(
      300,
    );
  });

  it.each([
    ['a data key of another length', { dataKey: randomBytes(16) }],
    ['no encrypted data key', { encryptedDataKeys: [] }],
    ['more encrypted data keys than readers accept', { encryptedDataKeys: Array(6).fill(edk()) }],
    ['an encrypted data key longer than its length field can say', { encryptedDataKeys: [edk(Buffer.alloc(0x10000))] }],
    ['a context longer than its length field can say', { encryptionContext: contextOfNamespace('x'.repeat(0x10000)) }],
    ['half of a surrogate pair in the namespace', { encryptionContext: contextOfNamespace('a\ud800') }],
    ['a context key of the format itself', { encryptionContext: new Map([['aws-crypto-public-key', 'x']]) }],
  ])('is not written with %s', (_what, change) => {
    const materials = {
      dataKey: randomBytes(32),
      encryptedDataKeys: [edk()],
      encryptionContext: contextOfNamespace('a'),
    };
    expect(() => encryptMessage(Buffer.from('x'), { ...materials, ...change })).toThrow(CannotEncodeError);
  });
});

function edk(ciphertext: Buffer = Buffer.alloc(8)) {
  return { providerId: 'p', providerInfo: Buffer.from('i'), ciphertext };
}

describe('a message of the official library', () => {
  const suites = [
    ['0x0478', SUITE.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY],
    ['0x0578', SUITE.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384],
  ] as const;

  it.each(suites.flatMap(([name, suiteId]) => SIZES.map((size) => [name, size, suiteId] as const)))(
    'is read by us: suite %s, %d bytes',
    async (_name, size, suiteId) => {
      const plaintext = randomBytes(size);
      const message = await officialEncrypt(plaintext, key, { suiteId, context: { 'temporal-namespace': 'orders' } });
      expect(ourDecrypt(message, key).equals(plaintext)).toBe(true);
    },
  );

  it.each([1, 7, 299, 300, 301, 65_536])('is read by us in frames of %d bytes', async (frameLength) => {
    const plaintext = randomBytes(300);
    for (const [, suiteId] of suites) {
      const message = await officialEncrypt(plaintext, key, { frameLength, suiteId });
      expect(ourDecrypt(message, key).equals(plaintext)).toBe(true);
    }
  });

  it('is read by us in any number of frames that are not tiny, and before any key is asked for refused in too many that are', async () => {
    const inFramesOf = async (frameLength: number, count: number) =>
      Buffer.concat([
        await officialEncrypt(Buffer.from('x'), key, { frameLength }),
        Buffer.alloc((frameLength + 32) * count),
      ]);
    for (const [frameLength, count] of [
      [1, 8180],
      [511, 8180],
      [512, 20_000],
    ] as const)
      expect(parseMessage(await inFramesOf(frameLength, count)).header.frameLength).toBe(frameLength);
    for (const frameLength of [1, 511]) {
      const message = await inFramesOf(frameLength, 8192);
      expect(() => parseMessage(message)).toThrow('more than 8192 frames of fewer than 512 bytes');
    }
  });

  it('is read by us with any context that it may have, down to none', async () => {
    const contexts = fc.dictionary(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((it) => !it.startsWith('aws-crypto-')),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      { maxKeys: 5, noNullPrototype: true },
    );
    await fc.assert(
      fc.asyncProperty(contexts, async (context) => {
        fc.pre(!Object.hasOwn(context, '__proto__'));
        const message = await officialEncrypt(Buffer.from('x'), key, { context });
        expect(ourDecrypt(message, key).toString()).toBe('x');
        expect(Object.fromEntries(parseMessage(message).header.encryptionContext)).toEqual(context);
      }),
      { numRuns: 50 },
    );
  });

  it('is opened by whichever of its encrypted data keys is ours', async () => {
    const other = wrappingKey('elsewhere');
    const message = await officialEncrypt(Buffer.from('x'), [other, key]);
    expect(ourDecrypt(message, key).toString()).toBe('x');
    expect(() => ourDecrypt(message, wrappingKey('third'))).toThrow(expect.objectContaining({ reason: 'unknown-key' }));
  });

  it('is refused when its suite does not commit to the data key', async () => {
    const uncommitted = [
      SUITE.ALG_AES256_GCM_IV12_TAG16,
      SUITE.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA256,
      SUITE.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384,
    ];
    for (const suiteId of uncommitted) {
      const message = await officialEncrypt(Buffer.from('x'), key, { suiteId });
      expect(() => ourDecrypt(message, key)).toThrow('version 1');
      // Neither by calling itself version 2
      message[0] = 2;
      expect(() => ourDecrypt(message, key)).toThrow(MalformedPayloadError);
    }
  });

  it('is refused when it has more encrypted data keys than we try', async () => {
    const keys = Array.from({ length: 6 }, (_, i) => wrappingKey(`k${i}`));
    expect(ourDecrypt(await officialEncrypt(Buffer.from('x'), keys.slice(1)), ...keys).toString()).toBe('x');
    const message = await officialEncrypt(Buffer.from('x'), keys);
    expect(() => ourDecrypt(message, ...keys)).toThrow('encrypted data keys');
  });
});

describe('a message that is not as it was written', () => {
  const samples = async () => [
    ourEncrypt(randomBytes(40), 'orders-ü', key),
    await officialEncrypt(randomBytes(40), key, { frameLength: 16, context: { a: '1', b: '2' } }),
    await officialEncrypt(randomBytes(40), key, {
      suiteId: SUITE.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384,
    }),
  ];

  it('is refused at every truncation', async () => {
    for (const message of await samples()) {
      for (let length = 0; length < message.length; length++) expectClosed(message.subarray(0, length));
    }
  });

  it('is refused with any single bit flipped', async () => {
    for (const message of await samples()) {
      for (let at = 0; at < message.length; at++) {
        for (let bit = 1; bit < 256; bit <<= 1) {
          const flipped = Buffer.from(message);
          flipped[at] = (flipped[at] ?? 0) ^ bit;
          expectClosed(flipped);
        }
      }
    }
  });

  it('is refused with any single bit of header, body or footer flipped although the data key is known', async () => {
    for (const message of await samples()) {
      const dataKey = dataKeyOf(message);
      for (let at = 0; at < message.length; at++) {
        const flipped = Buffer.from(message);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
        expectClosed(flipped, () => decryptMessage(parseMessage(flipped), dataKey));
      }
    }
  });

  it('is refused with bytes after its end', async () => {
    for (const message of await samples()) {
      expectClosed(Buffer.concat([message, Buffer.alloc(1)]));
      expectClosed(Buffer.concat([message, message]));
    }
  });

  it('is refused with every 16 or 32 bits at any place set to all ones', async () => {
    for (const message of await samples()) {
      for (const width of [2, 4]) {
        for (let at = 0; at + width <= message.length; at++) {
          const changed = Buffer.from(message).fill(0xff, at, at + width);
          if (!changed.equals(message)) expectClosed(changed);
        }
      }
    }
  });

  it('is refused before any key is asked for where its fields contradict one another', () => {
    const message = ourEncrypt(randomBytes(40), 'orders', key);
    const frameLengthAt = parseMessage(message).header.authenticated.length - 36;
    const unframed = Buffer.from(message);
    unframed[frameLengthAt - 1] = 1;
    const zero = Buffer.from(message);
    zero.writeUInt32BE(0, frameLengthAt);
    for (const changed of [unframed, zero])
      expect(() => parseMessage(changed)).toThrow('the frame length does not fit the content type');
    const dataKey = randomBytes(32);
    const encryptionContext = new Map([
      ['bws-crypto-public-key', 'A'.repeat(68)],
      ['temporal-namespace', 'orders'],
    ]);
    const encryptedDataKeys = [wrapDataKey(key, dataKey, encryptionContext)];
    const withKey = encryptMessage(randomBytes(40), { dataKey, encryptedDataKeys, encryptionContext });
    withKey.write('aws-crypto', withKey.indexOf('bws-crypto'));
    expect(() => parseMessage(withKey)).toThrow('exactly when its algorithm suite signs');
  });

  it('is refused when its last frame is longer than its header says, though whoever wrote it has the key', () => {
    const message = ourEncrypt(randomBytes(40), 'orders', key);
    const { header } = parseMessage(message);
    message.writeUInt32BE(39, header.authenticated.length - 36);
    const { encryptionKey } = deriveMessageKeys(header.suite, dataKeyOf(message), header.messageId);
    const cipher = createCipheriv('aes-256-gcm', encryptionKey, Buffer.alloc(12));
    cipher.setAAD(header.authenticated).final();
    message.set(cipher.getAuthTag(), header.authenticated.length);
    expect(() => ourDecrypt(message, key)).toThrow('the final frame is longer than the frame length');
  });

  it('is refused with the frames in another order, repeated, or one left out', async () => {
    const message = await officialEncrypt(randomBytes(64), key, { frameLength: 16 });
    const frame = 4 + 12 + 16 + 16;
    const bodyAt = message.length - 3 * frame - (frame + 8);
    const head = message.subarray(0, bodyAt);
    const [one, two, three] = [0, 1, 2].map((i) => message.subarray(bodyAt + i * frame, bodyAt + (i + 1) * frame));
    const last = message.subarray(bodyAt + 3 * frame);
    const build = (...parts: (Buffer | undefined)[]) =>
      Buffer.concat([head, ...parts.map((it) => it ?? Buffer.alloc(0))]);
    expect(build(one, two, three, last).equals(message)).toBe(true);
    for (const changed of [build(two, one, three, last), build(one, one, two, three, last), build(one, three, last)])
      expectClosed(changed);
    for (const changed of [build(last), build(one, two, three), build(one, two, three, last, last)])
      expectClosed(changed);
  });

  it('is refused when it is spliced from two messages under one data key', () => {
    const dataKey = randomBytes(32);
    const encryptionContext = contextOfNamespace('a');
    const materials = { dataKey, encryptionContext, encryptedDataKeys: [wrapDataKey(key, dataKey, encryptionContext)] };
    const [a, b] = [encryptMessage(Buffer.alloc(20, 1), materials), encryptMessage(Buffer.alloc(20, 2), materials)];
    const bodyAt = a.length - (4 + 4 + 12 + 4 + 20 + 16);
    expectClosed(Buffer.concat([a.subarray(0, bodyAt), b.subarray(bodyAt)]));
  });

  it('is refused when it is any other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => expectClosed(bytes)),
      { numRuns: 500 },
    );
    const prefix = Buffer.from('020478', 'hex');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => expectClosed(Buffer.concat([prefix, bytes]))),
      { numRuns: 500 },
    );
  });

  it('is refused under another data key by its commitment, before anything is decrypted', () => {
    const message = ourEncrypt(randomBytes(40), 'a', key);
    expect(() => decryptMessage(parseMessage(message), randomBytes(32))).toThrow(
      expect.objectContaining({ reason: 'not-authentic', message: expect.stringContaining('committed') }),
    );
    expect(() => decryptMessage(parseMessage(message), randomBytes(16))).toThrow(CannotOpenError);
  });
});

function dataKeyOf(message: Buffer): Buffer {
  const { encryptedDataKeys, encryptionContext } = parseMessage(message).header;
  const [first] = encryptedDataKeys;
  const dataKey = first && unwrapDataKey(key, first, encryptionContext);
  if (dataKey === undefined) throw new Error('the sample is under another key');
  return dataKey;
}

function expectClosed(message: Uint8Array, open: () => unknown = () => ourDecrypt(message, key)): void {
  let error: unknown;
  try {
    open();
  } catch (thrown) {
    error = thrown;
  }
  if (!(error instanceof CannotOpenError)) throw new Error(`opened, or failed otherwise: ${String(error)}`);
}
