/**
 * The codec of Temporal workers and clients: the same formats and keys as the codec server, as the
 * `PayloadCodec` that the TypeScript SDK takes.
 */
import type { DataConverter, PayloadCodec, Payload as TemporalPayload } from '@temporalio/common';
import { type DecodeContext, type DecodeOutcome, type Decoder, decodePayloads } from './decode.ts';
import { type EncodeContext, type Encoder, encodePayloads } from './encode.ts';
import { CannotOpenError, CodecOptionsError } from './errors.ts';
import { failureConverterPath } from './failure-converter-path.ts';
import { recognizeAll, recognizeOwn } from './formats/all-formats.ts';
import type { Compression } from './formats/compression.ts';
import type { DataKeyCacheSettings } from './keys/cache/data-key-cache.ts';
import type { KeyUsage } from './keys/key-source.ts';
import { type CodecKeys, openWorkerKeys } from './keys/worker-keys.ts';
import { createNamespaceMatcher } from './namespace-pattern.ts';
import type { Payload } from './payload.ts';
import { fromTemporalPayload, toTemporalPayload } from './temporal-payload.ts';

/** Options of {@link createPayloadCodec}. */
export interface PayloadCodecOptions {
  /**
   * Full name of the namespace that the worker or client works in, such as `orders-prod.a1b2c` on
   * Temporal Cloud or `default` on a development server. Every payload is bound to it: whoever may
   * decode the namespace may decode the payload, and nobody else.
   */
  readonly namespace: string;
  /** Where data keys come from. */
  readonly keys: CodecKeys;
  /** Compress before encrypting, where it saves bytes. Default `null`: the length of a payload is all that it shows. */
  readonly compression?: Compression | null;
  /** Further namespaces whose payloads are decoded, with `*` for any run of characters. Default: none. */
  readonly alsoDecode?: readonly string[];
  /** Milliseconds after which a call to the key service is given up. Default 8,000: a workflow task has 10 seconds. */
  readonly timeoutMs?: number;
  /** Bytes that decompression may produce in one call. Default 32 MiB. */
  readonly inflatedBytes?: number;
  /**
   * Bounds of the data-key cache: whole numbers. With a keyring, which has nobody to call, `ttlSeconds`,
   * `maxMessages` and `maxBytes` count; a source of your own has its own bounds.
   */
  readonly cache?: Partial<DataKeyCacheSettings>;
}

/** Options of {@link createDataConverter}. */
export interface DataConverterOptions extends PayloadCodecOptions {
  /**
   * Encrypt messages and stack traces of failures, too. Default `true`; what a failure converter of
   * your own does with them is up to it.
   */
  readonly encryptFailures?: boolean;
}

/** Temporal's `PayloadCodec`, and an end to it. */
export interface EncryptingPayloadCodec extends PayloadCodec {
  /** Zeroes the data keys in memory. To be called when nothing is encoded or decoded any more. */
  close(): void;
}

const DEFAULT_TIMEOUT_MS = 8000;
const DEFAULT_INFLATED_BYTES = 32 * 1024 * 1024;
/** Envelopes nested in one another. */
const MAX_LAYERS = 8;

/**
 * Makes the codec of a worker or client.
 *
 * Encoding encrypts every payload; what already is encrypted for the namespace stays as it is.
 * Decoding opens what is encrypted, in any format that the codec server reads, and leaves alone what
 * is not. It never passes ciphertext on in silence: one payload that cannot be opened, or belongs to
 * another namespace, rejects the call with CannotOpenError; a key service that cannot answer rejects
 * it with KeyUnavailableError, and the SDK tries again.
 *
 * @throws CodecOptionsError when the namespace or the keys are missing or wrong
 * @throws KeyringFileError when the keyring file cannot be read
 */
export function createPayloadCodec(options: PayloadCodecOptions): EncryptingPayloadCodec {
  return new NamespaceCodec(options);
}

/**
 * A data converter with the codec in it, for `new Client({ dataConverter })` and
 * `Worker.create({ dataConverter })`.
 *
 * @param base a data converter to add to; its codecs encode before ours and decode after it
 * @throws as {@link createPayloadCodec}
 */
export function createDataConverter(options: DataConverterOptions, base: DataConverter = {}): DataConverter {
  const payloadCodecs = [...(base.payloadCodecs ?? []), createPayloadCodec(options)];
  if (options.encryptFailures === false) return { ...base, payloadCodecs };
  return { ...base, failureConverterPath: base.failureConverterPath ?? failureConverterPath, payloadCodecs };
}

