/**
 * Histories of any form: what is not a payload stays to the byte, every payload is found or its place is
 * told, and neither depends on how the bytes came in.
 */

import { payloadsInside } from '../../cli/histories/decode-stretch.ts';
import { stretchesOf } from '../../cli/histories/document.ts';
import { type Stretch, walkJson } from '../../cli/histories/json.ts';
import { type Rewritable, UnreadableDocumentError, wireMarkers } from '../../cli/histories/rewritable.ts';
import { walkWire } from '../../cli/histories/wire.ts';
import { asBuffer, metadataOf, type Payload, serializePayload } from '../../codec/payload.ts';
import { ensure, type FuzzTarget } from './target.ts';

const other: Payload = { metadata: metadataOf({ encoding: 'json/plain' }), data: Buffer.from('{"other":1}') };
const sealed: Payload = {
  metadata: metadataOf({ encoding: 'binary/encrypted', 'encryption-key-id': 'k' }),
  data: Buffer.alloc(40, 7),
};
const TOO_DEEP = Buffer.from('{}');
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const asJson = ({ metadata, data }: Payload) => ({
  metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, base64(value)])),
  data: base64(data),
});
const field = (number: number, content: Uint8Array) =>
  Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);

/** JSON, as it is in a file or in a payload. */
const json: FuzzTarget = {
  name: 'history-json',
  covers: ['/cli/histories/json', '/cli/histories/document', '/cli/histories/rewritable'],
  seeds: [
    JSON.stringify({ events: [{ eventId: '1', input: { payloads: [asJson(sealed), asJson(other)] } }] }, null, 2),
    `${JSON.stringify(asJson(sealed))}\n${JSON.stringify({ x: asJson(other) })}\n`,
    JSON.stringify([
      { Metadata: { encoding: 'YQ==' }, Data: 'YQ==' },
      { metadata: { encoding: [97] }, data: [1] },
    ]),
    JSON.stringify({ metadata: { encoding: { 0: 97 } }, data: { 0: 1 } }),
    JSON.stringify({ metadata: { encoding: { type: 'Buffer', data: [97] } }, data: { type: 'Buffer', data: [] } }),
    JSON.stringify({ metadata: { encoding: 'json/plain' }, data: { deep: [{ a: { b: { c: [1e3, true, null] } } }] } }),
    JSON.stringify({ blob: base64(field(1, serializePayload(sealed))), text: JSON.stringify(asJson(sealed)) }),
    JSON.stringify({ ...asJson(sealed), externalPayloads: [{ sizeBytes: '5' }] }),
  ].map((text) => Buffer.from(text)),
  words: [
    '"metadata":',
    '"Metadata":',
    '"encoding":',
    '"data":',
    '"external_payloads":',
    '"anNvbi9wbGFpbg=="',
    '{',
    '}',
    '[',
    ']',
    ',',
    '\\"encoding\\"',
    '\\u0022',
    '\\',
    '\n',
    '\ufeff',
    'null',
  ],
  maxLength: 4096,
  async run(input) {
    const walked = walkJson(input);
    if (walked !== undefined) checkWalked(walked, walkJson);
    const value = parsed(input);
    if (value !== undefined) {
      ensure(walked !== undefined, 'cannot read what is JSON');
      if (hasPayload(value)) ensure(isNoticed(walked), 'sees nothing of a payload');
    }
    await checkChunks(input);
  },
};

