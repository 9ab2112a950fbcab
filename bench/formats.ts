/** Payloads in the formats under measurement, made the same for everyone. */
import { createCipheriv } from 'node:crypto';
import type { PayloadCodec, Payload as TemporalPayload } from '@temporalio/common';
import { serializePayload } from '../codec/payload.ts';
import type { JsonPayload } from './load/job.ts';

/** The public key of Temporal's samples, which every rival uses. */
export const SAMPLES_KEY = Buffer.from('test-key-test-key-test-key-test!');
export const NAMESPACE = 'bench.a1b2c';

/** What is inside: a `json/plain` payload. */
export interface Plain {
  readonly json: Buffer;
}

/** Puts the payloads of a request into envelopes. */
export type Seal = (plains: readonly Plain[], random: () => number) => JsonPayload[] | Promise<JsonPayload[]>;

const JSON_PLAIN = Buffer.from('json/plain');

export function plainPayload({ json }: Plain): JsonPayload {
  return { metadata: { encoding: JSON_PLAIN.toString('base64') }, data: json.toString('base64') };
}

export function serializedPlain({ json }: Plain): Buffer {
  return serializePayload({ metadata: { encoding: JSON_PLAIN }, data: json });
}

/** The encryption samples' format: nonce ‖ ciphertext ‖ tag under a static key. */
export const sealAsSamples: Seal = (plains, random) => plains.map((plain) => sealOne(plain, random));

function sealOne(plain: Plain, random: () => number): JsonPayload {
  const nonce = Buffer.from(Array.from({ length: 12 }, () => Math.floor(random() * 256)));
  const cipher = createCipheriv('aes-256-gcm', SAMPLES_KEY, nonce);
  const data = Buffer.concat([nonce, cipher.update(serializedPlain(plain)), cipher.final(), cipher.getAuthTag()]);
  return {
    metadata: { encoding: base64('binary/encrypted'), 'encryption-key-id': base64('test-key-id') },
    data: data.toString('base64'),
  };
}

/** The format that we write, with the codec that workers use. Requests take the codecs in turn. */
export function sealWith(codecs: readonly PayloadCodec[]): Seal {
  let next = 0;
  return async (plains) => {
    const payloads = plains.map(({ json }) => ({ metadata: { encoding: JSON_PLAIN }, data: json }));
    const sealed: TemporalPayload[] = [];
    // One payload at a time, so that a request of many holds data keys of all of them.
    for (const payload of payloads)
      sealed.push(...(await (codecs[next++ % codecs.length] as PayloadCodec).encode([payload])));
    return sealed.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(
        Object.entries(metadata ?? {}).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      ),
      data: Buffer.from(data ?? []).toString('base64'),
    }));
  };
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
