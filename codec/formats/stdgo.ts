/**
 * The Temporal codec of advdv/stdgo, version 1: length u32 big-endian ‖ wrapped key ‖ nonce 12 ‖
 * ciphertext ‖ tag 16. KMS binds the wrapped key to the namespace that the metadata names; the
 * ciphertext itself has no additional authenticated data.
 */
import { MalformedPayloadError } from '../errors.ts';
import type { PayloadFormat } from '../format.ts';
import { NAMESPACE_IN_KMS_CONTEXT } from '../keys/kms/foreign-formats.ts';
import { asBuffer, metadataText } from '../payload.ts';
import { CIPHER, KEY_ID, openAesGcm, wrappedKey } from './aes-gcm.ts';

/** With {@link STDGO_CIPHER} the mark of the format; alone, that of its successor in `tink.ts`. */
const STDGO_NAMESPACE = 'encryption-context-namespace';
const STDGO_CIPHER = 'AES_256_GCM';
const LENGTH_OF_LENGTH = 4;

export const stdgoFormat: PayloadFormat = {
  name: 'stdgo',
  recognize(payload) {
    const namespace = metadataText(payload, STDGO_NAMESPACE);
    if (namespace === undefined || metadataText(payload, CIPHER) !== STDGO_CIPHER) return undefined;
    const { wrapped, sealed } = split(payload.data);
    return {
      format: 'stdgo',
      boundNamespace: namespace,
      keyRequest: {
        kind: 'kms',
        format: 'stdgo',
        claimedKey: metadataText(payload, KEY_ID),
        ciphertext: wrappedKey(wrapped),
        encryptionContext: new Map([[NAMESPACE_IN_KMS_CONTEXT, namespace]]),
      },
      open: (dataKey) => openAesGcm(dataKey, sealed),
    };
  },
};

function split(data: Uint8Array): { readonly wrapped: Uint8Array; readonly sealed: Uint8Array } {
  if (data.length < LENGTH_OF_LENGTH) throw new MalformedPayloadError('the ciphertext has no length of its key');
  const end = LENGTH_OF_LENGTH + asBuffer(data).readUInt32BE(0);
  if (end > data.length) throw new MalformedPayloadError('the wrapped data key ends after the ciphertext');
  return { wrapped: data.subarray(LENGTH_OF_LENGTH, end), sealed: data.subarray(end) };
}

// The present format of advdv/stdgo: a Google Tink ciphertext under one AES-256-GCM key of a keyset, that is 0x01 ‖ key id,
// 4 bytes big-endian ‖ nonce 12 ‖ ciphertext ‖ tag 16. The namespace stands in the metadata and is authenticated as
// `namespace=<namespace>`.
//
// The keyset's keys are configured as static keys with the ids `tink/<key id>`.
//
// @see https://developers.google.com/tink/wire-format (Tink output prefix, AEAD)

const TINK_PREFIX = 1;
const PREFIX_LENGTH = 5;

export const tinkFormat: PayloadFormat = {
  name: 'stdgo-tink',
  recognize(payload) {
    const namespace = metadataText(payload, STDGO_NAMESPACE);
    if (namespace === undefined || metadataText(payload, CIPHER) !== undefined) return undefined;
    const data = asBuffer(payload.data);
    if (data.length < PREFIX_LENGTH || data[0] !== TINK_PREFIX)
      throw new MalformedPayloadError('the ciphertext has no prefix of Tink');
    return {
      format: 'stdgo-tink',
      boundNamespace: namespace,
      keyRequest: { kind: 'static', keyId: `tink/${data.readUInt32BE(1)}` },
      open: (dataKey) => openAesGcm(dataKey, data.subarray(PREFIX_LENGTH), Buffer.from(`namespace=${namespace}`)),
    };
  },
};
