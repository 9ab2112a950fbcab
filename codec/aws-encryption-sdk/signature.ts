/**
 * The footer of a signed AWS Encryption SDK message (suite 0x0578): length (u16) ‖ ECDSA P-384
 * signature in DER over the SHA-384 of header and body. The key that verifies it stands in the
 * encryption context, which the header's tag has authenticated by the time it is used here.
 * Specification: `data-format/message-footer.md`.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { CannotOpenError, MalformedPayloadError } from '../errors.ts';
import { type EncryptionContext, PUBLIC_KEY_CONTEXT_KEY } from './encryption-context.ts';

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
export function verifyFooter(message: Buffer, footerAt: number, context: EncryptionContext): number {
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
  const text = context.get(PUBLIC_KEY_CONTEXT_KEY) ?? '';
  const point = Buffer.from(text, 'base64');
  if (point.length !== COMPRESSED_POINT_LENGTH || point.toString('base64') !== text)
    throw new MalformedPayloadError('the public key of the message is no compressed point on P-384');
  try {
    return createPublicKey({ key: Buffer.concat([SPKI_P384_PREFIX, point]), format: 'der', type: 'spki' });
  } catch {
    throw new MalformedPayloadError('the public key of the message is no compressed point on P-384');
  }
}
