/**
 * The keys that seal cookies, as they are kept: `{"key":"…","validFrom":"…"}`. `key` is a random text of
 * its own; what encrypts is derived from it, and so is the key's name in a cookie. The version before
 * the current one still opens (`AWSPREVIOUS`), so that a new key signs nobody out.
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import type { RawAesWrappingKey } from '../../../codec/aws-encryption-sdk/raw-aes-keyring.ts';
import { KeyDocumentError } from '../../../codec/errors.ts';
import { fieldsOf, parseKeyDocument } from '../../../codec/keys/key-document.ts';
import type { SecretVersions } from '../../../codec/keys/secrets/secret-source.ts';

/** The key namespace of cookies in the message format; no payload is ever wrapped under it. */
const COOKIE_KEY_NAMESPACE = 'codec-server-cookie';

/** What seals and opens cookies. */
export interface SessionKeys {
  readonly current: RawAesWrappingKey;
  /** Every key that opens, the current one first. */
  readonly all: readonly RawAesWrappingKey[];
  /** Milliseconds since 1970: what was signed in before counts no more. 0 without one. */
  readonly validFrom: number;
}

/** 43 characters of base64url or of letters and digits hold at least 256 bits. */
const KEY_TEXT = /^[A-Za-z0-9_=+/-]{43,512}$/;
/** RFC 3339 section 5.6, seconds optional; `Date.parse` alone takes nearly anything. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * Reads the document and the version before it. A previous version that cannot be read is none.
 *
 * @throws KeyDocumentError when the current one is not as described
 */
export function parseSessionKeys({ current, previous }: SecretVersions): SessionKeys {
  const { key, validFrom } = readDocument(current);
  const before = previous === undefined ? undefined : readLeniently(previous);
  return {
    current: key,
    all: before === undefined || before.name === key.name ? [key] : [key, before],
    validFrom,
  };
}

/** A document with a fresh key, for a server on one's own machine. */
export function newSessionKeys(): string {
  return `${JSON.stringify({ key: randomBytes(32).toString('base64url') }, undefined, 2)}\n`;
}

function readLeniently(text: string): RawAesWrappingKey | undefined {
  try {
    return readDocument(text).key;
  } catch {
    return undefined;
  }
}

function readDocument(text: string): { readonly key: RawAesWrappingKey; readonly validFrom: number } {
  const document = parseKeyDocument(text);
  const isDated = typeof document === 'object' && document !== null && 'validFrom' in document;
  const fields: { key: unknown; validFrom?: unknown } = fieldsOf(
    document,
    'it',
    isDated ? (['key', 'validFrom'] as const) : (['key'] as const),
  );
  if (typeof fields.key !== 'string' || !KEY_TEXT.test(fields.key))
    throw new KeyDocumentError('key must be a random text of 43 to 512 letters and digits');
  const { validFrom } = fields;
  if (validFrom === undefined) return { key: deriveKey(fields.key), validFrom: 0 };
  if (typeof validFrom !== 'string' || !INSTANT.test(validFrom) || Number.isNaN(Date.parse(validFrom)))
    throw new KeyDocumentError('validFrom must be a time such as 2026-11-25T09:00:00Z or 2026-11-25T10:00:00+01:00');
  return { key: deriveKey(fields.key), validFrom: Date.parse(validFrom) };
}

/** HKDF (RFC 5869) with SHA-256: one output for the key, another for its name, which says nothing about it. */
function deriveKey(text: string): RawAesWrappingKey {
  const derive = (info: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', text, '', `${COOKIE_KEY_NAMESPACE} ${info}`, bytes));
  return { namespace: COOKIE_KEY_NAMESPACE, name: derive('name', 6).toString('base64url'), key: derive('key', 32) };
}
