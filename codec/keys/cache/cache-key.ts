/**
 * Names under which data keys are cached. A name spells out everything that the key service would
 * look at, each part with its length in front, so that no two different requests share one: the
 * wrapped bytes, who wrapped them in which format, the encryption context, and the namespace of the access decision.
 */
import { createHash } from 'node:crypto';
import type { EncryptionContext } from '../../aws-encryption-sdk/encryption-context.ts';
import { asBuffer } from '../../payload.ts';
import type { DataKeyRequest, EncryptedDataKey } from '../key-source.ts';

/** Longer names are replaced by their SHA-256: the cache's memory must not be the caller's to choose. */
const LONGEST = 2048;

/** The name of a request for a wrapped data key, made in a namespace. */
export function nameOfRequest(request: DataKeyRequest, namespace: string | undefined): string {
  switch (request.kind) {
    case 'message':
      return request.format === undefined
        ? nameOfMessage(request.encryptedDataKeys, request.encryptionContext, namespace)
        : shortened(
            `f${text(request.format)}${newNameOfMessage(request.encryptedDataKeys, request.encryptionContext, namespace)}`,
          );
    case 'kms':
      return shortened(
        `k${text(request.format)}${optional(namespace)}${optional(request.claimedKey)}${bytes(request.ciphertext)}${pairs(request.encryptionContext)}`,
      );
    case 'static':
      return shortened(`s${optional(namespace)}${text(request.keyId)}`);
  }
}

interface MessageName {
  readonly context: EncryptionContext;
  readonly namespace: string | undefined;
  readonly name: string;
}

/**
 * By the list of encrypted data keys, which messages of one data key share. The same string again is
 * also found faster in a map than an equal one.
 */
const messageNames = new WeakMap<readonly EncryptedDataKey[], MessageName>();

/** The name of the data key of a message. None of what it is given may change afterwards. */
export function nameOfMessage(
  encryptedDataKeys: readonly EncryptedDataKey[],
  context: EncryptionContext,
  namespace: string | undefined,
): string {
  const known = messageNames.get(encryptedDataKeys);
  if (known !== undefined && known.context === context && known.namespace === namespace) return known.name;
  const name = newNameOfMessage(encryptedDataKeys, context, namespace);
  messageNames.set(encryptedDataKeys, { context, namespace, name });
  return name;
}

function newNameOfMessage(
  encryptedDataKeys: readonly EncryptedDataKey[],
  context: EncryptionContext,
  namespace: string | undefined,
): string {
  let name = `m${optional(namespace)}${encryptedDataKeys.length};`;
  for (const wrapped of encryptedDataKeys)
    name += text(wrapped.providerId) + bytes(wrapped.providerInfo) + bytes(wrapped.ciphertext);
  return shortened(name + pairs(context));
}

/** The name of the data key that writes messages with this context in this namespace. */
export function nameOfWriter(context: EncryptionContext, namespace: string): string {
  return shortened(`w${text(namespace)}${pairs(context)}`);
}

function pairs(context: EncryptionContext): string {
  let out = `${context.size};`;
  for (const [key, value] of context) out += text(key) + text(value);
  return out;
}

function text(value: string): string {
  return `${value.length}:${value}`;
}

function optional(value: string | undefined): string {
  return value === undefined ? '-' : text(value);
}

function bytes(value: Uint8Array): string {
  return `${value.length}:${asBuffer(value).toString('latin1')}`;
}

function shortened(name: string): string {
  if (name.length <= LONGEST) return name;
  return `h${createHash('sha256').update(Buffer.from(name, 'utf16le')).digest('base64')}`;
}
