/**
 * Our payload format: an AWS Encryption SDK message whose plaintext is the serialized inner payload,
 * and whose encryption context names the Temporal namespace it belongs to.
 */
import { CannotOpenError, MalformedPayloadError } from '../errors.ts';
import type { Envelope, PayloadFormat } from '../format.ts';
import type { MessageKeyRequest } from '../keys/key-source.ts';
import type { ForeignKmsFormat } from '../keys/kms/foreign-formats.ts';
import type { Payload } from '../payload.ts';
import { NAMESPACE_CONTEXT_KEY } from './encryption-context.ts';
import { decryptMessage, type ParsedMessage, parseMessage } from './reader.ts';

/** The `encoding` of our payloads. */
export const AWS_ENCRYPTION_SDK_ENCODING = 'binary/aws-encryption-sdk';

/**
 * An envelope around the message of another producer who uses the same message format, and binds no namespace.
 *
 * @param foreign the other producer
 */
export function foreignMessageEnvelope(foreign: ForeignKmsFormat, message: ParsedMessage): Envelope {
  return new MessageEnvelope(foreign, message, undefined, foreign);
}

class MessageEnvelope implements Envelope {
  readonly format: string;
  readonly boundNamespace: string | undefined;
  readonly keyRequest: MessageKeyRequest;
  readonly #message: ParsedMessage;

  constructor(format: string, message: ParsedMessage, boundNamespace: string | undefined, foreign?: ForeignKmsFormat) {
    const { encryptedDataKeys, encryptionContext } = message.header;
    this.format = format;
    this.boundNamespace = boundNamespace;
    this.keyRequest = { kind: 'message', format: foreign, encryptedDataKeys, encryptionContext };
    this.#message = message;
  }

  open(dataKey: Uint8Array | undefined): Uint8Array {
    if (dataKey === undefined)
      throw new CannotOpenError('unknown-key', 'a message cannot be opened without a data key');
    return decryptMessage(this.#message, dataKey);
  }
}

/**
 * Recognizes our payloads.
 *
 * A message that names no namespace is refused, although it could be decrypted: whoever may read one
 * namespace would get it decrypted under that name, whichever namespace it was written in. What binds
 * a payload to its namespace is not left to the person asking.
 */
export const awsEncryptionSdkFormat: PayloadFormat = {
  name: 'aws-encryption-sdk',
  recognize(payload: Payload): Envelope {
    const message = parseMessage(payload.data);
    const namespace = message.header.encryptionContext.get(NAMESPACE_CONTEXT_KEY);
    if (namespace === undefined || namespace === '')
      throw new MalformedPayloadError(`the encryption context of the message has no ${NAMESPACE_CONTEXT_KEY}`);
    return new MessageEnvelope(awsEncryptionSdkFormat.name, message, namespace);
  },
};
