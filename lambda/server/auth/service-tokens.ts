/**
 * Service tokens: long random strings with a name, for the CLI's `--codec-auth` and for remote
 * codecs. Only their SHA-256 is kept anywhere, in a small JSON document:
 *
 * ```json
 * {"tokens":[{"name":"ci","sha256":"<64 hex digits>","expires":"2027-06-30T00:00:00Z"}]}
 * ```
 *
 * `expires` may be left out. To rotate a token, put a second entry of the same name beside the first,
 * hand out the new token, and take the first entry away. Only the current version of a secret counts:
 * an entry that was taken away is gone within the cache's time to live (five minutes).
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { KeyDocumentError } from '../../../codec/errors.ts';
import { fieldsOf, nameOf, parseKeyDocument } from '../../../codec/keys/key-document.ts';
import type { SecretSource, SecretVersions } from '../../../codec/keys/secrets/secret-source.ts';
import { type Caller, rejected, whenReadable } from './caller.ts';

/** What every service token starts with, so that people and secret scanners know one when they see it. */
const SERVICE_TOKEN_PREFIX = 'codec_';
/** 256 bits: nothing to guess, and therefore nothing that a slow hash would protect. */
const TOKEN_BYTES = 32;
const TOKEN = /^codec_[A-Za-z0-9_-]{43}$/;
const SHA256_HEX = /^[0-9a-f]{64}$/;
/** Each is compared with every unknown token. */
const MAX_TOKENS = 1_000;

/** An entry of the document. */
export interface ServiceTokenEntry {
  readonly name: string;
  /** In lower-case hex. */
  readonly sha256: string;
  /** RFC 3339. */
  readonly expires?: string;
}

/** A parsed entry. */
interface KnownToken {
  readonly digest: Buffer;
  /** Milliseconds since 1970. */
  readonly expires: number;
  /** The same object for every request, so that decisions about it can be remembered. */
  readonly caller: Caller;
}

/** A parsed document. */
export type ServiceTokenList = readonly KnownToken[];

/** Verifies service tokens. */
export interface ServiceTokens {
  /**
   * Proves who holds a token. Answers at once when the list is there and knows it.
   *
   * @throws UnauthenticatedError (or rejects with it) when it is in no list, or no more
   * @throws IdentityUnavailableError (or rejects with it) when the list is out of reach
   */
  verify(token: string): Caller | Promise<Caller>;
  /** Fetches the list. Never rejects: the first request that needs it tries again. */
  warmUp(): Promise<void>;
}

/** Whether a text is meant to be a service token. */
export function isServiceToken(text: string): boolean {
  return text.startsWith(SERVICE_TOKEN_PREFIX);
}

/** Makes a token and the entry that will recognize it. */
export function makeServiceToken(name: string, expires?: Date): { token: string; entry: ServiceTokenEntry } {
  const token = SERVICE_TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString('base64url');
  const sha256 = hash('sha256', token, 'hex');
  return { token, entry: { name, sha256, ...(expires === undefined ? {} : { expires: expires.toISOString() }) } };
}

/**
 * Reads the document of a secret's current version.
 *
 * @throws KeyDocumentError that names the place and repeats nothing of what stands there
 */
export function parseServiceTokens({ current }: Pick<SecretVersions, 'current'>): ServiceTokenList {
  return readServiceTokenEntries(current).map(({ name, sha256, expires }) => ({
    digest: Buffer.from(sha256, 'hex'),
    expires: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires),
    caller: { method: 'service-token', subject: name, issuer: undefined, email: undefined, claims: {} },
  }));
}

/** Reads the entries of a document, as {@link parseServiceTokens} does. */
export function readServiceTokenEntries(text: string): ServiceTokenEntry[] {
  const { tokens } = fieldsOf(parseKeyDocument(text), 'it', ['tokens']);
  if (!Array.isArray(tokens)) throw new KeyDocumentError('tokens must be an array');
  if (tokens.length > MAX_TOKENS) throw new KeyDocumentError(`tokens has more than ${MAX_TOKENS} entries`);
  return tokens.map((entry: unknown, index) => readEntry(entry, `tokens[${index}]`));
}

function readEntry(entry: unknown, place: string): ServiceTokenEntry {
  const mayExpire = typeof entry === 'object' && entry !== null && 'expires' in entry;
  const names = mayExpire ? (['name', 'sha256', 'expires'] as const) : (['name', 'sha256'] as const);
  const fields: { name: unknown; sha256: unknown; expires?: unknown } = fieldsOf(entry, place, names);
  const { sha256, expires } = fields;
  if (typeof sha256 !== 'string' || !SHA256_HEX.test(sha256)) {
    throw new KeyDocumentError(
      `${place}.sha256 must be 64 hex digits in lower case, as codec-server token prints them`,
    );
  }
  const name = nameOf(fields.name, `${place}.name`);
  if (expires === undefined) return { name, sha256 };
  if (typeof expires !== 'string' || Number.isNaN(Date.parse(expires))) {
    throw new KeyDocumentError(`${place}.expires must be a time such as 2027-06-30T00:00:00Z`);
  }
  return { name, sha256, expires };
}

/** What is said not to be readable. */
const LIST = 'the list of service tokens';

/** Verifies the tokens of a list that is kept elsewhere and may change. */
export function createServiceTokens(source: SecretSource<ServiceTokenList>): ServiceTokens {
  return {
    async warmUp() {
      try {
        await source.get();
      } catch {
        // Told to the request that needs the list.
      }
    },
    verify(token) {
      if (!TOKEN.test(token)) throw rejected('unknown-service-token');
      const digest = hash('sha256', token, 'buffer');
      const again = (list: ServiceTokenList): Caller => callerOf(find(list, digest));
      const look = (list: ServiceTokenList): Caller | Promise<Caller> => {
        const found = find(list, digest);
        if (found !== undefined) return callerOf(found);
        const fresh = whenReadable(LIST, () => source.refresh());
        return fresh instanceof Promise ? fresh.then(again) : again(fresh);
      };
      const list = whenReadable(LIST, () => source.get());
      return list instanceof Promise ? list.then(look) : look(list);
    },
  };
}

/** Compares with every entry, in a time that does not depend on how much of any of them is right. */
function find(list: ServiceTokenList, digest: Buffer): KnownToken | undefined {
  let found: KnownToken | undefined;
  for (const known of list) if (timingSafeEqual(known.digest, digest)) found = known;
  return found;
}

function callerOf(found: KnownToken | undefined): Caller {
  if (found === undefined) throw rejected('unknown-service-token');
  if (Date.now() >= found.expires) throw rejected('service-token-expired');
  return found.caller;
}
