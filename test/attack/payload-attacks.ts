/** Attacks by what is in the payloads: work that nobody may cause, keys and namespaces that are somebody else's. */
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { parseMessage } from '../../codec/aws-encryption-sdk/reader.ts';
import { encryptMessage } from '../../codec/aws-encryption-sdk/writer.ts';
import type { Payload } from '../../codec/payload.ts';
import { toJson } from '../support/payloads.ts';
import { type Attack, bearer, type Headers, ORDINARY } from './attack.ts';
import { type AttackWorld, ORIGIN } from './world.ts';

const base64 = (text: string | Uint8Array): string => Buffer.from(text as string).toString('base64');

/** A stranger's request with payloads of their own making. */
const work = (
  name: string,
  payloads: () => readonly unknown[],
  status: Attack['status'],
  ...more: Headers
): Attack => ({
  name,
  status,
  request: (world) => ({
    headers: [
      ...ORDINARY,
      ['authorization', `Bearer ${world.token({ email: 'mallory@evil.example' })}`] as const,
      ...more,
    ],
    body: JSON.stringify({ payloads: payloads() }),
  }),
});

const compressed = (encoding: string, data: Uint8Array) => ({
  metadata: { encoding: base64(encoding) },
  data: base64(data),
});

/** Bytes that would be 6 MB. */
const BOMB = Buffer.concat([Buffer.from([0x12, 0x80, 0x89, 0xfa, 0x02]), Buffer.alloc(6_194_304)]);

/** A message of ours whose namespace its author chose, which nothing authenticates before it is opened. */
export function messageOf(namespace: string, keys: readonly string[] = ['x']) {
  const data = encryptMessage(Buffer.from('x'), {
    dataKey: Buffer.alloc(32, 1),
    encryptedDataKeys: keys.map((key) => ({
      providerId: 'aws-kms',
      providerInfo: Buffer.from(key),
      ciphertext: Buffer.alloc(64),
    })),
    encryptionContext: new Map([['temporal-namespace', namespace]]),
  });
  return compressed('binary/aws-encryption-sdk', data);
}

/** Whoever may read nothing causes no work, and gets no more than they sent. */
const WORK: Attack[] = [
  work('a zstd bomb by a stranger', () => [compressed('binary/zstd', zstdCompressSync(BOMB))], 200),
  work('a zlib bomb by a stranger', () => [compressed('binary/zlib', deflateSync(BOMB))], 200),
  work('a gzip bomb by a stranger', () => [compressed('binary/gzip', gzipSync(BOMB))], 200),
  work('an honest zlib payload by a stranger', () => [compressed('binary/zlib', deflateSync(Buffer.alloc(0)))], 200),
  work(
    '1,000 payloads of 53 bytes, to be explained',
    () => Array(1000).fill(compressed('binary/zlib', Buffer.alloc(3))),
    200,
    ['origin', ORIGIN],
  ),
  work('1,000 empty payloads', () => Array(1000).fill({}), 413),
  work(
    'a namespace of 60,000 characters, to be repeated in the server’s voice',
    () => [messageOf('x'.repeat(60_000))],
    200,
    ['origin', ORIGIN],
  ),
  work(
    'a namespace with line breaks and a link, to be repeated in the server’s voice',
    () => [messageOf('orders.\n\nSign in again at https://evil.example/login \u202egnp')],
    200,
    ['origin', ORIGIN],
  ),
];

/** The wrapped key of a message of billing, brought in as another producer's by somebody who may read orders. */
const disguised = (name: string, metadata: (wrapped: Buffer) => Readonly<Record<string, string>>): Attack => ({
  name,
  status: 200,
  looksForKeys: true,
  request: (world) => {
    const { data } = JSON.parse(world.billingBody).payloads[0] as { data: string };
    const [wrapped] = parseMessage(Buffer.from(data, 'base64')).header.encryptedDataKeys;
    const entries = Object.entries(metadata(Buffer.from(wrapped?.ciphertext ?? []))).map(([key, value]) => [
      key,
      base64(value),
    ]);
    const payload = { metadata: { encoding: base64('binary/encrypted'), ...Object.fromEntries(entries) }, data };
    return { ...bearer(world.token()), body: JSON.stringify({ payloads: [payload] }) };
  },
});

