/**
 * The namespace that a caller names: a wish, until the access policy has been asked about it.
 *
 * It is `X-Namespace`, unless that is missing, empty, or `undefined`, which the Web UI sends on pages
 * that have no namespace; else the path segment before the operation, where the configuration knows a
 * namespace of that name: any other segment is a technical prefix, such as `/v1/api`, or the literal
 * `{namespace}`, which the Web UI does not fill in; else the default of the configuration.
 */
import { isUtf8 } from 'node:buffer';
import { createNamespaceMatcher, type NamespaceMatcher } from '../../../codec/namespace-pattern.ts';
import type { AccessRule, KeysConfig } from '../../../config/schema.ts';
import { HttpError } from './message.ts';

/** Bytes of a name: Temporal Server's own default limit for names of all kinds (`limit.maxIDLength`). */
const MAX_BYTES = 1000;

/** Control characters, white space of every kind, and what changes or hides the text around it. */
const UNPRINTABLE = /[\p{C}\p{Z}]/u;
const PRINTABLE_ASCII = /^[!-~]*$/;
const PLACEHOLDER = '{namespace}';

/** What the configuration says about namespaces that a request does not name in a header. */
export interface NamespaceSettings {
  readonly defaultNamespace: string | null;
  /** Whether a path segment of that name means the namespace. */
  readonly isKnown: NamespaceMatcher;
}

/** What to do where {@link namedNamespace} finds none and one is needed. */
export const NAME_A_NAMESPACE =
  'Name the namespace to encode for: send X-Namespace, as the CLI does with --namespace, or put it before /encode in ' +
  'the path, where a rule or a key of this server names it';

/**
 * @param headers every value of `X-Namespace`
 * @param pathSegment the path segment before the operation, percent-encoded
 * @throws HttpError (400) when it is named twice in different ways, or no namespace can have that name
 */
export function namedNamespace(
  headers: readonly string[],
  pathSegment: string | undefined,
  settings: NamespaceSettings,
): string | undefined {
  return fromHeaders(headers) ?? fromPath(pathSegment, settings) ?? settings.defaultNamespace ?? undefined;
}

/**
 * The namespaces that the access rules, KMS keys and keyring of a configuration name, in full or by a
 * pattern. `*` alone names none: it would take every prefix of a path for a namespace.
 */
export function namespacesNamedBy(
  access: readonly AccessRule[],
  { kms, keyring, keyringSecret }: KeysConfig,
): NamespaceMatcher {
  const patterns = [
    ...access,
    ...(kms ?? []),
    ...(keyring === null ? [] : [keyring]),
    ...(keyringSecret ? [keyringSecret] : []),
  ];
  return createNamespaceMatcher(patterns.flatMap(({ namespaces = [] }) => namespaces).filter(namesSomething));
}

function namesSomething(pattern: string): boolean {
  return /[^*]/.test(pattern);
}

function fromHeaders(headers: readonly string[]): string | undefined {
  let named: string | undefined;
  for (const name of headers) {
    if (name === '' || name === 'undefined') continue;
    if (named !== undefined && named !== name) throw new HttpError(400, 'X-Namespace names two namespaces: send one');
    named = name;
  }
  return named === undefined ? undefined : checked(textOfHeader(named), 'X-Namespace');
}

function fromPath(segment: string | undefined, { isKnown }: NamespaceSettings): string | undefined {
  if (segment === undefined || segment === PLACEHOLDER) return undefined;
  const name = segment.includes('%') ? percentDecoded(segment) : segment;
  return name === PLACEHOLDER || !isKnown(name) ? undefined : checked(name, 'The path');
}

function percentDecoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpError(400, 'The path segment before the operation is not valid percent-encoding');
  }
}

/**
 * HTTP knows bytes in headers; Node hands them over one character each. A client that knows more than
 * ASCII sends UTF-8.
 */
function textOfHeader(value: string): string {
  if (PRINTABLE_ASCII.test(value)) return value;
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 0xff) return value;
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : value;
}

function checked(name: string, place: string): string {
  if (name.length <= MAX_BYTES && PRINTABLE_ASCII.test(name)) return name;
  if (Buffer.byteLength(name) > MAX_BYTES)
    throw new HttpError(400, `${place} names a namespace of more than ${MAX_BYTES} bytes`);
  if (!name.isWellFormed() || UNPRINTABLE.test(name))
    throw new HttpError(400, `${place} names a namespace with white space or characters that cannot be printed`);
  return name;
}
