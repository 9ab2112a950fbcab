/**
 * One payload in the forms of JSON that people have: bytes as base64 (proto3 JSON, Go), as arrays, as
 * objects of numbered bytes, as Node's `Buffer`, or made readable by the Web UI; and back again in the
 * same form, the same indentation and the same spelling of names.
 */
import { ENCODING, type ExternalPayloadDetails, emptyMetadata, fromBase64, type Payload } from '../../codec/payload.ts';
import { decodeBase64 } from '../../lambda/server/http/base64.ts';

type BytesForm = 'base64' | 'list' | 'numbered' | 'buffer' | 'text';
type Json = Readonly<Record<string, unknown>>;

const PRINTABLE = /^[\x21-\x7e]+$/;
/** An encoding as the Web UI's readable form writes it. */
const READABLE = /^[\w.+/-]+$/;
/** Names of a payload's fields, as different writers spell them. */
const DATA = ['data', 'Data'];
const METADATA = ['metadata', 'Metadata'];
const EXTERNAL = ['externalPayloads', 'external_payloads', 'ExternalPayloads'];
/** The field that a name stands for. An object with any other name in it, or two names of a field, is not a payload. */
export const PAYLOAD_NAMES: ReadonlyMap<string, number> = new Map(
  [METADATA, DATA, EXTERNAL].flatMap((names, field) => names.map((name) => [name, 1 << field])),
);
export const METADATA_NAMES: ReadonlySet<string> = new Set(METADATA);

/** A payload and the form it was written in. */
export interface JsonPayload {
  readonly payload: Payload;
  readonly form: BytesForm;
}

/** Reads a payload; undefined when a value of it is not bytes in any form. */
export function readJsonPayload(value: unknown): JsonPayload | undefined {
  const json = value as Json;
  const given = fieldOf(json, METADATA) as Json;
  const form = formOf(given[ENCODING]);
  if (form === undefined) return undefined;
  const metadata = emptyMetadata();
  for (const [name, of] of Object.entries(given)) {
    const bytes = form === 'text' ? textBytes(of) : bytesIn(of, form);
    if (bytes === undefined) return undefined;
    metadata[name] = bytes;
  }
  const data = readData(fieldOf(json, DATA), form);
  if (data === undefined) return undefined;
  const externalPayloads = readExternal(fieldOf(json, EXTERNAL));
  return { form, payload: externalPayloads === undefined ? { metadata, data } : { metadata, data, externalPayloads } };
}

/** How many names the metadata has: fewer than were read when one is there twice. */
export function namesInMetadata(value: unknown): number {
  return Object.keys(fieldOf(value as Json, METADATA) as Json).length;
}

/** Writes a payload in place of another one, as that one was written. */
export function writeJsonPayload(payload: Payload, { form }: JsonPayload, value: unknown, text: string): string {
  const json = value as Json;
  const out: Record<string, unknown> = {};
  out[nameIn(json, METADATA)] = Object.fromEntries(
    Object.entries(payload.metadata)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, bytes]) => [name, writeBytes(bytes, form)]),
  );
  // proto3 JSON leaves out what is empty
  if (payload.data.length > 0 || form !== 'base64')
    out[nameIn(json, DATA)] = form === 'text' ? readable(payload) : writeBytes(payload.data, form);
  if (payload.externalPayloads !== undefined) {
    const sizeName = nameIn(json, EXTERNAL) === 'external_payloads' ? 'size_bytes' : 'sizeBytes';
    out[nameIn(json, EXTERNAL)] = payload.externalPayloads.map((it) => ({ [sizeName]: `${it.sizeBytes}` }));
  }
  return writeLike(out, text);
}

function fieldOf(json: Json, names: readonly string[]): unknown {
  return names.map((name) => json[name]).find((it) => it !== undefined && it !== null);
}

function nameIn(json: Json, names: readonly string[]): string {
  return names.find((name) => json[name] !== undefined) ?? spelledLike(json, names);
}

/** A field that the original did not have, spelled as its others. */
function spelledLike(json: Json, names: readonly string[]): string {
  return (METADATA[1] ?? '') in json ? (names.at(-1) ?? '') : (names[0] ?? '');
}

