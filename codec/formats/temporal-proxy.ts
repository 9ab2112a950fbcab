/**
 * Temporal's own temporal-proxy. The wrapped data key stands in the metadata as base64 **text**; the
 * key id is a Go CDK URI such as `awskms:///arn:aws:kms:…?region=eu-west-1&context_tenant=blue`, whose
 * `context_` parameters are the encryption context of the wrapped key. The ciphertext carries no
 * additional authenticated data.
 *
 * The URI is the writer's claim. A context that it names is asked of KMS only where the configuration
 * lists it: otherwise whatever another application wrapped under the same key could be brought here
 * under the URI that opens it. One that names a namespace binds the payload to that namespace.
 */
import { type EncryptionContext, NAMESPACE_CONTEXT_KEY } from '../aws-encryption-sdk/encryption-context.ts';
import { CannotOpenError, MalformedPayloadError } from '../errors.ts';
import type { PayloadFormat } from '../format.ts';
import { NAMESPACE_IN_KMS_CONTEXT } from '../keys/kms/foreign-formats.ts';
import { metadataText } from '../payload.ts';
import { KEY_ID, openAesGcm, wrappedKeyFromBase64 } from './aes-gcm.ts';

/** The mark of the format. */
const WRAPPED_KEY = 'encryption-dek';
const SCHEME = 'awskms:';
/** Key services whose keys open nothing here; `inspect` names them. */
const OTHER_SERVICES: ReadonlySet<string> = new Set(['gcpkms:', 'azurekeyvault:', 'hashivault:', 'extension:']);
const CONTEXT_PARAMETER = 'context_';
const LONGEST_URI = 4096;

export const temporalProxyFormat: PayloadFormat = {
  name: 'temporal-proxy',
  recognize(payload) {
    const wrapped = payload.metadata[WRAPPED_KEY];
    if (wrapped === undefined) return undefined;
    const { key, encryptionContext } = readKeyUri(metadataText(payload, KEY_ID) ?? '');
    return {
      format: 'temporal-proxy',
      boundNamespace: namespaceOf(encryptionContext),
      keyRequest: {
        kind: 'kms',
        format: 'temporal-proxy',
        claimedKey: key,
        ciphertext: wrappedKeyFromBase64(wrapped),
        encryptionContext,
      },
      open: (dataKey) => openAesGcm(dataKey, payload.data),
    };
  },
};

/**
 * Reads a key URI of the Go CDK.
 *
 * @returns for a key of another service than AWS KMS its address without parameters, which no configured key has
 * @throws MalformedPayloadError when it is not a URI, CannotOpenError `unknown-key` when it is of no service known
 */
function readKeyUri(uri: string): { readonly key: string; readonly encryptionContext: EncryptionContext } {
  if (uri.length > LONGEST_URI) throw new MalformedPayloadError('the key URI is too long');
  const parsed = URL.parse(uri);
  if (parsed === null) throw new MalformedPayloadError('the key is not named by a URI');
  if (OTHER_SERVICES.has(parsed.protocol))
    return { key: `${parsed.protocol}//${parsed.host}${parsed.pathname}`, encryptionContext: new Map() };
  // Others, such as base64key:, may hold the key itself: nothing of them is repeated.
  if (parsed.protocol !== SCHEME) throw new CannotOpenError('unknown-key', 'the key URI names no key of AWS KMS');
  const encryptionContext = new Map<string, string>();
  for (const [name, value] of parsed.searchParams) {
    if (!name.startsWith(CONTEXT_PARAMETER)) continue;
    const contextKey = name.slice(CONTEXT_PARAMETER.length);
    if (encryptionContext.has(contextKey)) throw new MalformedPayloadError('the key URI has a context parameter twice');
    encryptionContext.set(contextKey, value);
  }
  return { key: decode(`${parsed.host}${parsed.pathname}`.replace(/^\/+/, '')), encryptionContext };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new MalformedPayloadError('the key URI is not well encoded');
  }
}

function namespaceOf(context: EncryptionContext): string | undefined {
  const ours = context.get(NAMESPACE_CONTEXT_KEY);
  const theirs = context.get(NAMESPACE_IN_KMS_CONTEXT);
  if (ours !== undefined && theirs !== undefined && ours !== theirs)
    throw new MalformedPayloadError('the key URI names two namespaces');
  return ours ?? theirs;
}
