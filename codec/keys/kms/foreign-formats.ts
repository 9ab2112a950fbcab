/**
 * Which KMS key may unwrap data keys of other producers' formats, and for whom. A key does so only
 * for the formats that the configuration names with it. A format that binds nothing to a namespace is
 * read only under a key that serves exactly one: under a shared key, whoever may read one namespace
 * could send another's payloads under that name.
 */
import type { EncryptionContext } from '../../aws-encryption-sdk/encryption-context.ts';
import { NAMESPACE_CONTEXT_KEY } from '../../aws-encryption-sdk/encryption-context.ts';
import { isSameKey, parseKeyArn } from './key-arn.ts';

/** Formats of others that wrap data keys with KMS, as `inspect` names them. */
export type ForeignKmsFormat =
  | 'temporal-proxy'
  | 'temporal-cloud-proxy'
  | 'kms-python-sample'
  | 'kms-java-sample'
  | 'stdgo';

/** What an entry of the configuration, or of a worker's options, says of keys and foreign formats. */
export interface ForeignUse {
  readonly namespaces: readonly string[];
  readonly write: string | null;
  readonly read?: readonly string[];
  readonly foreignFormats?: readonly ForeignKmsFormat[];
  readonly keyUriContexts?: readonly KeyUriContext[];
}

/** An encryption context of a key URI, `{ tenant: 'blue' }` for `context_tenant=blue`. */
export type KeyUriContext = Readonly<Record<string, string>>;

/** A use that would let a reader of one namespace read another. */
export interface UnsafeForeignUse {
  /** Which entry, counted from 0. */
  readonly index: number;
  readonly field: 'foreignFormats' | 'keyUriContexts';
  /** One sentence for a person, with the fix. */
  readonly message: string;
}

/** The name of the namespace in the encryption contexts of stdgo, temporal-cloud-proxy and others. */
export const NAMESPACE_IN_KMS_CONTEXT = 'namespace';

/** The namespace that an encryption context binds a wrapped key to, under any name that a producer has for it. */
const NAMESPACE_KEYS = [NAMESPACE_CONTEXT_KEY, NAMESPACE_IN_KMS_CONTEXT];

/** Whether a wrapped key of that format is bound to a namespace, which KMS then authenticates. */
export function bindsNamespace(format: ForeignKmsFormat, context: EncryptionContext): boolean {
  switch (format) {
    case 'temporal-cloud-proxy':
    case 'stdgo':
      return true;
    case 'temporal-proxy':
      return NAMESPACE_KEYS.some((key) => context.has(key));
    case 'kms-python-sample':
    case 'kms-java-sample':
      return false;
  }
}

/** Whether a context is exactly one of those that are configured. */
export function isListedContext(contexts: readonly KeyUriContext[], context: EncryptionContext): boolean {
  return contexts.some((listed) => {
    const pairs = Object.entries(listed);
    return pairs.length === context.size && pairs.every(([key, value]) => context.get(key) === value);
  });
}

/** The one namespace that a key serves in all entries together; undefined when there are several, or a pattern. */
export function soleNamespace(entries: readonly ForeignUse[], key: string): string | undefined {
  const namespaces = new Set(
    entries.filter((entry) => keysOf(entry).some((it) => isSame(it, key))).flatMap((entry) => entry.namespaces),
  );
  const [only, ...others] = namespaces;
  return only === undefined || others.length > 0 || only.includes('*') ? undefined : only;
}

/** Every use of a foreign format that could open a payload to readers of another namespace. */
export function findUnsafeForeignUses(entries: readonly ForeignUse[]): UnsafeForeignUse[] {
  return entries.flatMap((entry, index): UnsafeForeignUse[] => {
    const { foreignFormats = [], keyUriContexts = [] } = entry;
    if (keyUriContexts.length > 0 && !foreignFormats.includes('temporal-proxy'))
      return [
        {
          index,
          field: 'keyUriContexts',
          message:
            "only temporal-proxy has contexts in its key URIs: name 'temporal-proxy' in foreignFormats, or remove this.",
        },
      ];
    const unbound = foreignFormats.filter((format) => !alwaysBinds(format, keyUriContexts));
    const shared = keysOf(entry).find((key) => soleNamespace(entries, key) === undefined);
    if (unbound.length === 0 || shared === undefined) return [];
    return [{ index, field: 'foreignFormats', message: unsafe(unbound, shared, entries) }];
  });
}

function alwaysBinds(format: ForeignKmsFormat, contexts: readonly KeyUriContext[]): boolean {
  if (format !== 'temporal-proxy') return bindsNamespace(format, new Map());
  return contexts.length > 0 && contexts.every((it) => bindsNamespace(format, new Map(Object.entries(it))));
}

function unsafe(formats: readonly ForeignKmsFormat[], key: string, entries: readonly ForeignUse[]): string {
  const served = [...new Set(entries.filter((it) => keysOf(it).includes(key)).flatMap((it) => it.namespaces))];
  return (
    `${formats.join(' and ')} ${formats.length === 1 ? 'binds' : 'bind'} a payload to no namespace, and the key ${key} ` +
    `serves ${served.slice(0, 5).join(', ')}${served.length > 5 ? ', …' : ''}: whoever may read one of them could read what ` +
    'belongs to another. Name these formats only with a key that serves one namespace, written out in full, in an ' +
    "entry of its own: { namespaces: ['orders-prod.a1b2c'], write: null, read: ['arn:…'], foreignFormats: […] }."
  );
}

/** The key of a stack is new: no other producer has ever wrapped with it. */
function keysOf({ write, read = [] }: ForeignUse): string[] {
  return [...(write === null || write === 'created-by-stack' ? [] : [write]), ...read];
}

function isSame(a: string, b: string): boolean {
  if (a === b) return true;
  const [one, other] = [parseKeyArn(a), parseKeyArn(b)];
  return one !== undefined && other !== undefined && isSameKey(one, other);
}
