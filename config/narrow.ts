/** Entries that pair something with namespaces, narrowed to a few of these. */
import { matchesNamespace } from '../codec/namespace-pattern.ts';

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
