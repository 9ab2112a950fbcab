/** What a payload says about itself without any key. */

import { rawAesKeyNameOf } from '../../codec/aws-encryption-sdk/raw-aes-keyring.ts';
import { parseMessage } from '../../codec/aws-encryption-sdk/reader.ts';
import { CannotOpenError } from '../../codec/errors.ts';
import type { Envelope } from '../../codec/format.ts';
import { recognizeAll } from '../../codec/formats/all-formats.ts';
import { temporalCloudProxyFormat } from '../../codec/formats/temporal-cloud-proxy.ts';
import { type DataKeyRequest, type EncryptedDataKey, KMS_PROVIDER_ID } from '../../codec/keys/key-source.ts';
import { digestOfId } from '../../codec/keys/static/static-keys.ts';
import { asBuffer, deserializePayload, encodingOf, type Payload } from '../../codec/payload.ts';
import { escaped } from '../../config/printable.ts';
import { isStorageReference } from '../../lambda/server/storage/reference.ts';

/** What can be said of a payload without a key. */
export type PayloadKind = 'encrypted' | 'compressed' | 'plain' | 'reference' | 'unknown' | 'unreadable';

/** A payload as `inspect` shows it. Every text that came from the payload is printable. */
export interface PayloadDescription {
  /**
   * - `encrypted`: needs a key
   * - `compressed`: needs none, and is nothing else inside
   * - `plain`: readable as it is
   * - `reference`: in external storage; what is there may need any key
   * - `unknown`: of an encoding that nobody here knows, so it may be encrypted
   * - `unreadable`: claims to be of a format and is not
   */
  readonly kind: PayloadKind;
  /** The outermost format, or the encoding of what is none of ours. */
  readonly format: string;
  /** Cipher or algorithm suite, where it is encrypted. */
  readonly suite: string | undefined;
  /** The namespace it is bound to, as the writer claims; undefined when it carries none. */
  readonly namespace: string | undefined;
  /** Names of the keys of which any one opens it, as the writer claims. */
  readonly keys: readonly string[];
  /** Bytes of data. */
  readonly size: number;
  /** Formats from the outside in, as far as can be seen without a key; `?` stands for what cannot. */
  readonly layers: readonly string[];
  /** What is wrong, when it is unreadable. */
  readonly problem: string | undefined;
}

/** Compressed layers to look behind, and the bytes that may come out of them. */
const MAX_LAYERS = 8;
const INFLATE_BUDGET = 64 * 1024 * 1024;
/** Encodings that Temporal's SDKs and server write without any codec. */
const PLAIN: ReadonlySet<string> = new Set([
  'json/plain',
  'json/protobuf',
  'binary/plain',
  'binary/null',
  'binary/protobuf',
]);
const AES_GCM = 'AES-256-GCM';
/** A key that stands where an id should: text of 32 bytes, or 32 bytes in base64 or hexadecimal. */
const LOOKS_LIKE_A_KEY = /^(?:[A-Za-z0-9+/_-]{43}=?|[0-9A-Fa-f]{64})$/;

/** Whether a payload is of an encoding that Temporal's own converters write, and no reference. */
export function isPlain(payload: Payload): boolean {
  return PLAIN.has(encodingOf(payload) ?? '') && payload.externalPayloads === undefined && !isStorageReference(payload);
}

/** The payload behind every layer that needs no key; undefined where one of them needs a key or does not open. */
export function behindCompression(payload: Payload): Payload | undefined {
  const limits = { inflateBudget: INFLATE_BUDGET };
  let current = payload;
  try {
    for (let layers = 0; layers < MAX_LAYERS; layers++) {
      const envelope = recognizeAll(current, '');
      if (envelope === undefined) return current;
      if (envelope.keyRequest !== undefined) return undefined;
      current = deserializePayload(envelope.open(undefined, limits));
    }
  } catch (error) {
    if (!(error instanceof CannotOpenError)) throw error;
  }
  return undefined;
}

export function describePayload(payload: Payload): PayloadDescription {
  const layers: string[] = [];
  const limits = { inflateBudget: INFLATE_BUDGET };
  const size = payload.data.length;
  let current = payload;
  try {
    while (layers.length < MAX_LAYERS) {
      // Formats that authenticate a namespace without carrying it ask for one.
      const envelope = recognizeAll(current, '');
      if (envelope === undefined) return unencrypted(current, layers, size);
      layers.push(envelope.format);
      if (envelope.keyRequest !== undefined) return encrypted(current, envelope, envelope.keyRequest, layers, size);
      current = deserializePayload(envelope.open(undefined, limits));
    }
    return unreadable(payload, layers, size, `it has more than ${MAX_LAYERS} layers`);
  } catch (error) {
    if (error instanceof CannotOpenError) return unreadable(payload, layers, size, error.message);
    throw error;
  }
}

function unencrypted(inner: Payload, outer: readonly string[], size: number): PayloadDescription {
  const encoding = escaped(encodingOf(inner) ?? '(no encoding)');
  const layers = [...outer, encoding];
  const [format = encoding] = layers;
  const kind = unencryptedKind(inner, outer.length > 0);
  return { kind, format, suite: undefined, namespace: undefined, keys: [], size, layers, problem: undefined };
}

function unencryptedKind(payload: Payload, isCompressed: boolean): PayloadKind {
  if (isStorageReference(payload) || payload.externalPayloads !== undefined) return 'reference';
  if (!isPlain(payload)) return 'unknown';
  return isCompressed ? 'compressed' : 'plain';
}

function encrypted(
  payload: Payload,
  envelope: Envelope,
  request: DataKeyRequest,
  outer: readonly string[],
  size: number,
): PayloadDescription {
  const carriesNamespace = envelope.format !== temporalCloudProxyFormat.name && envelope.boundNamespace !== undefined;
  return {
    kind: 'encrypted',
    format: outer[0] ?? envelope.format,
    suite: request.kind === 'message' ? parseMessage(payload.data).header.suite.name : AES_GCM,
    namespace: carriesNamespace ? escaped(envelope.boundNamespace ?? '') : undefined,
    keys: keysOf(request),
    size,
    layers: [...outer, '?'],
    problem: undefined,
  };
}

function unreadable(payload: Payload, layers: readonly string[], size: number, problem: string): PayloadDescription {
  const format = layers[0] ?? escaped(encodingOf(payload) ?? '(no encoding)');
  const base = { suite: undefined, namespace: undefined, keys: [], size };
  return { kind: 'unreadable', format, ...base, layers: layers.length === 0 ? [format] : [...layers], problem };
}

function keysOf(request: DataKeyRequest): readonly string[] {
  switch (request.kind) {
    case 'message':
      return request.encryptedDataKeys.map(nameOfWrappedKey);
    case 'kms':
      return [request.claimedKey === undefined ? 'a KMS key it does not name' : escaped(request.claimedKey)];
    case 'static':
      return [`static/${nameOfStaticKey(request.keyId)}`];
  }
}

function nameOfWrappedKey(key: EncryptedDataKey): string {
  const raw = rawAesKeyNameOf(key);
  if (raw !== undefined) return escaped(`${raw.namespace}/${raw.name}`);
  const info = asBuffer(key.providerInfo).toString('utf8');
  return escaped(key.providerId === KMS_PROVIDER_ID ? info : `${key.providerId}/${info}`);
}

/** The Java sample writes the key itself where others write its id: such an id is not shown. */
function nameOfStaticKey(id: string): string {
  if (id === '') return '(empty id)';
  if (Buffer.byteLength(id) === 32 || LOOKS_LIKE_A_KEY.test(id)) return digestOfId(id);
  return escaped(id);
}
