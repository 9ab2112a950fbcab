// A codec server as a TypeScript team would run it: express with cors and its JSON body parser, the
// SDK's protobuf types, and an AES-256-GCM codec on Web Crypto that speaks the encryption sample's format.
//
// usage: node server.js PORT   (0 for any; prints "listening PORT" once it accepts connections)
import { webcrypto } from 'node:crypto';
import { METADATA_ENCODING_KEY } from '@temporalio/common';
import { encode as bytesOf, decode as textOf } from '@temporalio/common/lib/encoding.js';
import proto from '@temporalio/proto';
import cors from 'cors';
import express from 'express';

const { Payload } = proto.temporal.api.common.v1;
const ENCODING = 'binary/encrypted';
const KEY_ID = 'test-key-id';
const NONCE_BYTES = 12;
/** express refuses more than 100 kB unless told otherwise; most of the workloads need more. */
const BODY_LIMIT = '64mb';

// The public key of the samples.
const key = await webcrypto.subtle.importKey(
  'raw',
  Buffer.from('test-key-test-key-test-key-test!'),
  { name: 'AES-GCM' },
  false,
  ['encrypt', 'decrypt'],
);

async function seal(payload) {
  const iv = webcrypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await webcrypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, Payload.encode(payload).finish());
  return {
    metadata: { [METADATA_ENCODING_KEY]: bytesOf(ENCODING), 'encryption-key-id': bytesOf(KEY_ID) },
    data: Buffer.concat([iv, new Uint8Array(sealed)]),
  };
}

async function open(payload) {
  if (!payload.metadata || textOf(payload.metadata[METADATA_ENCODING_KEY]) !== ENCODING) return payload;
  if (textOf(payload.metadata['encryption-key-id']) !== KEY_ID) throw new Error('the payload names another key');
  const iv = payload.data.subarray(0, NONCE_BYTES);
  const plain = await webcrypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, payload.data.subarray(NONCE_BYTES));
  return Payload.decode(new Uint8Array(plain));
}

function fromJson({ metadata, data }) {
  return {
    metadata: metadata && mapValues(metadata, (value) => Buffer.from(value, 'base64')),
    data: data ? Buffer.from(data, 'base64') : undefined,
  };
}

function toJson({ metadata, data }) {
  return {
    metadata: metadata && mapValues(metadata, (value) => Buffer.from(value).toString('base64')),
    data: data ? Buffer.from(data).toString('base64') : undefined,
  };
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}

function answering(transform) {
  return async (request, response) => {
    try {
      const payloads = await Promise.all(request.body.payloads.map(fromJson).map(transform));
      response.json({ payloads: payloads.map(toJson) }).end();
    } catch {
      response.status(500).end('Internal server error');
    }
  };
}

const app = express();
app.use(cors({ allowedHeaders: ['x-namespace', 'content-type'] }));
app.use(express.json({ limit: BODY_LIMIT }));
app.post('/decode', answering(open));
app.post('/encode', answering(seal));

const server = app.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  process.stdout.write(`listening ${server.address().port}\n`);
});
