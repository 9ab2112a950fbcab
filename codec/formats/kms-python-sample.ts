/**
 * Temporal's Python sample of role access (`encryption_jwt`). Its wrapped data key stands in the
 * metadata as base64 text and was made without an encryption context; the sample finds the KMS key
 * by the alias `alias/<namespace with . as _>`, which no payload carries. Nothing binds it to a
 * namespace: the KMS keys of the caller's namespace are the only ones asked.
 */
import type { PayloadFormat } from '../format.ts';
import { metadataText } from '../payload.ts';
import { openAesGcm } from './aes-gcm.ts';
import { KEY_ID, wrappedKeyFromBase64 } from './metadata.ts';

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
