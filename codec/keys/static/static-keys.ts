/**
 * The document of static keys, for reading what the samples' codecs and home-made servers wrote:
 *
 * ```json
 * {"keys":[{"id":"test-key-id","key":"<base64, 32 bytes>","namespaces":["orders-dev.a1b2c"]}]}
 * ```
 *
 * The formats they belong to bind nothing to a namespace; the document does. `namespaces` therefore
 * holds one full name, and a key stands in no entry of another: under a shared key, whoever may read
 * one namespace could send another's payloads under that name. The public key of the samples, which
 * protects nothing, may have any, with `*` for any run of characters. `id` is what payloads carry in `encryption-key-id`; for
 * the Java sample that is the text of the key itself.
 */
import { createHash } from 'node:crypto';
import { KeyDocumentError } from '../../errors.ts';
import { createNamespaceMatcher } from '../../namespace-pattern.ts';
import { asBuffer } from '../../payload.ts';
import { DataKey } from '../data-key.ts';
import { fieldsOf, keyBytesOf, nameOf, parseKeyDocument } from '../key-document.ts';
import type { SecretVersions } from '../secrets/secret-source.ts';

/** A static 256-bit key and where it may be used. */
export interface StaticKey {
  /** As payloads name it; may be empty, as the Go sample writes it. */
  readonly id: string;
  /** For the audit line; never the id where the id is the key. */
  readonly name: string;
  readonly key: Uint8Array;
  /** The same key for whoever opens payloads with it: erased keys stay whole until their last user is done. */
  readonly dataKey: DataKey;
  /** Whether it may open what is read in a namespace; `undefined` when the request names none. */
  serves(namespace: string | undefined): boolean;
}

/** Static keys, in the order of their document. */
export interface StaticKeySet {
  readonly keys: readonly StaticKey[];
}

/** The public key of Temporal's samples: whoever reads the documentation has it. */
const SAMPLES_TEST_KEY = Buffer.from('test-key-test-key-test-key-test!', 'utf8');
/** The id under which most samples use it; the Go sample writes an empty one, the Java sample the key. */
const SAMPLES_TEST_KEY_ID = 'test-key-id';

/**
 * Reads a document of static keys.
 *
 * @param samplesTestKey whether the public key of the samples is accepted: on this machine only,
 *   never from a secret
 * @throws KeyDocumentError that names the place of what is wrong, and never what is written there
 */
export function parseStaticKeys(text: string, samplesTestKey: 'accepted' | 'refused'): StaticKeySet {
  const document = fieldsOf(parseKeyDocument(text), 'the document of static keys', ['keys']);
  if (!Array.isArray(document.keys)) throw new KeyDocumentError('keys must be an array');
  const keys: StaticKey[] = [];
  const uses = new Map<string, { readonly namespace: string; readonly place: string }>();
  const places = new Map<string, string>();
  for (const [index, entry] of document.keys.entries()) {
    const place = `keys[${index}]`;
    const fields = fieldsOf(entry, place, ['id', 'key', 'namespaces']);
    const id = fields.id === '' ? '' : nameOf(fields.id, `${place}.id`);
    const key = keyBytesOf(fields.key, `${place}.key`);
    const isPublic = SAMPLES_TEST_KEY.equals(key);
    if (samplesTestKey === 'refused' && isPublic)
      throw new KeyDocumentError(`${place}.key is the public key of Temporal's samples, which everybody has`);
    const namespaces = namespacesOf(fields.namespaces, `${place}.namespaces`);
    if (!isPublic) serveOneNamespace(key, namespaces, place, uses);
    for (const [at, namespace] of namespaces.entries()) {
      const known = `${JSON.stringify(id)} ${namespace}`;
      const first = places.get(known);
      if (first !== undefined)
        throw new KeyDocumentError(`${place}.namespaces[${at}] already has a key of that id: ${first}`);
      places.set(known, place);
    }
    keys.push(staticKey(id, key, namespaces));
  }
  return { keys };
}

/** The public key of Temporal's samples, under every id that the samples give it, for every namespace. */
export function samplesTestKeys(): StaticKeySet {
  return {
    keys: [SAMPLES_TEST_KEY_ID, SAMPLES_TEST_KEY.toString('utf8')].map((id) =>
      staticKey(id, Uint8Array.from(SAMPLES_TEST_KEY), ['*']),
    ),
  };
}

/**
 * Reads a secret. Its current version alone counts: a key that was taken out of it, or kept for fewer
 * namespaces, must not open by what stood there before.
 *
 * @throws KeyDocumentError when it is not a document of static keys
 */
export function parseStaticKeySecret({ current }: Pick<SecretVersions, 'current'>): StaticKeySet {
  return parseStaticKeys(current, 'refused');
}

/** Zeroes the keys of a set that is no longer used. */
export function eraseStaticKeys(set: StaticKeySet): void {
  for (const { dataKey } of set.keys) dataKey.destroy();
}

/** @throws KeyDocumentError when a key would open, in one namespace, what belongs to another */
function serveOneNamespace(
  key: Uint8Array,
  namespaces: readonly string[],
  place: string,
  uses: Map<string, { readonly namespace: string; readonly place: string }>,
): void {
  const [namespace = '', ...others] = namespaces;
  if (others.length > 0 || namespace.includes('*'))
    throw new KeyDocumentError(
      `${place}.namespaces must be one namespace, written out in full: these payloads are bound to none, so whoever may read one namespace of the key could read all of them`,
    );
  const bytes = asBuffer(key).toString('latin1');
  const first = uses.get(bytes);
  if (first === undefined) uses.set(bytes, { namespace, place });
  else if (first.namespace !== namespace)
    throw new KeyDocumentError(
      `${place}.key is the key of ${first.place}, which serves another namespace: these payloads are bound to none, so a key may serve one alone`,
    );
}

function namespacesOf(value: unknown, place: string): readonly string[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new KeyDocumentError(`${place} must be an array with at least one namespace`);
  return value.map((namespace, index) => nameOf(namespace, `${place}[${index}]`));
}

function staticKey(id: string, key: Uint8Array, namespaces: readonly string[]): StaticKey {
  const matches = createNamespaceMatcher(namespaces);
  const everywhere = namespaces.includes('*');
  const name = `static/${nameOfId(id, key)}`;
  return {
    id,
    key,
    name,
    dataKey: new DataKey(name, key),
    serves: (namespace) => (namespace === undefined ? everywhere : matches(namespace)),
  };
}

/** An id for the log: itself, unless it gives the key away. */
function nameOfId(id: string, key: Uint8Array): string {
  if (id === '') return '(empty id)';
  const bytes = asBuffer(key);
  const givesAway = (['utf8', 'base64', 'base64url', 'hex'] as const).some((form) =>
    Buffer.from(id, form).equals(bytes),
  );
  return givesAway ? digestOfId(id) : id;
}

/** A short name for an id that may itself be a key. It cannot be turned back into one. */
export function digestOfId(id: string): string {
  return `sha256:${createHash('sha256').update(id, 'utf8').digest('hex').slice(0, 8)}`;
}
