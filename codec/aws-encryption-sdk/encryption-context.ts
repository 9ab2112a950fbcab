/**
 * The encryption context of an AWS Encryption SDK message: additional authenticated data that sits
 * in the message header in the clear, and that KMS authenticates and writes to CloudTrail.
 */

/** Key and value pairs, in the order of the header: ascending by the UTF-8 bytes of the key. */
export type EncryptionContext = ReadonlyMap<string, string>;

/** The key under which our messages carry the full namespace name, such as `orders-prod.a1b2c`. */
export const NAMESPACE_CONTEXT_KEY = 'temporal-namespace';

/** The context of a message that belongs to a namespace. */
export function contextOfNamespace(namespace: string): EncryptionContext {
  return new Map([[NAMESPACE_CONTEXT_KEY, namespace]]);
}
