// A cold start's other floor: what any function that decrypts with KMS has to load, and its one call.
import { DecryptCommand, KMSClient } from '@aws-sdk/client-kms';

const kms = new KMSClient({});

export const handler = async ({ keyId, ciphertext, encryptionContext }) => {
  const { Plaintext } = await kms.send(
    new DecryptCommand({
      KeyId: keyId,
      CiphertextBlob: Buffer.from(ciphertext, 'base64'),
      EncryptionContext: encryptionContext,
    }),
  );
  return { statusCode: 200, body: String(Plaintext?.length) };
};
