/**
 * Static keys as a key source: found by id **and** namespace. A key whose id matches and which is
 * configured for other namespaces is refused, because the payload itself says nothing of where it
 * belongs.
 */
import { CannotEncodeError, CannotOpenError } from '../../errors.ts';
import type { DataKey } from '../data-key.ts';
import type { DataKeyRequest, KeyContext, KeySource, StaticKeyRequest } from '../key-source.ts';
import type { SecretSource } from '../secrets/secret-source.ts';
import type { StaticKey, StaticKeySet } from './static-keys.ts';

/** Keys that are tried on one payload at most, where its id does not tell which. */
const MAX_TRIALS = 16;

/** What became of a search; `only` when id and namespace leave no other key. */
type Search = { readonly found: StaticKey; readonly only: boolean } | { readonly failure: CannotOpenError };

export class StaticKeySource implements KeySource {
  readonly unwraps = ['static'] as const;
  readonly #source: SecretSource<StaticKeySet>;
  /** The last search that found the only key of its id and namespace: the next payload asks the same. */
  #last: { set: StaticKeySet; keyId: string; namespace: string | undefined; key: StaticKey } | undefined;

  /** @param source the keys, which may be read anew when a payload names an unknown one */
  constructor(source: SecretSource<StaticKeySet> | StaticKeySet) {
    this.#source = 'keys' in source ? { get: () => source, refresh: () => source } : source;
  }

  unwrap(request: DataKeyRequest, { namespace }: KeyContext): DataKey | Promise<DataKey> {
    if (request.kind !== 'static') throw new CannotOpenError('unknown-key', 'static keys open sample payloads alone');
    const set = this.#source.get();
    if (set instanceof Promise) return set.then((it) => this.#find(it, request, namespace));
    return this.#find(set, request, namespace);
  }

  materialsFor(): never {
    throw new CannotEncodeError('static keys only read');
  }

  #find(set: StaticKeySet, request: StaticKeyRequest, namespace: string | undefined): DataKey | Promise<DataKey> {
    const last = this.#last;
    if (last !== undefined && last.set === set && last.keyId === request.keyId && last.namespace === namespace)
      return last.key.dataKey.acquire();
    const search = searchIn(set, request, namespace);
    if ('found' in search) {
      if (search.only) this.#last = { set, keyId: request.keyId, namespace, key: search.found };
      return search.found.dataKey.acquire();
    }
    const fresh = this.#source.refresh();
    if (fresh instanceof Promise)
      return fresh.then((it) => (it === set ? failed(search) : again(it, request, namespace)));
    return fresh === set ? failed(search) : again(fresh, request, namespace);
  }
}

function again(set: StaticKeySet, request: StaticKeyRequest, namespace: string | undefined): DataKey {
  const search = searchIn(set, request, namespace);
  return 'found' in search ? search.found.dataKey.acquire() : failed(search);
}

function failed(search: { readonly failure: CannotOpenError }): never {
  throw search.failure;
}

function searchIn({ keys }: StaticKeySet, request: StaticKeyRequest, namespace: string | undefined): Search {
  const named = keys.filter((key) => key.id === request.keyId);
  const serving = distinct(
    (named.length > 0 ? named : request.keyId === '' ? keys : []).filter((key) => key.serves(namespace)),
  );
  const [first, ...others] = serving;
  if (first === undefined) {
    return named.length > 0
      ? failure('wrong-namespace', 'the key of that id is configured for other namespaces')
      : failure('unknown-key', 'no key of that id is configured for the namespace');
  }
  if (others.length === 0 || request.fits === undefined) return { found: first, only: others.length === 0 };
  // The Go sample writes an empty id, and a rotated secret may hold two keys of one id.
  for (const key of serving.slice(0, MAX_TRIALS)) if (request.fits(key.key)) return { found: key, only: false };
  return failure('not-authentic', 'none of the keys that it may be opens it');
}

function failure(reason: 'wrong-namespace' | 'unknown-key' | 'not-authentic', message: string): Search {
  return { failure: new CannotOpenError(reason, message) };
}

/** One key may have several ids; it is tried once. */
function distinct(keys: readonly StaticKey[]): readonly StaticKey[] {
  if (keys.length < 2) return keys;
  const seen = new Map<string, StaticKey>();
  for (const key of keys) {
    const bytes = Buffer.from(key.key).toString('latin1');
    if (!seen.has(bytes)) seen.set(bytes, key);
  }
  return [...seen.values()];
}
