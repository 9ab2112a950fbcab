/** Entries that pair something with namespaces, narrowed to a few of these. */
import { matchesNamespace } from '../codec/namespace-pattern.ts';
import type { StorageBucketConfig } from './schema.ts';

/** The entries that cover any of `namespaces`, each with those that it covers, and no others. */
export function narrowTo<T extends { readonly namespaces: readonly string[] }>(
  namespaces: readonly string[],
  entries: readonly T[],
): T[] {
  return entries.flatMap((entry) => {
    const covered = namespaces.filter((name) => entry.namespaces.some((pattern) => matchesNamespace(pattern, name)));
    return covered.length === 0 ? [] : [{ ...entry, namespaces: covered }];
  });
}

/** The buckets that hold payloads of some of the namespaces, each with those alone; either side may have patterns. */
export function bucketsOf(
  namespaces: readonly string[],
  buckets: readonly StorageBucketConfig[],
): StorageBucketConfig[] {
  return buckets.flatMap((bucket) => {
    const held = [narrowTo(namespaces, [bucket]), narrowTo(bucket.namespaces, [{ namespaces }])].flat();
    const names = [...new Set(held.flatMap((entry) => entry.namespaces))];
    return names.length === 0 ? [] : [{ ...bucket, namespaces: names }];
  });
}
