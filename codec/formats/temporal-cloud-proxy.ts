/**
 * temporal-cloud-proxy (temporal-sa). The namespace is authenticated twice, by KMS in the encryption
 * context of the wrapped key and by the ciphertext's additional authenticated data, but stands
 * nowhere in the payload: it is the caller's, and opening proves it.
 */
import { CannotOpenError } from '../errors.ts';
import type { PayloadFormat } from '../format.ts';
import { metadataText } from '../payload.ts';
import { KEY_ID, openAesGcm, wrappedKey } from './aes-gcm.ts';

/** The mark of the format; the value is the raw wrapped key. */
const WRAPPED_KEY = 'encrypted-data-key';

export const temporalCloudProxyFormat: PayloadFormat = {
  name: 'temporal-cloud-proxy',
  recognize(payload, namespace) {
    const wrapped = payload.metadata[WRAPPED_KEY];
    if (wrapped === undefined) return undefined;
    const keyId = metadataText(payload, KEY_ID);
    if (keyId === undefined) throw new CannotOpenError('unknown-key', 'the payload names no key');
    if (namespace === undefined)
      throw new CannotOpenError('wrong-namespace', 'the payload is bound to a namespace, and the request names none');
    return {
      format: 'temporal-cloud-proxy',
      boundNamespace: namespace,
      keyRequest: {
        kind: 'kms',
        format: 'temporal-cloud-proxy',
        claimedKey: keyId,
        ciphertext: wrappedKey(wrapped),
        encryptionContext: new Map([
          ['encryptionKeyID', keyId],
          ['namespace', namespace],
          ['purpose', 'encryption-key-auth'],
        ]),
      },
      open: (dataKey) => openAesGcm(dataKey, payload.data, payloadAad(keyId, namespace)),
    };
  },
};

/** The context of a payload, as Go's `json.Marshal` writes a map: sorted, and escaped for HTML. */
function payloadAad(keyId: string, namespace: string): Buffer {
  return Buffer.from(
    `{"encryptionKeyID":${goJson(keyId)},"namespace":${goJson(namespace)},"purpose":"payload-auth"}`,
    'utf8',
  );
}

function goJson(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
