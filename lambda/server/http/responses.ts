/**
 * Every answer there is. All of them forbid caching and type guessing, and name the request. An error
 * is a sentence in plain text: the CLI prints it as it is, and the Web UI never reads it.
 */
import type { CannotOpenCause } from '../../../codec/errors.ts';
import { asBuffer, metadataOf, type Payload } from '../../../codec/payload.ts';
import type { Caller } from '../auth/caller.ts';
import { base64Length, writeBase64 } from './base64.ts';
import type { CodecResponse, HttpError } from './message.ts';

const NOT_STORED = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** 200 with payloads. Its body is ASCII. */
export function payloadsResponse(payloads: readonly Payload[], requestId: string): CodecResponse {
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
    },
    body: writePayloads(payloads),
  };
}

/** A line of plain text. */
export function textResponse(
  status: number,
  text: string,
  requestId: string,
  headers?: Readonly<Record<string, string>>,
): CodecResponse {
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      ...NOT_STORED,
      'x-request-id': requestId,
      ...headers,
    },
    body: `${text}\n`,
  };
}

/** An error on purpose, with the request id where whoever reads it can pass it on. */
export function httpErrorResponse({ status, message, headers }: HttpError, requestId: string): CodecResponse {
  return textResponse(status, `${message} (request ${requestId})`, requestId, headers);
}

/** A bug: says nothing but where to look. */
export function bugResponse(requestId: string): CodecResponse {
  return textResponse(500, `Internal error (request ${requestId})`, requestId);
}

// Explanations in place of payloads. The Web UI shows no other text of a codec server's: a payload
// in a 200 is the only way to tell the person who looks at it why there is no plaintext.

/** Tells someone that they may not decode, and whom that concerns: person, namespace, and the rule to be added to. */
export function explainDenied(
  caller: Caller,
  namespace: string | undefined,
  rule: string | undefined,
  requestId: string,
): Payload {
  return jsonPlain(`${deniedSentence(caller, 'decode', namespace, rule)} (request ${requestId})`);
}

/** Causes that may be told: they say nothing of a key, and nothing that the payload itself does not show. */
const TOLD: { readonly [cause in CannotOpenCause]?: string } = {
  'object-too-large':
    'is in external storage and too large to be shown here: download it from its bucket and decode it with the Temporal CLI or a worker',
  'storage-not-read':
    'is in GCS (Google Cloud Storage), which this server does not read: read it with a worker or a client that has the driver',
  'not-encrypted':
    'is not encrypted, and this server shows only what is: anybody who reaches Temporal could have written it',
};

/** Tells someone that a payload stays closed. Why is in the log alone, under the request id, but for a few causes. */
export function explainCannotOpen(cause: CannotOpenCause, requestId: string): Payload {
  return jsonPlain(`Codec server: this payload ${TOLD[cause] ?? 'cannot be opened'} (request ${requestId})`);
}

/** One sentence on a right that is missing; also the text of a 403. */
export function deniedSentence(
  caller: Caller,
  operation: 'decode' | 'encode',
  namespace: string | undefined,
  rule: string | undefined,
): string {
  const person = caller.method === 'loopback' ? 'whoever is on this machine' : quoted(caller.email ?? caller.subject);
  if (namespace === undefined)
    return `Codec server: this payload is bound to no namespace and the request names none, so ${person} may not ${operation} it`;
  const fix =
    rule === undefined ? 'no access rule allows it' : `ask to be added to the access rule ${quoted(rule, '"')}`;
  return `Codec server: ${person} may not ${operation} payloads of the namespace ${quoted(namespace)}: ${fix}`;
}

/** Bytes of a payload with short metadata in the JSON of an answer. */
export function writtenLength({ metadata, data }: Payload): number {
  const ofMetadata = Object.entries(metadata).reduce(
    (sum, [key, value]) => sum + key.length + base64Length(value.length),
    0,
  );
  return ofMetadata + base64Length(data.length) + JSON_AROUND;
}

/** Names, quotes and punctuation of a payload with one metadata entry, and the comma behind it. */
const JSON_AROUND = 32;

/** What names, ids and email addresses are made of. */
const PLAIN = /^[\p{L}\p{N}._@+|-]{1,100}$/u;
/** Characters of a name that are repeated. */
const LONGEST_QUOTE = 100;