class NamespaceCodec implements EncryptingPayloadCodec {
  readonly #namespace: string;
  readonly #timeoutMs: number;
  readonly #inflatedBytes: number;
  readonly #decoder: Decoder;
  readonly #encoder: Encoder;
  readonly #mayDecode: (namespace: string | undefined) => boolean;
  readonly #close: () => void;

  constructor(options: PayloadCodecOptions) {
    const { namespace, alsoDecode = [] } = options;
    checkBounds(options);
    if (typeof namespace !== 'string' || namespace === '' || !namespace.isWellFormed())
      throw new CodecOptionsError('namespace must be the full name of the namespace that the worker works in');
    const matchesFurther = createNamespaceMatcher(alsoDecode);
    const keys = openWorkerKeys(options.keys ?? {}, namespace, options.cache);
    this.#namespace = namespace;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#inflatedBytes = options.inflatedBytes ?? DEFAULT_INFLATED_BYTES;
    this.#mayDecode = (it) => it === namespace || (it !== undefined && matchesFurther(it));
    this.#decoder = { recognize: recognizeAll, keys: keys.source, customCodecs: [], maxLayers: MAX_LAYERS };
    this.#encoder = { recognizeOwn, keys: keys.source, customCodecs: [], compression: options.compression ?? null };
    this.#close = keys.close;
  }

  async encode(payloads: TemporalPayload[]): Promise<TemporalPayload[]> {
    const ours = payloads.map(fromTemporalPayload);
    const encoded = await encodePayloads(this.#encoder, ours, this.#context());
    return encoded.map((payload, i) => temporalPayload(payload, ours[i], payloads[i]));
  }

  async decode(payloads: TemporalPayload[]): Promise<TemporalPayload[]> {
    const ours = payloads.map(fromTemporalPayload);
    const context: DecodeContext = { ...this.#context(), mayDecode: this.#mayDecode };
    const outcomes = await decodePayloads(this.#decoder, ours, context);
    return outcomes.map((outcome, i) => temporalPayload(this.#opened(outcome), ours[i], payloads[i]));
  }

  close(): void {
    this.#close();
  }

  #context(): EncodeContext {
    const usage: KeyUsage = { keyIds: new Set(), cacheHits: 0, cacheMisses: 0 };
    return {
      namespace: this.#namespace,
      deadline: Date.now() + this.#timeoutMs,
      limits: { inflateBudget: this.#inflatedBytes },
      usage,
    };
  }

  #opened(outcome: DecodeOutcome): Payload {
    switch (outcome.kind) {
      case 'decoded':
      case 'unchanged':
        return outcome.payload;
      case 'denied':
        throw new CannotOpenError(
          'wrong-namespace',
          `a payload of the namespace ${outcome.namespace} was met in ${this.#namespace}; if that is meant, name it in alsoDecode`,
        );
      case 'cannot-open':
        throw new CannotOpenError(outcome.reason, `a payload cannot be opened: ${outcome.reason}`);
    }
  }
}

/** The bounds that may be 0; a number that is none, as of a variable that is not set, would bound nothing. */
const MAY_BE_ZERO: ReadonlySet<string> = new Set(['cache.refusalMs', 'cache.faultMs']);

/** @throws CodecOptionsError naming the option */
function checkBounds({ timeoutMs, inflatedBytes, cache = {}, compression = null }: PayloadCodecOptions): void {
  const ofCache = Object.entries(cache).map(([name, value]) => [`cache.${name}`, value] as const);
  for (const [name, value] of [['timeoutMs', timeoutMs], ['inflatedBytes', inflatedBytes], ...ofCache] as const) {
    const least = MAY_BE_ZERO.has(name) ? 0 : 1;
    if (value !== undefined && !(Number.isInteger(value) && value >= least))
      throw new CodecOptionsError(`${name} must be a whole number from ${least}, or left away`);
  }
  if (compression !== null && compression !== 'zstd' && compression !== 'zlib')
    throw new CodecOptionsError("compression must be 'zstd', 'zlib', or null for none");
}

/** What the SDK gets: the very object that it gave when nothing was done to it. */
function temporalPayload(
  result: Payload,
  given: Payload | undefined,
  original: TemporalPayload | undefined,
): TemporalPayload {
  return result === given && original !== undefined ? original : toTemporalPayload(result);
}
