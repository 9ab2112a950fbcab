/**
 * Reads AWS Encryption SDK messages of version 2. Parsing needs no key; decrypting checks, in this
 * order, the key commitment, the header's tag, every tag of the body, the signature where the suite
 * has one, and that nothing follows. Only then is there a plaintext.
 * Specification: `client-apis/decrypt.md`.
 */
import { createDecipheriv, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import { CannotOpenError, MalformedPayloadError } from '../errors.ts';
import type { Envelope, PayloadFormat } from '../format.ts';
import type { ForeignKmsFormat } from '../keys/kms/foreign-formats.ts';
import type { Payload } from '../payload.ts';
import { asBuffer, fromBase64 } from '../payload.ts';
import { deriveMessageKeys, IV_LENGTH, KEY_LENGTH, TAG_LENGTH } from './algorithm-suites.ts';
import { decryptBody } from './body.ts';
import { type EncryptionContext, NAMESPACE_CONTEXT_KEY, PUBLIC_KEY_CONTEXT_KEY } from './encryption-context.ts';
import { type MessageHeader, parseHeader } from './header.ts';

const HEADER_IV = Buffer.alloc(IV_LENGTH);
const GCM = { authTagLength: TAG_LENGTH };

/** A message whose header has been parsed and nothing has been authenticated. */
export interface ParsedMessage {
  readonly header: MessageHeader;
  /** The whole message. */
  readonly bytes: Buffer;
}

/**
 * Parses the header of a message. What it says is the writer's claim until {@link decryptMessage}
 * succeeds.
 *
 * @throws MalformedPayloadError when it is not a message that we read; see {@link parseHeader}
 */
export function parseMessage(message: Uint8Array): ParsedMessage {
  const bytes = asBuffer(message);
  return { header: parseHeader(bytes), bytes };
}

/**
 * Decrypts a message with the plaintext data key that one of its encrypted data keys stands for.
 *
 * @returns the plaintext, in memory of its own
 * @throws MalformedPayloadError when the body or footer is not as the format prescribes, or bytes follow it
 * @throws CannotOpenError with reason `not-authentic` when the commitment, a tag or the signature does not verify
 */
export function decryptMessage({ header, bytes }: ParsedMessage, dataKey: Uint8Array): Buffer {
  if (dataKey.length !== KEY_LENGTH)
    throw new CannotOpenError(
      'not-authentic',
      `the data key has ${dataKey.length} bytes, and the message needs ${KEY_LENGTH}`,
    );
  const { encryptionKey, commitKey } = deriveMessageKeys(header.suite, dataKey, header.messageId);
  if (!timingSafeEqual(commitKey, header.commitKey))
    throw new CannotOpenError('not-authentic', 'the message is committed to another data key');
  verifyHeader(header, encryptionKey);
  const body = decryptBody(bytes, header, encryptionKey);
  const end = header.suite.signed ? verifyFooter(bytes, body.end, header.encryptionContext) : body.end;
  if (end !== bytes.length) throw new MalformedPayloadError('bytes follow the end of the message');
  return body.plaintext;
}

function verifyHeader(header: MessageHeader, key: KeyObject): void {
  const decipher = createDecipheriv('aes-256-gcm', key, HEADER_IV, GCM);
  decipher.setAAD(header.authenticated);
  decipher.setAuthTag(header.tag);
  try {
    decipher.final();
  } catch {
    throw new CannotOpenError('not-authentic', 'the tag of the message header does not verify');
  }
}

// The footer of a signed AWS Encryption SDK message (suite 0x0578): length (u16) ‖ ECDSA P-384
// signature in DER over the SHA-384 of header and body. The key that verifies it stands in the
// encryption context, which the header's tag has authenticated by the time it is used here.
// Specification: `data-format/message-footer.md`.

/** DER of a SubjectPublicKeyInfo (RFC 5480) for a compressed point on P-384, up to the point. */
const SPKI_P384_PREFIX = Buffer.from('3046301006072a8648ce3d020106052b81040022033200', 'hex');
/** A sign byte and the x coordinate. */
const COMPRESSED_POINT_LENGTH = 1 + 48;

/**
 * Verifies the footer.
 *
 * @param footerAt where header and body end
 * @returns where the footer ends
 * @throws MalformedPayloadError when the footer or the public key is none
 * @throws CannotOpenError with reason `not-authentic` when the signature does not verify
 */
function verifyFooter(message: Buffer, footerAt: number, context: EncryptionContext): number {
  if (footerAt + 2 > message.length) throw new MalformedPayloadError('the signature is missing');
  const signatureAt = footerAt + 2;
  const end = signatureAt + message.readUInt16BE(footerAt);
  if (end > message.length) throw new MalformedPayloadError('the signature ends early');
  const key = { key: publicKeyOf(context), dsaEncoding: 'der' } as const;
  if (!verify('sha384', message.subarray(0, footerAt), key, message.subarray(signatureAt, end)))
    throw new CannotOpenError('not-authentic', 'the signature of the message does not verify');
  return end;
}

function publicKeyOf(context: EncryptionContext): KeyObject {
  const point = fromBase64(context.get(PUBLIC_KEY_CONTEXT_KEY) ?? '');
  if (point?.length !== COMPRESSED_POINT_LENGTH)
    throw new MalformedPayloadError('the public key of the message is not a compressed point on P-384');
  try {
    return createPublicKey({ key: Buffer.concat([SPKI_P384_PREFIX, point]), format: 'der', type: 'spki' });
  } catch {
    throw new MalformedPayloadError('the public key of the message is not a compressed point on P-384');
  }
}

// Our payload format: an AWS Encryption SDK message whose plaintext is the serialized inner payload,
// and whose encryption context names the Temporal namespace it belongs to.

/** The `encoding` of our payloads. */
export const AWS_ENCRYPTION_SDK_ENCODING = 'binary/aws-encryption-sdk';

/**
 * An envelope around a message.
 *
 * @param foreign another producer, who uses the same message format and binds no namespace
 */
export function messageEnvelope(
  format: string,
  message: ParsedMessage,
  boundNamespace: string | undefined,
  foreign?: ForeignKmsFormat,
): Envelope {
  const { encryptedDataKeys, encryptionContext } = message.header;
  return {
    format,
    boundNamespace,
    keyRequest: { kind: 'message', format: foreign, encryptedDataKeys, encryptionContext },
    open(dataKey) {
      if (dataKey === undefined)
        throw new CannotOpenError('unknown-key', 'a message cannot be opened without a data key');
      return decryptMessage(message, dataKey);
    },
  };
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
    return messageEnvelope(awsEncryptionSdkFormat.name, message, namespace);
  },
};