/**
 * A name as it may stand in a sentence of ours. Whoever writes a ciphertext chooses its namespace, so
 * what is not plain is cut, put into quotes, and percent-encoded where it is neither letter nor digit:
 * no line break, no link, no second sentence in the server's own voice.
 */
function quoted(name: string, mark = ''): string {
  if (mark === '' && PLAIN.test(name)) return name;
  const characters = [...name.slice(0, 2 * LONGEST_QUOTE).toWellFormed()];
  const safe = characters
    .slice(0, LONGEST_QUOTE)
    .map((character) =>
      /[\p{L}\p{N}._@+|-]/u.test(character) || (mark !== '' && character === ' ')
        ? character
        : encodeURIComponent(character).replace(/[!'()*~]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`),
    )
    .join('');
  return `"${safe}${characters.length > LONGEST_QUOTE ? '…' : ''}"`;
}

function jsonPlain(sentence: string): Payload {
  return { metadata: metadataOf({ encoding: 'json/plain' }), data: Buffer.from(JSON.stringify(sentence)) };
}

// Writes the body of a 200: the proto3 JSON of `temporal.api.common.v1.Payloads`, exactly as the
// strictest of the clients reads it. Any other field, a null element or a null value is an error in
// the CLI and in Java, URL-safe base64 and an empty `externalPayloads` are errors in the Web UI.

/** A text that JSON writes as it is, and in ASCII. */
export const NEEDS_NO_ESCAPES = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const NOT_ASCII = /[\x7f-\uffff]/g;

const OPENING = '{"payloads":[';
const CLOSING = ']}';

/**
 * Bytes of payload data from which on an answer is made as bytes. A text of it would be put together
 * from pieces, laid out in one piece and copied to the socket: three copies where one does.
 */
const LARGE = 8 * 1024;

/** The payloads as JSON. It is ASCII whatever the payloads hold: a text, or its bytes where it is long. */
export function writePayloads(payloads: readonly Payload[]): string | Buffer {
  let bytes = 0;
  for (const { data } of payloads) bytes += data.length;
  if (bytes > LARGE) return writeBytes(payloads);
  let json = OPENING;
  let separator = '';
  for (const payload of payloads) {
    json += `${separator}${beforeData(payload)}${asBuffer(payload.data).toString('base64')}${afterData(payload)}`;
    separator = ',';
  }
  return json + CLOSING;
}

function writeBytes(payloads: readonly Payload[]): Buffer {
  const heads = payloads.map(beforeData);
  const tails = payloads.map(afterData);
  let length = OPENING.length + CLOSING.length + payloads.length;
  for (const [index, { data }] of payloads.entries())
    length += (heads[index] as string).length + base64Length(data.length) + (tails[index] as string).length;
  const out = Buffer.allocUnsafe(length);
  let at = out.write(OPENING, 'latin1');
  let text = '';
  for (const [index, { data }] of payloads.entries()) {
    at += out.write(text + (heads[index] as string), at, 'latin1');
    at = writeBase64(data, out, at);
    text = `${tails[index]},`;
  }
  // The last comma goes: nothing follows.
  at += out.write(text.slice(0, -1) + CLOSING, at, 'latin1');
  return out.subarray(0, at);
}

function beforeData({ metadata }: Payload): string {
  let json = '{"metadata":{';
  let separator = '';
  for (const key in metadata) {
    const value = metadata[key];
    if (value === undefined) continue;
    json += `${separator}${keyJson(key)}:"${asBuffer(value).toString('base64')}"`;
    separator = ',';
  }
  return `${json}},"data":"`;
}

function afterData({ externalPayloads }: Payload): string {
  if (externalPayloads === undefined || externalPayloads.length === 0) return '"}';
  const sizes = externalPayloads.map(({ sizeBytes }) => `{"sizeBytes":"${sizeBytes}"}`);
  return `","externalPayloads":[${sizes.join(',')}]}`;
}

function keyJson(key: string): string {
  return NEEDS_NO_ESCAPES.test(key) ? `"${key}"` : asciiJson(key);
}

/** A JSON text in ASCII: every other character as `\uXXXX`, in pairs where one does not do. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    NOT_ASCII,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