/** Protobuf without a schema, as it is in an export or in a payload. */
const wire: FuzzTarget = {
  name: 'history-wire',
  covers: [
    '/cli/histories/wire',
    '/cli/histories/decode-stretch',
    '/cli/histories/document',
    '/cli/histories/rewritable',
  ],
  seeds: [
    field(1, field(1, field(3, field(2, field(1, serializePayload(sealed)))))),
    Buffer.concat([
      field(1, serializePayload(sealed)),
      field(1, serializePayload(other)),
      Buffer.from([0x28, 0x96, 1]),
    ]),
    field(
      1,
      serializePayload({
        metadata: metadataOf({ encoding: 'binary/protobuf' }),
        data: field(1, serializePayload(sealed)),
      }),
    ),
    field(1, Buffer.from('\n\x08encoding\x12\x05plain', 'latin1')),
  ],
  words: [
    '\n\x08encoding',
    '\x12\x0ajson/plain',
    '\n\x16',
    '\x0a',
    '\x12',
    '\x1a',
    '\x22',
    '\xff\xff\xff\xff\x0f',
    '\x80\x00',
  ],
  maxLength: 2048,
  async run(input) {
    const walked = walkWire(input);
    if (walked !== undefined) {
      checkWalked(walked, walkWire);
      if (wireMarkers(input).length > 0) ensure(isNoticed(walked), 'sees nothing of a mark');
    }
    const inside = payloadsInside({ ...other, data: input });
    if (wireMarkers(input).length > 0) ensure(inside !== undefined && isNoticed(inside), 'sees nothing in a payload');
    await checkChunks(input);
  },
};

export const historyTargets: readonly FuzzTarget[] = [json, wire];

function isNoticed({ payloads, notUnderstood }: Rewritable): boolean {
  return payloads.length + notUnderstood.length > 0;
}

/** What is replaced is read again as what it was replaced with, and nothing else has changed. */
function checkWalked(walked: Rewritable, walk: (bytes: Buffer) => Rewritable | undefined): void {
  const { raw, payloads } = walked;
  ensure(walked.render(payloads.map(() => undefined)).equals(raw), 'changes bytes where nothing is replaced');
  const again = walk(walked.render(payloads.map(({ payload }) => payload && other)));
  ensure(again?.payloads.length === payloads.length, 'finds another number of payloads in what it wrote');
  for (const [i, { payload, place }] of payloads.entries()) {
    const found = again.payloads[i];
    ensure(found?.place === place, 'finds a payload somewhere else in what it wrote');
    if (payload === undefined) continue;
    const bytes = serializePayload(found?.payload ?? sealed);
    // Readable data that is nested too deep to be held is told as an empty object, and stays.
    const stays = bytes.equals(serializePayload(payload)) && asBuffer(payload.data).equals(TOO_DEEP);
    ensure(stays || bytes.equals(serializePayload(other)), 'reads its own writing differently');
  }
}

/** The same bytes and places, whether the document comes at once or in pieces. */
async function checkChunks(input: Buffer): Promise<void> {
  const whole = await read([input]);
  const size = Math.ceil(input.length / (2 + ((input.at(-1) ?? 0) % 15))) || 1;
  const pieces = Array.from({ length: Math.ceil(input.length / size) }, (_, i) =>
    input.subarray(i * size, (i + 1) * size),
  );
  const inPieces = await read(pieces);
  ensure(inPieces === whole, 'reads a document in pieces differently');
}

async function read(chunks: readonly Buffer[]): Promise<string | undefined> {
  const report = { form: 'empty' as const, documents: 0, notUnderstood: [] };
  const all: Stretch[] = [];
  try {
    for await (const stretches of stretchesOf(asStream(chunks), report)) all.push(...stretches);
  } catch (error) {
    ensure(error instanceof UnreadableDocumentError, `threw ${String(error)}`);
    return undefined;
  }
  const bytes = Buffer.concat(all.map((it) => (Buffer.isBuffer(it) ? it : it.raw)));
  ensure(bytes.equals(Buffer.concat(chunks)), 'loses bytes of a document');
  const places = all.flatMap((it) => (Buffer.isBuffer(it) ? [] : it.payloads.map(({ place }) => place)));
  return JSON.stringify([report, places]);
}

async function* asStream(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

function parsed(input: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input));
  } catch {
    return undefined;
  }
}

/** Whether there is an object with an encoding in its metadata. */
function hasPayload(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { metadata, Metadata } = value as Record<string, unknown>;
  const isOne = [metadata, Metadata].some(
    (it) => typeof it === 'object' && it !== null && !Array.isArray(it) && Object.hasOwn(it, 'encoding'),
  );
  return isOne || Object.values(value).some(hasPayload);
}
