/** A payload as Temporal's samples write it, under a key of its own, and the secret with that key. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { metadataOf, serializePayload } from '../../codec/payload.ts';

const key = randomBytes(32);
const keyId = 'orders-2024';

/** The text of a secret of static keys. */
export const TEST_KEY_SECRET = JSON.stringify({
  keys: [{ id: keyId, key: key.toString('base64'), namespaces: ['orders'] }],
});

/** The payload `"written before"`, as the codec protocol's JSON. */
export const TEST_KEY_PAYLOAD = {
  metadata: {
    encoding: Buffer.from('binary/encrypted').toString('base64'),
    'encryption-key-id': Buffer.from(keyId).toString('base64'),
  },
  data: seal().toString('base64'),
};

function seal(): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const inner = { metadata: metadataOf({ encoding: 'json/plain' }), data: Buffer.from('"written before"') };
  return Buffer.concat([nonce, cipher.update(serializePayload(inner)), cipher.final(), cipher.getAuthTag()]);
}
