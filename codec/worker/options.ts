/** The options of a worker's codec: what they are, and what of them is wrong. */
import { CodecOptionsError } from '../errors.ts';
import { type Compression, hasZstd } from '../formats/compression.ts';
import type { DataKeyCacheSettings } from '../keys/cache/data-key-cache.ts';
import { type CodecKeys, NO_KEYS, type PeerKeys, writesWith } from '../keys/worker-keys.ts';

/** A namespace whose payloads are decoded besides the codec's own. */
export interface PeerNamespace {
  /** Its full name, with `*` for any run of characters. */
  readonly namespace: string;
  /** ARNs of the KMS keys that its payloads are written with, where those are not the codec's own. */
  readonly kms?: string | readonly string[];
}

/** What every codec takes, whatever its namespace. */
export interface CodecSettings {
  /** Where data keys come from. */
  readonly keys: CodecKeys;
  /** Compress before encrypting, where it saves bytes. Default `null`: the length of a payload is all that it shows. */
  readonly compression?: Compression | null;
  /**
   * Further namespaces whose payloads are decoded, as for Nexus between namespaces: by name, with `*`
   * for any run of characters, or with the KMS keys that write there. Default: none. A name alone
   * covers the keyring, static keys and a single `kms` key; for keys in pairs, the pairs decide.
   */
  readonly alsoDecode?: readonly (string | PeerNamespace)[];
  /**
   * What becomes of a payload that is not encrypted when it is decoded. `accept`, the default, leaves
   * it as it is, which a namespace needs while old payloads are in it; `refuse` rejects it with
   * CannotOpenError, so that nobody without a key makes a worker read what they wrote.
   */
  readonly plaintext?: 'accept' | 'refuse';
  /**
   * What becomes of `binary/null`, the result of a function that returns nothing. `encrypt`, the
   * default, hides that it is nothing; `plain` leaves it as it is and saves some 490 bytes each.
   */
  readonly nullPayloads?: 'encrypt' | 'plain';
  /** Milliseconds after which a call to the key service is given up. Default 8,000: a workflow task has 10 seconds. */
  readonly timeoutMs?: number;
  /** Bytes that decompression may produce in one call. Default 32 MiB. */
  readonly inflatedBytes?: number;
  /**
   * Bounds of the data-key cache: whole numbers. `maxKeys` is 20,000 by default, so that a long history
   * replays. With a keyring, which has nobody to call, all but the times of failures and outages count;
   * a source of your own has its own bounds.
   */
  readonly cache?: Partial<DataKeyCacheSettings>;
  /**
   * Told, at most once a minute each, of refusals that nobody may see otherwise, such as a payload of a
   * Nexus peer that `alsoDecode` does not name. Default: a process warning.
   */
  readonly onRefusal?: (message: string) => void;
}

/** Options of `createPayloadCodec`. */
export interface PayloadCodecOptions extends CodecSettings {
  /**
   * Full name of the namespace that the worker or client works in, such as `orders-prod.a1b2c` on
   * Temporal Cloud or `default` on a development server. Every payload is bound to it: whoever may
   * decode the namespace may decode the payload, and nobody else.
   */
  readonly namespace: string;
}

type Names<T> = Readonly<Record<keyof T, true>>;

const SETTINGS: Names<CodecSettings> = {
  keys: true,
  compression: true,
  alsoDecode: true,
  plaintext: true,
  nullPayloads: true,
  timeoutMs: true,
  inflatedBytes: true,
  cache: true,
  onRefusal: true,
};
const KEYS = { keyring: true, keyringSecret: true, kms: true, source: true, staticKeys: true };
const CACHE: Names<DataKeyCacheSettings> = {
  maxKeys: true,
  ttlSeconds: true,
  writeSeconds: true,
  outageSeconds: true,
  maxMessages: true,
  maxBytes: true,
  refusalMs: true,
  faultMs: true,
};
const PEER: Names<PeerNamespace> = { namespace: true, kms: true };

