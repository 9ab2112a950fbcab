/** Payloads in the formats under measurement, made the same for everyone. */
import { createCipheriv } from 'node:crypto';
import { serializePayload } from '../codec/payload.ts';
import type { JsonPayload } from './load/job.ts';

/** The public key of Temporal's samples, which every rival uses. */
export const SAMPLES_KEY = Buffer.from('test-key-test-key-test-key-test!');
export const NAMESPACE = 'bench.a1b2c';

/** What is inside: a `json/plain` payload. */
export interface Plain {
  readonly json: Buffer;
}

/** Puts a payload into an envelope. */
export type Seal = (plain: Plain, random: () => number) => JsonPayload;

const JSON_PLAIN = Buffer.from('json/plain');

export function plainPayload({ json }: Plain): JsonPayload {
  return { metadata: { encoding: JSON_PLAIN.toString('base64') }, data: json.toString('base64') };
}

export function serializedPlain({ json }: Plain): Buffer {
  return serializePayload({ metadata: { encoding: JSON_PLAIN }, data: json });
}

/** The encryption samples' format: nonce ‖ ciphertext ‖ tag under a static key. */
export const sealAsSamples: Seal = (plain, random) => {
  const nonce = Buffer.from(Array.from({ length: 12 }, () => Math.floor(random() * 256)));
  const cipher = createCipheriv('aes-256-gcm', SAMPLES_KEY, nonce);
  const data = Buffer.concat([nonce, cipher.update(serializedPlain(plain)), cipher.final(), cipher.getAuthTag()]);
  return {
    metadata: { encoding: base64('binary/encrypted'), 'encryption-key-id': base64('test-key-id') },
    data: data.toString('base64'),
  };
};

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
