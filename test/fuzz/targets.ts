/** What is fuzzed, and which rules must hold whatever comes in. */
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import proto from '@temporalio/proto';
import { decryptMessage, parseMessage } from '../../codec/aws-encryption-sdk/reader.ts';
import { CannotOpenError } from '../../codec/errors.ts';
import { recognizeAll } from '../../codec/formats/all-formats.ts';
import { newKeyring } from '../../codec/keys/keyring/keyring.ts';
import { KeyringKeySource } from '../../codec/keys/keyring/keyring-key-source.ts';
import { deserializePayload, metadataOf, type Payload, serializePayload } from '../../codec/payload.ts';
import { HttpError } from '../../lambda/server/http/message.ts';
import { readPayloads } from '../../lambda/server/http/payload-json-reader.ts';
import { writePayloads } from '../../lambda/server/http/responses.ts';
import { cookie } from './cookie-target.ts';
import { historyTargets } from './history-targets.ts';
import { sealedPayload } from './sealed.ts';
import { serverTargets } from './server-targets.ts';
import { storage } from './storage-target.ts';
import { ensure, type FuzzTarget } from './target.ts';

const payload: Payload = { metadata: metadataOf({ encoding: 'json/plain' }), data: Buffer.from('{"order":42}') };
const keys = new KeyringKeySource(newKeyring('fuzz'));
const sealed = sealedPayload(keys, payload, 'orders.a1b2c');
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** The JSON reader: what it takes, JSON takes too, and means the same when written and read again. */
const json: FuzzTarget = {
  name: 'json',
  covers: ['/lambda/server/http/payload-json', '/lambda/server/http/json-cursor', '/lambda/server/http/base64'],
  seeds: [
    '{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"eyJhIjoxfQ=="}]}',
    '{"payloads":[null,{},{"data":null,"metadata":null}],"extra":[1,-2.5e3,true,false,null,"\\u00e9\\ud83d\\ude00"]}',
    '{"payloads":[{"externalPayloads":[{"sizeBytes":"9007199254740993"}]},{"external_payloads":[{"size_bytes":5}]}]}',
    '{}',
    '{"payloads":[{"metadata":{"__proto__":"AA","constructor":"_-8"}}]}',
  ].map((text) => Buffer.from(text)),
  words: [
    '"payloads":',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    '\\u',
    '\\',
    'null',
    '"metadata":',
    '"data":',
    '"__proto__":',
    '1e999',
    '==',
  ],
  maxLength: 4096,
  run(input) {
    let payloads: readonly Payload[];
    try {
      payloads = readPayloads(input, 50);
    } catch (error) {
      ensure(error instanceof HttpError && (error.status === 400 || error.status === 413), `threw ${String(error)}`);
      return;
    }
    JSON.parse(input.toString('utf8'));
    const written = String(writePayloads(payloads));
    JSON.parse(written);
    ensure(
      String(writePayloads(readPayloads(Buffer.from(written), 50))) === written,
      'reads its own writing differently',
    );
    ensure(({} as Record<string, unknown>)['encoding'] === undefined, 'polluted Object.prototype');
  },
};

/** The message reader: nothing opens but what was sealed, byte for byte. */
const message: FuzzTarget = {
  name: 'message',
  covers: ['/codec/aws-encryption-sdk/'],
  seeds: sealed.messages,
  words: [
    '\x02\x04\x78',
    '\x02\x05\x78',
    '\x00\x01',
    '\xff\xff\xff\xff',
    'temporal-namespace',
    'aws-crypto-public-key',
  ],
  maxLength: 8192,
  run(input) {
    try {
      decryptMessage(parseMessage(input), sealed.dataKey);
    } catch (error) {
      ensure(error instanceof CannotOpenError, `threw ${String(error)}`);
      return;
    }
    ensure(
      sealed.messages.some((seed) => seed.equals(input)),
      'opened a message that nobody sealed',
    );
  },
};

/** The Payload reader: agrees with the official protobuf library about what it accepts. */
const protobuf: FuzzTarget = {
  name: 'protobuf',
  covers: ['/codec/payload.ts'],
  seeds: [
    serializePayload(payload),
    serializePayload({ ...payload, externalPayloads: [{ sizeBytes: -1n }, { sizeBytes: 2n ** 62n }] }),
    Buffer.from('0a00120012012a1a021a00220103', 'hex'),
  ],
  words: ['\x0a', '\x12', '\x1a', '\x08', '\xff\xff\xff\xff\x0f', '\x80', '\x0b', '\x0c'],
  maxLength: 1024,
  run(input) {
    let read: Payload;
    try {
      read = deserializePayload(input);
    } catch (error) {
      ensure(error instanceof CannotOpenError, `threw ${String(error)}`);
      return;
    }
    const again = deserializePayload(serializePayload(read));
    ensure(Buffer.from(again.data).equals(read.data), 'changes the data when written and read again');
    ensure(
      Object.keys(again.metadata).length === Object.keys(read.metadata).length,
      'changes the metadata when written and read again',
    );
    const official = proto.temporal.api.common.v1.Payload.decode(serializePayload(read));
    ensure(Buffer.from(official.data).equals(read.data), 'writes what the official library reads differently');
  },
};

