/**
 * The Temporal codec of advdv/stdgo, version 1: length u32 big-endian ‖ wrapped key ‖ nonce 12 ‖
 * ciphertext ‖ tag 16. KMS binds the wrapped key to the namespace that the metadata names; the
 * ciphertext itself has no additional authenticated data.
 */
import { MalformedPayloadError } from '../errors.ts';
import type { PayloadFormat } from '../format.ts';
import { NAMESPACE_IN_KMS_CONTEXT } from '../keys/kms/foreign-formats.ts';
import { asBuffer, metadataText } from '../payload.ts';
import { openAesGcm } from './aes-gcm.ts';
import { CIPHER, KEY_ID, wrappedKey } from './metadata.ts';

/** With {@link STDGO_CIPHER} the mark of the format; alone, that of its successor in `tink.ts`. */
export const STDGO_NAMESPACE = 'encryption-context-namespace';
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
