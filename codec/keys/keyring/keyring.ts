/**
 * The keyring document: wrapping keys for a machine without AWS. It is plain JSON, so that a worker in
 * another language can share it: `namespace` and `name` are the key namespace and key name of an AWS
 * Encryption SDK raw AES keyring (`AES-256/GCM`, 12-byte IV, 16-byte tag).
 *
 * ```json
 * {"namespace":"codec-server","current":"<name>","keys":[{"name":"<name>","key":"<base64, 32 bytes>"}]}
 * ```
 */

import { randomBytes } from 'node:crypto';
import { KEY_LENGTH } from '../../aws-encryption-sdk/algorithm-suites.ts';
import { KeyDocumentError } from '../../errors.ts';
import { atLeastOneOf, fieldsOf, keyBytesOf, keyText, nameOf, parseKeyDocument } from '../key-document.ts';
import { KMS_PROVIDER_ID } from '../key-source.ts';

/** The key namespace of keyrings that we make. */
const DEFAULT_KEYRING_NAMESPACE = 'codec-server';

/** A named 256-bit wrapping key. */
export interface KeyringKey {
  readonly name: string;
  readonly key: Uint8Array;
}

/** Wrapping keys: `current` writes, all of them read. */
export interface Keyring {
  /** Key provider id in message headers. */
  readonly namespace: string;
  /** Name of the key that wraps new data keys. */
  readonly current: string;
  readonly keys: readonly KeyringKey[];
}

/**
 * Reads a keyring document.
 *
 * @throws KeyDocumentError that names the place of what is wrong, and never what is written there
 */
export function parseKeyring(text: string): Keyring {
  const document = fieldsOf(parseKeyDocument(text), 'the keyring', ['namespace', 'current', 'keys']);
  const namespace = nameOf(document.namespace, 'namespace');
  // The AWS Encryption SDK reserves this prefix: such a key would be taken for one of KMS.
  if (namespace.startsWith(KMS_PROVIDER_ID))
    throw new KeyDocumentError(`namespace must not start with "${KMS_PROVIDER_ID}"`);
  const current = nameOf(document.current, 'current');
  const keys = atLeastOneOf(document.keys, 'keys').map((entry, index): KeyringKey => {
    const key = fieldsOf(entry, `keys[${index}]`, ['name', 'key']);
    return { name: nameOf(key.name, `keys[${index}].name`), key: keyBytesOf(key.key, `keys[${index}].key`) };
  });
  refuseDuplicates(keys);
  if (!keys.some((key) => key.name === current)) throw new KeyDocumentError('current names no key of keys');
  return { namespace, current, keys };
}

function refuseDuplicates(keys: readonly KeyringKey[]): void {
  const places = new Map<string, number>();
  for (const [index, { name }] of keys.entries()) {
    const first = places.get(name);
    if (first !== undefined) throw new KeyDocumentError(`keys[${index}].name is the same as keys[${first}].name`);
    places.set(name, index);
  }
}

/** The document of a keyring, one key a line. Holds the keys in the clear. */
export function formatKeyring(keyring: Keyring): string {
  const { namespace, current } = keyring;
  const keys = keyring.keys.map(({ name, key }) => JSON.stringify({ name, key: keyText(key) }));
  return `{
  "namespace": ${JSON.stringify(namespace)},
  "current": ${JSON.stringify(current)},
  "keys": [
    ${keys.join(',\n    ')}
  ]
}
`;
}

/** A keyring with one new key. */
export function newKeyring(name: string = newKeyName()): Keyring {
  return { namespace: DEFAULT_KEYRING_NAMESPACE, current: name, keys: [newKey(name)] };
}

/**
 * The keyring with a new key; the older ones keep reading.
 *
 * @param writes whether it is the one that writes from now on
 * @throws KeyDocumentError when it has a key of that name
 */
export function withNewKey(keyring: Keyring, name: string = newKeyName(), writes = true): Keyring {
  if (keyring.keys.some((key) => key.name === name))
    throw new KeyDocumentError(`it already has a key named ${JSON.stringify(name)}`);
  return { ...keyring, current: writes ? name : keyring.current, keys: [...keyring.keys, newKey(name)] };
}

/**
 * The keyring in which the key of that name writes from now on.
 *
 * @throws KeyDocumentError when it has none of that name
 */
export function withCurrentKey(keyring: Keyring, name: string): Keyring {
  if (!keyring.keys.some((key) => key.name === name)) {
    const names = keyring.keys.map((key) => JSON.stringify(key.name)).join(', ');
    throw new KeyDocumentError(`it has no key named ${JSON.stringify(name)}; its keys are ${names}`);
  }
  return { ...keyring, current: name };
}

function newKey(name: string): KeyringKey {
  return { name: nameOf(name, 'the name of the key'), key: randomBytes(KEY_LENGTH) };
}

/** A name that tells when the key was made, and that no two machines choose alike: `2026-11-24-5f0c2a`. */
export function newKeyName(now: Date = new Date()): string {
  return `${now.toISOString().slice(0, 10)}-${randomBytes(3).toString('hex')}`;
}
