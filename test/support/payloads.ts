/** Payloads in the forms that tests write them in. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { emptyMetadata, metadataOf, type Payload, type PayloadMetadata } from '../../codec/payload.ts';

/** A payload as clients send it, in proto3 JSON. */
export interface JsonPayload {
  readonly metadata: Record<string, string>;
  readonly data?: string;
}

/** A payload of text. */
export function jsonPlain(value: unknown): Payload {
  return { metadata: metadataOf({ encoding: 'json/plain' }), data: Buffer.from(JSON.stringify(value)) };
}

/** A payload whose metadata may hold bytes. */
export function payloadOf(metadata: Record<string, string | Uint8Array>, data: Uint8Array): Payload {
  const bytes: PayloadMetadata = emptyMetadata();
  for (const [key, value] of Object.entries(metadata)) bytes[key] = Buffer.from(value);
  return { metadata: bytes, data };
}

/** Reads a payload of proto3 JSON. */
export function fromJson({ metadata, data = '' }: JsonPayload): Payload {
  const bytes = Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
  return payloadOf(bytes, Buffer.from(data, 'base64'));
}

/** Writes a payload as proto3 JSON. */
export function toJson({ metadata, data }: Payload): JsonPayload {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return {
    metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, base64(value)])),
    data: base64(data),
  };
}

/** nonce 12 ‖ ciphertext ‖ tag 16, as every producer of `binary/encrypted` seals. */
export function sealAesGcm(key: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  if (aad !== undefined) cipher.setAAD(aad);
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}
