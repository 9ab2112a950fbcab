/** The patterns of the configuration; the codec pairs keys with namespaces by the same rules. */
export {
  createNamespaceMatcher,
  matchesNamespace,
  type NamespaceMatcher,
  overlaps,
} from '../codec/namespace-pattern.ts';
