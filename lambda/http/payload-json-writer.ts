/**
 * Writes the body of a 200: the proto3 JSON of `temporal.api.common.v1.Payloads`, exactly as the
 * strictest of the clients reads it. Any other field, a null element or a null value is an error in
 * the CLI and in Java, URL-safe base64 and an empty `externalPayloads` are errors in the Web UI.
 */
import { asBuffer, type Payload } from '../../codec/payload.ts';

/** A metadata key that needs no escapes. */
const PLAIN_KEY = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const NOT_ASCII = /[\x7f-\uffff]/g;

/** The payloads as JSON. The text is ASCII whatever the payloads hold, so its length is that of its bytes. */
export function writePayloads(payloads: readonly Payload[]): string {
  let json = '{"payloads":[';
  let separator = '';
  for (const payload of payloads) {
    json += separator + payloadJson(payload);
    separator = ',';
  }
  return `${json}]}`;
}

function payloadJson({ metadata, data, externalPayloads }: Payload): string {
  let json = '{"metadata":{';
  let separator = '';
  for (const key in metadata) {
    const value = metadata[key];
    if (value === undefined) continue;
    json += `${separator}${keyJson(key)}:"${asBuffer(value).toString('base64')}"`;
    separator = ',';
  }
  json += `},"data":"${asBuffer(data).toString('base64')}"`;
  if (externalPayloads !== undefined && externalPayloads.length > 0) {
    const sizes = externalPayloads.map(({ sizeBytes }) => `{"sizeBytes":"${sizeBytes}"}`);
    json += `,"externalPayloads":[${sizes.join(',')}]`;
  }
  return `${json}}`;
}

function keyJson(key: string): string {
  return PLAIN_KEY.test(key) ? `"${key}"` : asciiJson(key);
}

/** A JSON text in ASCII: every other character as `\uXXXX`, in pairs where one does not do. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    NOT_ASCII,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
