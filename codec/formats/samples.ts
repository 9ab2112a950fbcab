/**
 * The format of Temporal's own encryption samples in Go, TypeScript, Python, .NET and Ruby, and of
 * most servers made after them: nonce 12 ‖ ciphertext ‖ tag 16 under one static key, without
 * additional authenticated data. Nothing binds it to a namespace: the key does, by configuration.
 *
 * Until October 2024 the .NET sample put the tag before the ciphertext, and said so nowhere in the
 * payload: what does not open one way is tried the other. The tag tells which is right.
 *
 * The Java sample writes the same bytes, names its cipher, and puts **the key itself** where the
 * others put its id. That text is only ever looked up; it never becomes a key, and no log shows it.
 */

import { PUBLIC_KEY_CONTEXT_KEY } from '../aws-encryption-sdk/encryption-context.ts';
import { messageEnvelope, parseMessage } from '../aws-encryption-sdk/reader.ts';
import { CannotOpenError, MalformedPayloadError } from '../errors.ts';
import type { Envelope, PayloadFormat } from '../format.ts';
import { metadataText, type Payload } from '../payload.ts';
import { CIPHER, KEY_ID, openAesGcm, withTagLast, wrappedKeyFromBase64 } from './aes-gcm.ts';

/** The cipher that the Java sample names. */
const JAVA_SAMPLE_CIPHER = 'AES/GCM/NoPadding';

/** Everything of `binary/encrypted` that carries no other producer's mark. */
export const sampleFormat: PayloadFormat = {
  name: 'sample',
  recognize: (payload) => sampleEnvelope('sample', payload, openEitherLayout),
};

export const javaSampleFormat: PayloadFormat = {
  name: 'java-sample',
  recognize: (payload) =>
    metadataText(payload, CIPHER) === JAVA_SAMPLE_CIPHER
      ? sampleEnvelope('java-sample', payload, openAesGcm)
      : undefined,
};

type Open = (key: Uint8Array | undefined, sealed: Uint8Array) => Uint8Array;

function sampleEnvelope(format: string, payload: Payload, open: Open): Envelope {
  return {
    format,
    boundNamespace: undefined,
    keyRequest: {
      kind: 'static',
      keyId: metadataText(payload, KEY_ID) ?? '',
      fits: (key) => opens(open, key, payload.data),
    },
    open: (dataKey) => open(dataKey, payload.data),
  };
}

/** @throws CannotOpenError when neither layout opens, MalformedPayloadError when it is too short */
function openEitherLayout(key: Uint8Array | undefined, sealed: Uint8Array): Uint8Array {
  try {
    return openAesGcm(key, sealed);
  } catch (error) {
    if (!(error instanceof CannotOpenError) || error.reason !== 'not-authentic') throw error;
    return openAesGcm(key, withTagLast(sealed));
  }
}

function opens(open: Open, key: Uint8Array, data: Uint8Array): boolean {
  try {
    open(key, data).fill(0);
    return true;
  } catch (error) {
    if (error instanceof CannotOpenError) return false;
    throw error;
  }
}

// Temporal's Python sample of role access (`encryption_jwt`). Its wrapped data key stands in the
// metadata as base64 text and was made without an encryption context; the sample finds the KMS key
// by the alias `alias/<namespace with . as _>`, which no payload carries. Nothing binds it to a
// namespace: the KMS keys of the caller's namespace are the only ones asked.

/** The mark of the format. */
const WRAPPED_KEY = 'data_key_encrypted';

export const kmsPythonSampleFormat: PayloadFormat = {
  name: 'kms-python-sample',
  recognize(payload) {
    const wrapped = payload.metadata[WRAPPED_KEY];
    if (wrapped === undefined) return undefined;
    return {
      format: 'kms-python-sample',
      boundNamespace: undefined,
      keyRequest: {
        kind: 'kms',
        format: 'kms-python-sample',
        claimedKey: metadataText(payload, KEY_ID),
        ciphertext: wrappedKeyFromBase64(wrapped),
        encryptionContext: new Map(),
      },
      open: (dataKey) => openAesGcm(dataKey, payload.data),
    };
  },
};

// Temporal's Java sample of key management with the AWS Encryption SDK: a message of suite 0x0578
// whose encryption context is empty, or a `signature` made of workflow id and activity type. Neither
// is a namespace, so the KMS keys of the caller's namespace are the only ones asked.
//
// Any other context is refused: a message that some other codec binds to a namespace must not be
// readable in another one by calling it a payload of this sample.

/** The spelling is the sample's. */
export const KMS_JAVA_SAMPLE_ENCODING = 'awsencriptionsdk/binary/encrypted';

const CONTEXT_KEYS = new Set(['signature', PUBLIC_KEY_CONTEXT_KEY]);

export const kmsJavaSampleFormat: PayloadFormat = {
  name: 'kms-java-sample',
  recognize(payload) {
    const message = parseMessage(payload.data);
    for (const key of message.header.encryptionContext.keys())
      if (!CONTEXT_KEYS.has(key))
        throw new MalformedPayloadError('the encryption context is none that the Java sample writes');
    return messageEnvelope('kms-java-sample', message, undefined, 'kms-java-sample');
  },
};