/** Bounds that may be 0; a number that is none, as of a variable that is not set, would bound nothing. */
const MAY_BE_ZERO: ReadonlySet<string> = new Set(['cache.refusalMs', 'cache.faultMs', 'cache.outageSeconds']);

/**
 * Checks the settings, whose types nobody may have checked.
 *
 * @param further names of options that the caller takes besides
 * @throws CodecOptionsError naming the option
 */
export function checkSettings(settings: CodecSettings, further: readonly string[]): void {
  const { timeoutMs, inflatedBytes, cache = {}, compression = null, plaintext, nullPayloads, onRefusal } = settings;
  refuseUnknown('', settings, [...Object.keys(SETTINGS), ...further]);
  const keys: unknown = settings.keys ?? {};
  beObject('keys', keys, "{ kms: '…' }");
  refuseUnknown('keys.', keys, Object.keys(KEYS));
  if (writesWith(keys) === undefined) throw new CodecOptionsError(NO_KEYS);
  beObject('cache', cache, '{ ttlSeconds: 300 }');
  refuseUnknown('cache.', cache, Object.keys(CACHE));
  const ofCache = Object.entries(cache).map(([name, value]) => [`cache.${name}`, value] as const);
  for (const [name, value] of [['timeoutMs', timeoutMs], ['inflatedBytes', inflatedBytes], ...ofCache] as const) {
    if (value !== undefined) checkWholeNumber(name, value, MAY_BE_ZERO.has(name) ? 0 : 1);
  }
  if (compression === 'zstd' && !hasZstd())
    throw new CodecOptionsError("compression 'zstd' needs Node.js 22.15 or newer: take 'zlib'");
  oneOf('compression', compression, ['zstd', 'zlib', null]);
  oneOf('plaintext', plaintext, ['accept', 'refuse', undefined]);
  oneOf('nullPayloads', nullPayloads, ['encrypt', 'plain', undefined]);
  oneOf('onRefusal', typeof onRefusal, ['function', 'undefined']);
}

/** The namespaces that are decoded besides, with the keys that are named for them. */
export function readPeers(alsoDecode: CodecSettings['alsoDecode'] = []): PeerKeys[] {
  if (!Array.isArray(alsoDecode)) throw new CodecOptionsError('alsoDecode must be a list of namespaces');
  return alsoDecode.map((peer: string | PeerNamespace) => {
    if (typeof peer === 'string') return { namespaces: [peer], kms: [] };
    beObject('alsoDecode[]', peer, "{ namespace: '…', kms: '…' }, or the name of a namespace");
    refuseUnknown('alsoDecode[].', peer, Object.keys(PEER));
    const { namespace, kms = [] } = peer;
    checkNamespace(namespace);
    return { namespaces: [namespace], kms: typeof kms === 'string' ? [kms] : kms };
  });
}

/** @throws CodecOptionsError when it is not a name of a namespace */
export function checkNamespace(namespace: unknown): asserts namespace is string {
  if (typeof namespace !== 'string' || namespace === '' || !namespace.isWellFormed())
    throw new CodecOptionsError('namespace must be the full name of the namespace that the worker works in');
}

/** @throws CodecOptionsError when a switch is something else, such as `null`, which would turn it off in silence */
export function checkSwitch(name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw new CodecOptionsError(`${name} must be true, false or left out`);
}

/** @throws CodecOptionsError when it is not a whole number, or less than it may be */
export function checkWholeNumber(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new CodecOptionsError(`${name} must be a whole number from ${least}, or left out`);
}

function beObject(name: string, value: unknown, example: string): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CodecOptionsError(`${name} must be an object, such as ${example}`);
}

function refuseUnknown(path: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new CodecOptionsError(`there is no option ${path}${unknown}; there are ${known.join(', ')}`);
}

function oneOf(name: string, value: unknown, choices: readonly unknown[]): void {
  if (choices.includes(value)) return;
  const [last, ...first] = choices
    .map((it) => (typeof it === 'string' ? `'${it}'` : it === null ? 'null for none' : 'left out'))
    .reverse();
  throw new CodecOptionsError(`${name} must be ${first.reverse().join(', ')} or ${last}`);
}
