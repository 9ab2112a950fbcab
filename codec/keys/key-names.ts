/**
 * Names of keys for error messages: which key was wanted, and which are there. What a message says
 * about its key came over the wire, so it is told only where it is a short printable word.
 */
import { rawAesKeyNameOf } from '../aws-encryption-sdk/raw-aes-keyring.ts';
import { asBuffer } from '../payload.ts';
import type { DataKeyRequest, EncryptedDataKey } from './key-source.ts';

/** Keys named in one message. */
const MOST = 5;
const PRINTABLE = /^[\x21-\x7e]{1,200}$/;

/** The keys that a payload names. */
export function namesWanted(request: DataKeyRequest): string {
  if (request.kind === 'message') return list(request.encryptedDataKeys.map(nameOf));
  return list([request.kind === 'kms' ? (request.claimedKey ?? '') : request.keyId]);
}

/** The keys that are configured. */
export function namesPresent(names: readonly string[]): string {
  return names.length === 0 ? 'none' : list(names);
}

function nameOf(wrapped: EncryptedDataKey): string {
  const raw = rawAesKeyNameOf(wrapped);
  return raw === undefined ? asBuffer(wrapped.providerInfo).toString('latin1') : `${wrapped.providerId}/${raw.name}`;
}

function list(names: readonly string[]): string {
  const told = [...new Set(names)].slice(0, MOST).map((name) => {
    if (name === '') return '(it does not name one)';
    return PRINTABLE.test(name) ? name : '(not printable)';
  });
  return told.join(', ') + (names.length > MOST ? ', …' : '');
}
