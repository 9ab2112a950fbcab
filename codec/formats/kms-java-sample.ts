/**
 * Temporal's Java sample of key management with the AWS Encryption SDK: a message of suite 0x0578
 * whose encryption context is empty, or a `signature` made of workflow id and activity type. Neither
 * is a namespace, so the KMS keys of the caller's namespace are the only ones asked.
 *
 * Any other context is refused: a message that some other codec binds to a namespace must not be
 * readable in another one by calling it a payload of this sample.
 */
import { PUBLIC_KEY_CONTEXT_KEY } from '../aws-encryption-sdk/encryption-context.ts';
import { foreignMessageEnvelope } from '../aws-encryption-sdk/format.ts';
import { parseMessage } from '../aws-encryption-sdk/reader.ts';
import { MalformedPayloadError } from '../errors.ts';
import type { PayloadFormat } from '../format.ts';

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
    return foreignMessageEnvelope('kms-java-sample', message);
  },
};