function formOf(encoding: unknown): BytesForm | undefined {
  if (typeof encoding === 'string') {
    // Text such as json/plain is valid base64, too, but of bytes that are not an encoding.
    if (PRINTABLE.test(fromAnyBase64(encoding)?.toString('latin1') ?? '')) return 'base64';
    return READABLE.test(encoding) ? 'text' : undefined;
  }
  if (Array.isArray(encoding)) return 'list';
  if (typeof encoding !== 'object' || encoding === null) return undefined;
  return (encoding as Json)['type'] === 'Buffer' ? 'buffer' : 'numbered';
}

function bytesIn(value: unknown, form: BytesForm): Buffer | undefined {
  switch (form) {
    case 'base64':
    case 'text':
      return typeof value === 'string' ? fromAnyBase64(value) : undefined;
    case 'list':
      return fromList(value);
    case 'buffer':
      return fromList((value as Json | null)?.['data']);
    case 'numbered': {
      if (typeof value !== 'object' || value === null) return undefined;
      const entries = Object.entries(value);
      return entries.every(([name], i) => name === `${i}`) ? fromList(entries.map(([, byte]) => byte)) : undefined;
    }
  }
}

/** As proto3 JSON allows it. Most writers pad the standard alphabet, which is told faster. */
function fromAnyBase64(text: string): Buffer | undefined {
  return fromBase64(text) ?? decodeBase64(Buffer.from(text, 'utf8'));
}

function fromList(value: unknown): Buffer | undefined {
  if (!Array.isArray(value)) return undefined;
  const isByte = (it: unknown) => Number.isInteger(it) && (it as number) >= 0 && (it as number) <= 255;
  return value.every(isByte) ? Buffer.from(value as number[]) : undefined;
}

function textBytes(value: unknown): Buffer | undefined {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : undefined;
}

function readData(data: unknown, form: BytesForm): Buffer | undefined {
  if (data === undefined || data === null) return Buffer.alloc(0);
  if (form !== 'text') return bytesIn(data, form);
  // Made readable where it is JSON, and base64 where it is not.
  return bytesIn(data, 'base64') ?? Buffer.from(JSON.stringify(data), 'utf8');
}

function readExternal(value: unknown): ExternalPayloadDetails[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.map((it: Json | null) => {
    const size = String(it?.['sizeBytes'] ?? it?.['size_bytes'] ?? it?.['SizeBytes'] ?? 0);
    return { sizeBytes: /^-?\d{1,19}$/.test(size) ? BigInt(size) : 0n };
  });
}

function writeBytes(bytes: Uint8Array, form: BytesForm): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (form) {
    case 'base64':
      return buffer.toString('base64');
    case 'text':
      return buffer.toString('utf8');
    case 'list':
      return [...buffer];
    case 'buffer':
      return { type: 'Buffer', data: [...buffer] };
    case 'numbered':
      return { ...buffer };
  }
}

/** As the Web UI makes it readable: JSON where it is JSON. */
function readable({ metadata, data }: Payload): unknown {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (
    Buffer.from(metadata[ENCODING] ?? '')
      .toString('latin1')
      .startsWith('json/')
  ) {
    try {
      return JSON.parse(bytes.toString('utf8'));
    } catch {
      // Shown as it is.
    }
  }
  return bytes.toString('base64');
}

/** JSON with the line breaks, the indentation and the spaces of a text whose place it takes. */
function writeLike(value: unknown, text: string): string {
  const lastLine = text.lastIndexOf('\n');
  const base = text.slice(lastLine + 1, -1);
  // Lines broken anywhere else are nobody's indentation.
  if (lastLine < 0 || !/^[ \t]*$/.test(base)) {
    const colon = /"\s*:(\s*)/.exec(text)?.[1] ?? '';
    const compact = JSON.stringify(value);
    return colon === '' && !/,\s/.test(text) ? compact : spaced(value, colon, /["}],(\s*)"/.exec(text)?.[1] ?? '');
  }
  const inner = /\n([ \t]*)/.exec(text)?.[1] ?? '';
  const unit = inner.startsWith(base) ? inner.slice(base.length) : '  ';
  return JSON.stringify(value, null, unit).replaceAll('\n', `\n${base}`);
}

/** One line with spaces after colons and commas. */
function spaced(value: unknown, colon: string, comma: string): string {
  if (Array.isArray(value)) return `[${value.map((it) => spaced(it, colon, comma)).join(`,${comma}`)}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([name, it]) => `${JSON.stringify(name)}:${colon}${spaced(it, colon, comma)}`,
  );
  return `{${fields.join(`,${comma}`)}}`;
}