const INFLATE_BUDGET = 1024 * 1024;
const ENCODINGS = ['binary/zlib', 'binary/gzip', 'binary/zstd', 'binary/snappy'] as const;

/** Decompression: the first byte chooses the format; whatever comes, the budget holds. */
const inflation: FuzzTarget = {
  name: 'inflation',
  covers: ['/codec/formats/compression', '/codec/formats/snappy'],
  seeds: [deflateSync, gzipSync, zstdCompressSync]
    .flatMap((compress, index) =>
      [serializePayload(payload), Buffer.alloc(2 * INFLATE_BUDGET)].map((data) =>
        Buffer.concat([Buffer.from([index]), compress(data)]),
      ),
    )
    .concat([Buffer.from('0321800a160a08656e636f64696e67120a6a736f6e2f706c61696e12072268656c6c6f22', 'hex')]),
  words: ['\x78\x9c', '\x1f\x8b\x08', '\x28\xb5\x2f\xfd', '\xff\xff\xff\xff\x0f', '\xfe\xff'],
  maxLength: 8192,
  run(input) {
    const encoding = ENCODINGS[(input[0] ?? 0) % ENCODINGS.length] as string;
    const limits = { inflateBudget: INFLATE_BUDGET };
    try {
      const envelope = recognizeAll({ metadata: metadataOf({ encoding }), data: input.subarray(1) }, 'default');
      ensure(envelope !== undefined && envelope.keyRequest === undefined, 'compression asks for a key');
      const inflated = envelope.open(undefined, limits);
      ensure(inflated.length <= INFLATE_BUDGET, `inflated to ${inflated.length} bytes`);
    } catch (error) {
      ensure(error instanceof CannotOpenError, `threw ${String(error)}`);
    }
    ensure(limits.inflateBudget >= 0, 'overdrew the budget');
  },
};

const markers = (metadata: Record<string, string>) =>
  Buffer.from(
    JSON.stringify({
      payloads: [
        {
          metadata: Object.fromEntries(Object.entries(metadata).map(([k, v]) => [k, base64(v)])),
          data: base64('x'.repeat(60)),
        },
      ],
    }),
  );

/** Everybody's formats: the input is the JSON of payloads, so that metadata changes as well as data. */
const formats: FuzzTarget = {
  name: 'formats',
  covers: ['/codec/formats/'],
  seeds: [
    markers({ encoding: 'binary/encrypted' }),
    markers({ encoding: 'binary/encrypted', 'encryption-key-id': 'test-key-id' }),
    markers({
      encoding: 'binary/encrypted',
      'encryption-dek': base64('wrapped'),
      'encryption-key-id': 'awskms:///arn:aws:kms:eu-central-1:111122223333:key/a?region=eu-central-1&context_a=b',
    }),
    markers({ encoding: 'binary/encrypted', 'encrypted-data-key': 'wrapped', 'encryption-key-id': 'k' }),
    markers({ encoding: 'binary/encrypted', data_key_encrypted: base64('wrapped') }),
    markers({ encoding: 'binary/encrypted', 'encryption-context-namespace': 'n', 'encryption-cipher': 'AES_256_GCM' }),
    markers({ encoding: 'binary/encrypted', 'encryption-cipher': 'AES/GCM/NoPadding', 'encryption-key-id': 'k' }),
    markers({ encoding: 'awsencriptionsdk/binary/encrypted' }),
    markers({ encoding: 'binary/aws-encryption-sdk' }),
  ],
  words: [
    'encryption-dek',
    'encrypted-data-key',
    'encryption-key-id',
    'data_key_encrypted',
    'encryption-cipher',
    'YmluYXJ5L2VuY3J5cHRlZA==',
    '":"',
    '","',
  ],
  maxLength: 2048,
  run(input) {
    let payloads: readonly Payload[];
    try {
      payloads = readPayloads(input, 20);
    } catch {
      return;
    }
    for (const each of payloads) {
      try {
        const envelope = recognizeAll(each, 'orders.a1b2c');
        if (envelope?.keyRequest === undefined) continue;
        envelope.open(Buffer.alloc(32, 7), { inflateBudget: INFLATE_BUDGET });
        ensure(false, `opened ${envelope.format} with a key that sealed nothing`);
      } catch (error) {
        if (error instanceof CannotOpenError) continue;
        throw error;
      }
    }
  },
};

export const TARGETS: readonly FuzzTarget[] = [
  json,
  message,
  protobuf,
  inflation,
  formats,
  storage,
  ...serverTargets(keys),
  cookie,
  ...historyTargets,
];
