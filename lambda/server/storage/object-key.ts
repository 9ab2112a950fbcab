/**
 * Keys of objects in S3, as every official driver makes them:
 *
 * ```text
 * v0/ns/{namespace}/wt/{workflow type}/wi/{workflow id}/ri/{run id}/d/sha256/{hash}
 * v0/ns/{namespace}/at/{activity type}/ai/{activity id}/ri/{run id}/d/sha256/{hash}
 * v0/ns/{namespace}/d/sha256/{hash}
 * v0/d/sha256/{hash}
 * ```
 *
 * Segments are percent-encoded to S3's safe characters; what is missing is `null`. Any other key is
 * refused, so no reference reaches an object of the bucket that no driver put there.
 *
 * @see https://github.com/temporalio/sdk-typescript/tree/main/contrib/external-storage-s3 (S3 Storage Key Specification)
 */
import { CannotOpenError } from '../../../codec/errors.ts';

/** What every key begins with. */
export const KEY_PREFIX = 'v0/';

const SEGMENT = "[A-Za-z0-9!_.*'()%-]+";
const KEY = new RegExp(
  `^v0/(?:ns/(${SEGMENT})/(?:(?:wt/${SEGMENT}/wi|at/${SEGMENT}/ai)/${SEGMENT}/ri/${SEGMENT}/)?)?d/sha256/([0-9a-f]{64})$`,
);
const MISSING = 'null';
/** Bytes; S3's own limit. */
const MOST_KEY_BYTES = 1024;

/**
 * The namespace that a key is of, or undefined for a key that names none.
 *
 * @param sha256 the hash that the reference names, which the key must name as well
 * @throws CannotOpenError `reference-malformed`, when no driver makes such a key
 */
export function namespaceOfKey(key: string, sha256: string): string | undefined {
  const [, segment, hash] = (key.length <= MOST_KEY_BYTES ? KEY.exec(key) : null) ?? [];
  // S3 takes keys as they are; what is between us and it need not.
  if (hash !== sha256 || /\/\.\.?\//.test(key)) throw malformed('no driver makes such a key');
  if (segment === undefined || segment === MISSING) return undefined;
  let namespace: string;
  try {
    namespace = decodeURIComponent(segment);
  } catch {
    throw malformed('its namespace is not percent-encoded');
  }
  // One namespace, one spelling: rights on a prefix of the bucket would not cover another.
  if (encodeSegment(namespace) !== segment) throw malformed('its namespace has another spelling');
  return namespace;
}

/** The key of an object of a namespace whose workflow is not known. */
export function objectKeyOf(namespace: string, sha256: string): string {
  return `${prefixOf(namespace)}d/sha256/${sha256}`;
}

/** What every key of a namespace begins with. */
export function prefixOf(namespace: string): string {
  return `${KEY_PREFIX}ns/${encodeSegment(namespace)}/`;
}

function encodeSegment(text: string): string {
  return encodeURIComponent(text).replaceAll('~', '%7E');
}

function malformed(why: string): CannotOpenError {
  return new CannotOpenError('reference-malformed', `the key of an object in external storage: ${why}`);
}
