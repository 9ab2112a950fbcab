/**
 * Sealed texts: what a cookie holds, encrypted and authenticated as an AWS Encryption SDK message (AES-256-GCM
 * with key commitment, the format of our payloads) under a key that only this environment has.
 *
 * The encryption context says what a text was sealed for: its purpose, the server's address, issuer
 * and client. A cookie of another purpose or another environment does not open even under the same key.
 */
import { randomBytes } from 'node:crypto';
import { KEY_LENGTH } from '../../../codec/aws-encryption-sdk/algorithm-suites.ts';
import type { EncryptionContext } from '../../../codec/aws-encryption-sdk/encryption-context.ts';
import { rawAesKeyNameOf, unwrapDataKey, wrapDataKey } from '../../../codec/aws-encryption-sdk/raw-aes-keyring.ts';
import { decryptMessage, parseMessage } from '../../../codec/aws-encryption-sdk/reader.ts';
import { encryptMessage } from '../../../codec/aws-encryption-sdk/writer.ts';
import { CannotOpenError } from '../../../codec/errors.ts';
import type { SessionKeys } from './session-keys.ts';

/** What a text is sealed for. */
export type SealPurpose = 'session' | 'sign-in';

/** Whose cookies they are. */
export interface SealOwner {
  readonly publicUrl: string;
  readonly issuer: string;
  readonly clientId: string;
}

/** Longest sealed text; with name and attributes it stays within the 4,096 bytes that browsers keep (RFC 6265 section 6.1). */
const MAX_SEALED_LENGTH = 3_800;

const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** Seals and opens texts. */
export interface Seal {
  /** @returns base64url; undefined when it would be longer than {@link MAX_SEALED_LENGTH} */
  seal(purpose: SealPurpose, text: string, keys: SessionKeys): string | undefined;
  /**
   * @returns the text; `unknown-key` when none of the keys sealed it; undefined when it is not a sealed
   *   text of this purpose and owner, or was changed
   */
  open(purpose: SealPurpose, sealed: string, keys: SessionKeys): { readonly text: string } | 'unknown-key' | undefined;
}

export function createSeal({ publicUrl, issuer, clientId }: SealOwner): Seal {
  const contextOf = (purpose: SealPurpose): EncryptionContext =>
    new Map([
      ['client', clientId],
      ['issuer', issuer],
      ['purpose', purpose],
      ['server', publicUrl],
    ]);
  const contexts = { session: contextOf('session'), 'sign-in': contextOf('sign-in') };

  return {
    seal(purpose, text, keys) {
      const dataKey = randomBytes(KEY_LENGTH);
      const encryptionContext = contexts[purpose];
      const encryptedDataKeys = [wrapDataKey(keys.current, dataKey, encryptionContext)];
      const message = encryptMessage(Buffer.from(text, 'utf8'), { dataKey, encryptedDataKeys, encryptionContext });
      dataKey.fill(0);
      const sealed = message.toString('base64url');
      return sealed.length > MAX_SEALED_LENGTH ? undefined : sealed;
    },
    open(purpose, sealed, keys) {
      if (sealed.length > MAX_SEALED_LENGTH || !BASE64URL.test(sealed)) return undefined;
      const bytes = Buffer.from(sealed, 'base64url');
      // One spelling each, or a text that was ended could come back in another.
      if (bytes.toString('base64url') !== sealed) return undefined;
      try {
        const message = parseMessage(bytes);
        const { encryptedDataKeys, encryptionContext } = message.header;
        const [wrapped, ...more] = encryptedDataKeys;
        if (wrapped === undefined || more.length > 0 || !isSame(encryptionContext, contexts[purpose])) return undefined;
        const named = rawAesKeyNameOf(wrapped);
        const key = keys.all.find(({ namespace, name }) => named?.namespace === namespace && named.name === name);
        if (key === undefined) return 'unknown-key';
        const dataKey = unwrapDataKey(key, wrapped, encryptionContext);
        if (dataKey === undefined) return undefined;
        try {
          return { text: decryptMessage(message, dataKey).toString('utf8') };
        } finally {
          dataKey.fill(0);
        }
      } catch (error) {
        if (error instanceof CannotOpenError) return undefined;
        throw error;
      }
    },
  };
}

function isSame(some: EncryptionContext, others: EncryptionContext): boolean {
  return some.size === others.size && [...others].every(([name, value]) => some.get(name) === value);
}

/**
 * Our cookies (RFC 6265). The prefix `__Host-` makes browsers hold us to what we want: `Secure`, no
 * `Domain`, `Path=/`. So neither a subdomain nor a page over http can plant one (RFC 6265bis section 4.1.3.2), and it
 * rules out a narrower path, which protects nothing: any page of the host can ask for any path.
 */

/** The session; sent across sites, since the Web UI is another site for some. */
export const SESSION_COOKIE = '__Host-codec-server-session';
/** What a sign-in under way has to come back with; never sent by another site's page but to open one of ours. */
export const SIGN_IN_COOKIE = '__Host-codec-server-sign-in';

/** Longer than all the cookies that a gateway lets through. */
const MAX_HEADER_LENGTH = 16_384;

/**
 * The values of one cookie in the `Cookie` headers of a request. Nothing of the others is kept: the
 * Web UI's own refresh token may be among them.
 */
export function cookieValues(headers: readonly string[], name: string): string[] {
  const start = `${name}=`;
  return headers
    .filter((header) => header.length <= MAX_HEADER_LENGTH && header.includes(start))
    .flatMap((header) => header.split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start))
    .map((pair) => pair.slice(start.length));
}

/** A `Set-Cookie` value. @param maxAgeSeconds 0 removes the cookie */
export function setCookie(name: string, value: string, maxAgeSeconds: number): string {
  const sameSite = name === SESSION_COOKIE ? 'None' : 'Lax';
  return `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=${sameSite}; Max-Age=${maxAgeSeconds}`;
}
