/** Decoding one payload through the real flow, with every format that is read. */
import { type DecodeOutcome, decodePayloads } from '../../codec/decode.ts';
import { recognizeAll } from '../../codec/formats/all-formats.ts';
import { combineKeySources } from '../../codec/keys/combined-keys.ts';
import type { KeySource } from '../../codec/keys/key-source.ts';
import { StaticKeySource } from '../../codec/keys/static/static-key-source.ts';
import type { Payload } from '../../codec/payload.ts';
import { PATIENCE_MS } from './patience.ts';

export interface DecodingOptions {
  readonly keyring?: KeySource;
  readonly staticKeys?: KeySource;
  readonly kms?: KeySource;
  /** The namespace that the caller names. */
  readonly namespace?: string | undefined;
  /** Namespaces that the caller may read. Default: every one. */
  readonly may?: (namespace: string | undefined) => boolean;
  /** Bytes that may inflate. Default 1,000,000. */
  readonly inflateBudget?: number;
}

/** Decodes payloads of one request. */
export async function decodeAll(payloads: readonly Payload[], options: DecodingOptions): Promise<DecodeOutcome[]> {
  const { keyring, staticKeys = new StaticKeySource({ keys: [] }), kms } = options;
  const keys = combineKeySources(staticKeys, ...[keyring, kms].filter((source) => source !== undefined));
  return decodePayloads({ recognize: recognizeAll, keys, customCodecs: [], maxLayers: 8 }, payloads, {
    namespace: options.namespace,
    mayDecode: options.may ?? (() => true),
    deadline: Date.now() + PATIENCE_MS,
    limits: { inflateBudget: options.inflateBudget ?? 1_000_000 },
    usage: { keyIds: new Set(), cacheHits: 0, cacheMisses: 0 },
  });
}

/** Decodes one payload. */
export async function decodeOne(payload: Payload, options: DecodingOptions): Promise<DecodeOutcome> {
  const [outcome] = await decodeAll([payload], options);
  if (outcome === undefined) throw new Error('a payload got no outcome');
  return outcome;
}
