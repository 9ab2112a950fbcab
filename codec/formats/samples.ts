/**
 * The format of Temporal's own encryption samples in Go, TypeScript, Python, .NET and Ruby, and of
 * most servers made after them: nonce 12 ‖ ciphertext ‖ tag 16 under one static key, without
 * additional authenticated data. Nothing binds it to a namespace: the key does, by configuration.
 *
 * The Java sample writes the same bytes, names its cipher, and puts **the key itself** where the
 * others put its id. That text is only ever looked up; it never becomes a key, and no log shows it.
 */
import { CannotOpenError } from '../errors.ts';
import type { Envelope, PayloadFormat } from '../format.ts';
import { metadataText, type Payload } from '../payload.ts';
import { openAesGcm } from './aes-gcm.ts';
import { CIPHER, KEY_ID } from './metadata.ts';

/** The cipher that the Java sample names. */
export const JAVA_SAMPLE_CIPHER = 'AES/GCM/NoPadding';

/** Everything of `binary/encrypted` that carries no other producer's mark. */
export const sampleFormat: PayloadFormat = {
  name: 'sample',
  recognize: (payload) => sampleEnvelope('sample', payload),
};

export const javaSampleFormat: PayloadFormat = {
  name: 'java-sample',
  recognize: (payload) =>
    metadataText(payload, CIPHER) === JAVA_SAMPLE_CIPHER ? sampleEnvelope('java-sample', payload) : undefined,
};

function sampleEnvelope(format: string, payload: Payload): Envelope {
  return {
    format,
    boundNamespace: undefined,
    keyRequest: {
      kind: 'static',
      keyId: metadataText(payload, KEY_ID) ?? '',
      fits: (key) => opens(key, payload.data),
    },
    open: (dataKey) => openAesGcm(dataKey, payload.data),
  };
}

function opens(key: Uint8Array, data: Uint8Array): boolean {
  try {
    openAesGcm(key, data).fill(0);
    return true;
  } catch (error) {
    if (error instanceof CannotOpenError) return false;
    throw error;
  }
}
