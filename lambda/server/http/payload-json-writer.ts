/**
 * Writes the body of a 200: the proto3 JSON of `temporal.api.common.v1.Payloads`, exactly as the
 * strictest of the clients reads it. Any other field, a null element or a null value is an error in
 * the CLI and in Java, URL-safe base64 and an empty `externalPayloads` are errors in the Web UI.
 */
import { asBuffer, type Payload } from '../../../codec/payload.ts';
import { base64Length, writeBase64 } from './base64.ts';

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
