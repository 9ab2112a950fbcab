/**
 * The present format of advdv/stdgo: a Google Tink ciphertext under one AES-256-GCM key of a keyset, that is 0x01 ‖ key id,
 * 4 bytes big-endian ‖ nonce 12 ‖ ciphertext ‖ tag 16. The namespace stands in the metadata and is authenticated as
 * `namespace=<namespace>`.
 *
 * The keyset's keys are configured as static keys with the ids `tink/<key id>`.
 *
 * @see https://developers.google.com/tink/wire-format (Tink output prefix, AEAD)
 */
import { MalformedPayloadError } from '../errors.ts';
import type { PayloadFormat } from '../format.ts';
import { asBuffer, metadataText } from '../payload.ts';
import { openAesGcm } from './aes-gcm.ts';
import { CIPHER } from './metadata.ts';
import { STDGO_NAMESPACE } from './stdgo.ts';

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