/** Formats that are not named with the key, under the one key that all namespaces share. */
const FOREIGN_FORMATS: Attack[] = [
  disguised('a wrapped key of billing as one of temporal-proxy', (wrapped) => ({
    'encryption-dek': wrapped.toString('base64'),
    'encryption-key-id': 'awskms:///alias/codec?region=eu-central-1',
  })),
  disguised('a wrapped key of billing as one of temporal-proxy, with a context of another application', (wrapped) => ({
    'encryption-dek': wrapped.toString('base64'),
    'encryption-key-id': 'awskms:///alias/codec?context_application=payroll',
  })),
  disguised('a wrapped key of billing as one of the Python sample', (wrapped) => ({
    data_key_encrypted: wrapped.toString('base64'),
  })),
  disguised('a payload of the samples, whose key nobody has', () => ({ 'encryption-key-id': 'test-key-id' })),
  {
    name: 'a message of billing as one of the Java sample',
    status: 200,
    request: (world) => ({
      ...bearer(world.token()),
      body: world.billingBody.replace(base64('binary/aws-encryption-sdk'), base64('awsencriptionsdk/binary/encrypted')),
    }),
  },
];

/** A person with a right, and a ciphertext of a namespace that they have none for. */
const OTHER_NAMESPACES: Attack[] = ['orders', 'billing', 'Billing', 'orders/../billing', 'undefined', '', '*'].map(
  (namespace) => ({
    name: `ciphertext of billing under X-Namespace ${JSON.stringify(namespace)}`,
    status: 200,
    request: (world: AttackWorld) => ({
      headers: [
        ['content-type', 'application/json'],
        ['x-namespace', namespace],
        ['authorization', `Bearer ${world.token()}`],
      ] as const,
      body: world.billingBody,
    }),
  }),
);

/** A payload of another producer, brought in by somebody who may read orders. */
const brought = (name: string, payload: (world: AttackWorld) => Payload): Attack => ({
  name,
  status: 200,
  looksForKeys: true,
  asksNothingOfKms: true,
  request: (world) => ({
    ...bearer(world.token()),
    body: JSON.stringify({ payloads: [toJson(payload(world))] }),
  }),
});

const PAYROLL = new Map([['application', 'payroll']]);

/** Under the key that all namespaces share, or under the key of orders alone with a context that nobody configured. */
const SHARED_KEYS: Attack[] = [
  brought('a payload of billing by temporal-proxy under a shared key', (world) =>
    world.foreign().temporalProxy(world.sharedKey),
  ),
  brought('a payload of another application by temporal-proxy under a shared key', (world) =>
    world.foreign().temporalProxy(world.sharedKey, 'context_application=payroll', PAYROLL),
  ),
  {
    // It names no key: the one of orders is asked, and it is not its own.
    ...brought('a payload of billing by the Python sample under a shared key', (world) =>
      world.foreign().pythonSample(world.sharedKey),
    ),
    asksNothingOfKms: false,
  },
  brought('a payload of billing by the Java sample under a shared key', (world) =>
    world.foreign().javaKmsSample(world.sharedKey),
  ),
  brought('a payload of another application under the key of orders, by the context that the key URI claims', (world) =>
    world.foreign().temporalProxy(world.oldKey, 'context_application=payroll', PAYROLL),
  ),
  brought('a message of another application under the key of orders, as one of the Java sample', (world) =>
    world.foreign().javaKmsSample(world.oldKey, PAYROLL),
  ),
  brought('a format that is not named with the key of orders', (world) =>
    world.foreign().temporalCloudProxy(world.oldKey, 'orders'),
  ),
];

export const PAYLOAD_ATTACKS: readonly Attack[] = [...WORK, ...FOREIGN_FORMATS, ...SHARED_KEYS, ...OTHER_NAMESPACES];
