/**
 * Encoding: what leaves here is encrypted for one namespace, or nothing leaves at all.
 */
import { contextOfNamespace } from './aws-encryption-sdk/encryption-context.ts';
import { AWS_ENCRYPTION_SDK_ENCODING, awsEncryptionSdkFormat } from './aws-encryption-sdk/reader.ts';
import { encryptParts } from './aws-encryption-sdk/writer.ts';
import { allOrFirstFailure } from './calls/turns.ts';
import type { CustomCodec } from './decode.ts';
import { CannotOpenError } from './errors.ts';
import type { Envelope, OpenLimits } from './format.ts';
import { type Compression, compressPayload } from './formats/compression.ts';
import type { DataKey } from './keys/data-key.ts';
import type { EncryptionMaterials, KeySource, KeyUsage } from './keys/key-source.ts';
import { ENCODING, metadataOf, type Payload, serializeInParts } from './payload.ts';

/** The parts an encoder is made of. */
export interface Encoder {
  readonly keys: KeySource;
  readonly customCodecs: readonly CustomCodec[];
  /** Compress before encrypting, where it saves bytes. */
  readonly compression: Compression | null;
}

/** What encoding may know of the request. */
export interface EncodeContext {
  /** The full namespace name that the messages are bound to. */
  readonly namespace: string;
  /** Point in time, in milliseconds of `Date.now()`, after which an answer is of no use. */
  readonly deadline: number;
  readonly limits: OpenLimits;
  readonly usage: KeyUsage;
}

/**
 * Encrypts the payloads of a request, in order, bound to `context.namespace`. A payload that is
 * already our message of this namespace, under one of our keys, authenticates, and has our metadata alone, is
 * returned as it is: clients repeat an encoding when the call behind it is retried, and workers peel one layer.
 *
 * @returns one payload per payload; a promise only when something had to be waited for
 * @throws CannotEncodeError when the namespace has no key to write with
 * @throws KeyUnavailableError when a key may be available in a moment
 */
export function encodePayloads(
  encoder: Encoder,
  payloads: readonly Payload[],
  context: EncodeContext,
): Payload[] | Promise<Payload[]> {
  const results = payloads.map((payload) => encodePayload(encoder, payload, context));
  if (!results.some((result) => result instanceof Promise)) return results as Payload[];
  return allOrFirstFailure(results);
}

function encodePayload(encoder: Encoder, payload: Payload, context: EncodeContext): Payload | Promise<Payload> {
  try {
    const already = isEncoded(encoder, payload, context);
    if (already === false) return encryptPayload(encoder, payload, context);
    if (already === true) return payload;
    return already.then((yes) => (yes ? payload : encryptPayload(encoder, payload, context)));
  } catch (error) {
    return Promise.reject(error);
  }
}

const OWN_ENCODING = Buffer.from(AWS_ENCRYPTION_SDK_ENCODING, 'latin1');

/** Whether the payload is ours already, proven by opening it; what only looks like ours is wrapped once more. */
function isEncoded(encoder: Encoder, payload: Payload, context: EncodeContext): boolean | Promise<boolean> {
  try {
    const encoding = payload.metadata[ENCODING];
    if (encoding === undefined || !OWN_ENCODING.equals(encoding)) return false;
    const envelope = awsEncryptionSdkFormat.recognize(payload, context.namespace);
    if (envelope?.keyRequest === undefined || envelope.boundNamespace !== context.namespace) return false;
    // Whatever else the metadata held would leave here in plain text, as if it had been encoded.
    if (Object.keys(payload.metadata).length > 1 || (payload.externalPayloads ?? []).length > 0) return false;
    const key = encoder.keys.unwrap(envelope.keyRequest, context);
    if (!(key instanceof Promise)) return authenticates(envelope, key, context);
    return key.then((it) => authenticates(envelope, it, context)).catch(falseIfClosed);
  } catch (error) {
    return falseIfClosed(error);
  }
}

function authenticates(envelope: Envelope, key: DataKey, context: EncodeContext): boolean {
  try {
    envelope.open(key.bytes, context.limits);
    return true;
  } finally {
    key.release();
  }
}

function falseIfClosed(error: unknown): false {
  if (error instanceof CannotOpenError) return false;
  throw error;
}

function encryptPayload(encoder: Encoder, payload: Payload, context: EncodeContext): Payload | Promise<Payload> {
  const codecs = encoder.customCodecs.filter((codec) => codec.appliesTo(context.namespace));
  if (codecs.length === 0) return sealPayload(encoder, payload, context);
  return codecs
    .reduce<Promise<Payload>>(async (encoded, codec) => codec.encode(await encoded), Promise.resolve(payload))
    .then((encoded) => sealPayload(encoder, encoded, context));
}

function sealPayload(encoder: Encoder, payload: Payload, context: EncodeContext): Payload | Promise<Payload> {
  const inner = encoder.compression === null ? payload : compressPayload(payload, encoder.compression);
  const parts = serializeInParts(inner);
  const encryptionContext = contextOfNamespace(context.namespace);
  const seal = (materials: EncryptionMaterials): Payload => {
    try {
      context.usage.keyIds.add(materials.dataKey.id);
      const data = encryptParts(parts, {
        dataKey: materials.dataKey.bytes,
        encryptedDataKeys: materials.encryptedDataKeys,
        encryptionContext,
      });
      return { metadata: metadataOf({ encoding: AWS_ENCRYPTION_SDK_ENCODING }), data };
    } finally {
      materials.dataKey.release();
    }
  };
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const materials = encoder.keys.materialsFor(encryptionContext, length, context);
  return materials instanceof Promise ? materials.then(seal) : seal(materials);
}
