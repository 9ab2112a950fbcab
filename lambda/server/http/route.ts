/**
 * What a request is about: the operation is the final segment of its path alone, since clients put any prefix and any
 * number of slashes before it, and none of them agree about either. The path is taken as it is
 * written. Nothing is decoded or resolved first, so there is one way to write an operation.
 *
 * Besides, the namespace that it names, and what is asked of its body before it is looked at.
 */
import { isUtf8 } from 'node:buffer';
import { createNamespaceMatcher, type NamespaceMatcher } from '../../../codec/namespace-pattern.ts';
import type { AccessRule, KeysConfig } from '../../../config/schema.ts';
import { HttpError } from './message.ts';

/** What can be asked for. */
export type RequestedOperation = 'decode' | 'encode' | 'download' | 'healthz' | 'readyz';

/** Where a request goes. */
export interface Route {
  /** Undefined: nowhere. */
  readonly operation: RequestedOperation | undefined;
  /** The path segment before the operation, as written; undefined when there is none. */
  readonly prefix: string | undefined;
}

const OPERATIONS: ReadonlyMap<string, RequestedOperation> = new Map(
  (['decode', 'encode', 'download', 'healthz', 'readyz'] as const).map((operation) => [operation, operation]),
);

/** @param path without a query */
export function routeOf(path: string): Route {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  const start = path.lastIndexOf('/', end - 1) + 1;
  const operation = OPERATIONS.get(path.slice(start, end));
  if (operation === undefined) return NOWHERE;
  let prefixEnd = start;
  while (prefixEnd > 0 && path[prefixEnd - 1] === '/') prefixEnd--;
  if (prefixEnd === 0) return WITHOUT_PREFIX[operation];
  return { operation, prefix: path.slice(path.lastIndexOf('/', prefixEnd - 1) + 1, prefixEnd) };
}

/** What a client may ask for in the query. */
export interface QueryOptions {
  /** References to external storage are to be returned as they are, instead of what they refer to. */
  readonly preserveStorageRefs: boolean;
  /**
   * The client reads in bulk, as `codec-server decode` does: it takes every payload for data, so it
   * gets originals and never an explanation, nor a refusal of all for the sake of one; and the audit
   * line says so.
   */
  readonly bulk: boolean;
}

const NO_OPTIONS: QueryOptions = { preserveStorageRefs: false, bulk: false };

/** @param query without `?` */
export function readQuery(query: string): QueryOptions {
  if (query === '') return NO_OPTIONS;
  const options = new URLSearchParams(query);
  return {
    // In any case of letters, as the Go SDK reads it.
    preserveStorageRefs: options.get('preserveStorageRefs')?.toLowerCase() === 'true',
    bulk: options.get('bulk') === 'true',
  };
}

const NOWHERE: Route = { operation: undefined, prefix: undefined };

const WITHOUT_PREFIX = Object.fromEntries(
  [...OPERATIONS.values()].map((operation) => [operation, { operation, prefix: undefined }]),
) as Readonly<Record<RequestedOperation, Route>>;

// What a request body is sent as.

const JSON_TYPE = 'application/json';
/** Of parameters only the charset matters; JSON is UTF-8 (RFC 8259 section 8.1). */
const PARAMETER_NAME = /^[\w-]+$/;
const UTF_8 = /^"?utf-?8"?$/i;

/**
 * Makes sure that the body is JSON as it stands. A type is required: without one, a page of another
 * site could send a body that its browser does not ask us about first.
 *
 * @param contentType every value of `Content-Type`
 * @param contentEncoding every value of `Content-Encoding`
 * @throws HttpError (415)
 */
export function requireJson(contentType: readonly string[], contentEncoding: readonly string[]): void {
  const [type] = contentType;
  if (contentType.length !== 1 || (type !== JSON_TYPE && !isJson(type ?? '')))
    throw new HttpError(415, 'Send the body as Content-Type: application/json');
  if (contentEncoding.length > 0 && contentEncoding.some((coding) => coding.toLowerCase() !== 'identity'))
    throw new HttpError(415, 'Send the body without a Content-Encoding');
}

/** Taken apart by hand: a pattern for all of it tries every way to share out the blanks. */
function isJson(type: string): boolean {
  const [essence = '', ...parameters] = type.split(';');
  return essence.trimEnd().toLowerCase() === JSON_TYPE && parameters.every(isHarmless);
}

/** Whether a parameter is one, or empty, and changes nothing. */
function isHarmless(parameter: string): boolean {
  const text = parameter.trim();
  if (text === '') return true;
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0)).trimEnd();
  if (!PARAMETER_NAME.test(name)) return false;
  return name.toLowerCase() !== 'charset' || UTF_8.test(text.slice(equals + 1).trimStart());
}

// The namespace that a caller names: a wish, until the access policy has been asked about it.
//
// It is `X-Namespace`, unless that is missing, empty, or `undefined`, which the Web UI sends on pages
// that have no namespace; else the path segment before the operation, where the configuration knows a
// namespace of that name: any other segment is a technical prefix, such as `/v1/api`, or the literal
// `{namespace}`, which the Web UI does not fill in; else the default of the configuration.

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
