/** The codec of one namespace, as the SDK calls it. */

import type { PayloadCodec, Payload as TemporalPayload } from '@temporalio/common';
import { type DecodeContext, type DecodeOutcome, type Decoder, decodePayloads, isPlaintext } from '../decode.ts';
import { type EncodeContext, type Encoder, encodePayloads } from '../encode.ts';
import { CannotEncodeError, type CannotOpenCause, CannotOpenError } from '../errors.ts';
import { recognizeAll } from '../formats/all-formats.ts';
import type { KeyUsage } from '../keys/key-source.ts';
import { type OpenedWorkerKeys, openWorkerKeys } from '../keys/worker-keys.ts';
import { createNamespaceMatcher } from '../namespace-pattern.ts';
import { ENCODING, type Payload } from '../payload.ts';
import { fromTemporalPayload, toTemporalPayload } from '../temporal-codec.ts';
import { type PayloadCodecOptions, readPeers } from './options.ts';
import { forReplay } from './replay.ts';
import { areOfFailure, isWithheld, occasionally, reportedError, warnProcess, withheld } from './withheld.ts';

/** Temporal's `PayloadCodec`, and an end to it. */
export interface EncryptingPayloadCodec extends PayloadCodec {
  /** Zeroes the data keys in memory. To be called when nothing is encoded or decoded any more. */
  close(): void;
}

/** What the SDK says of a payload, in versions that say it. */
interface SdkContext {
  readonly namespace?: string;
}

const DEFAULT_TIMEOUT_MS = 8000;
const DEFAULT_INFLATED_BYTES = 32 * 1024 * 1024;
/** Envelopes nested in one another. */
const MAX_LAYERS = 8;
/** What the SDK's replayer names, whatever namespace the history is of. */
const REPLAY_NAMESPACE = 'default';
const NULL_ENCODING = Buffer.from('binary/null');

export class NamespaceCodec implements EncryptingPayloadCodec {
  readonly #namespace: string;
  readonly #timeoutMs: number;
  readonly #inflatedBytes: number;
  readonly #decoder: Decoder;
  readonly #encoder: Encoder;
  readonly #isPeer: (namespace: string) => boolean;
  readonly #mayDecode: (namespace: string | undefined) => boolean;
  readonly #refusesPlaintext: boolean;
  readonly #leavesNull: boolean;
  readonly #tell: (message: string) => void;
  readonly #keys: OpenedWorkerKeys;

  /** @param options checked already; `replay`: it reads every namespace that its keys open, and writes for nobody */
  constructor(options: PayloadCodecOptions & { readonly replay?: boolean }) {
    const { namespace, plaintext, nullPayloads, onRefusal = warnProcess, replay = false } = options;
    const peers = [...readPeers(options.alsoDecode), ...(replay ? [{ namespaces: ['*'], kms: [] }] : [])];
    this.#keys = openWorkerKeys(options.keys ?? {}, namespace, options.cache, peers);
    this.#namespace = namespace;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#inflatedBytes = options.inflatedBytes ?? DEFAULT_INFLATED_BYTES;
    this.#isPeer = createNamespaceMatcher(peers.flatMap((peer) => peer.namespaces));
    this.#mayDecode = (it) => it === namespace || (it !== undefined && this.#isPeer(it));
    this.#refusesPlaintext = plaintext === 'refuse';
    this.#leavesNull = nullPayloads === 'plain';
    this.#tell = occasionally(onRefusal);
    const { source } = this.#keys;
    this.#decoder = { recognize: recognizeAll, keys: source, customCodecs: [], maxLayers: MAX_LAYERS };
    const writing = replay ? forReplay(source) : source;
    this.#encoder = { keys: writing, customCodecs: [], compression: options.compression ?? null };
  }

  async encode(payloads: TemporalPayload[], context?: SdkContext): Promise<TemporalPayload[]> {
    try {
      this.#checkContext(context);
      if (!this.#leavesNull) return await this.#encrypt(payloads);
      const encrypted = await this.#encrypt(payloads.filter((it) => !isNull(it)));
      return payloads.flatMap((it) => (isNull(it) ? it : encrypted.splice(0, 1)));
    } catch (error) {
      if (areOfFailure(payloads)) return withheld(payloads, error);
      throw reportedError(error);
    }
  }

  async #encrypt(payloads: readonly TemporalPayload[]): Promise<TemporalPayload[]> {
    const ours = payloads.map(fromTemporalPayload);
    const encoded = await encodePayloads(this.#encoder, ours, this.#context());
    return encoded.map((payload, i) => temporalPayload(payload, ours[i], payloads[i]));
  }

  async decode(payloads: TemporalPayload[]): Promise<TemporalPayload[]> {
    const closed: CannotOpenError[] = [];
    const context: DecodeContext = {
      ...this.#context(),
      mayDecode: this.#mayDecode,
      onCannotOpen: (error) => closed.push(error),
    };
    try {
      const ours = payloads.map(fromTemporalPayload);
      const outcomes = await decodePayloads(this.#decoder, ours, context);
      return outcomes.map((outcome, i) =>
        temporalPayload(this.#opened(outcome, payloads[i], closed), ours[i], payloads[i]),
      );
    } catch (error) {
      throw reportedError(error);
    }
  }

  close(): void {
    this.#keys.close();
  }

  /** A namespace that is misspelled here would decide who may read what is written. */
  #checkContext(context: SdkContext | undefined): void {
    const named = context?.namespace;
    if (named === undefined || named === this.#namespace || named === REPLAY_NAMESPACE || this.#isPeer(named)) return;
    throw new CannotEncodeError(
      `the codec encrypts for the namespace ${this.#namespace}, and the payload is for ${named}: give both the same name`,
    );
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

  #opened(outcome: DecodeOutcome, original: TemporalPayload | undefined, closed: readonly CannotOpenError[]): Payload {
    switch (outcome.kind) {
      case 'decoded':
        if (this.#refusesPlaintext && isPlaintext(outcome)) throw this.#notEncrypted();
        return outcome.payload;
      case 'unchanged':
        if (this.#refusesPlaintext && !(original && ((this.#leavesNull && isNull(original)) || isWithheld(original))))
          throw this.#notEncrypted();
        return outcome.payload;
      case 'denied':
        throw this.#refused(
          'wrong-namespace',
          `a payload of the namespace ${outcome.namespace} was met in ${this.#namespace}; if that is meant, name it in alsoDecode`,
        );
      case 'cannot-open': {
        const why = closed.find(({ reason }) => reason === outcome.reason)?.message;
        throw this.#refused(
          outcome.reason,
          `a payload cannot be opened in ${this.#namespace}: ${outcome.reason}${why === undefined ? '' : ` (${why})`}`,
        );
      }
    }
  }

  #notEncrypted(): CannotOpenError {
    return this.#refused(
      'not-encrypted',
      `a payload that is not encrypted was met in ${this.#namespace}, and plaintext is 'refuse'`,
    );
  }

  #refused(reason: CannotOpenCause, message: string): CannotOpenError {
    this.#tell(message);
    return new CannotOpenError(reason, message);
  }
}

/** What the SDK gets: the very object that it gave when nothing was done to it. */
function temporalPayload(
  result: Payload,
  given: Payload | undefined,
  original: TemporalPayload | undefined,
): TemporalPayload {
  return result === given && original !== undefined ? original : toTemporalPayload(result);
}

/** Whether it is the payload of nothing, which holds nothing: no data, and no metadata but its encoding. */
function isNull({ metadata, data }: TemporalPayload): boolean {
  const encoding = metadata?.[ENCODING];
  return (
    encoding != null && NULL_ENCODING.equals(encoding) && !data?.length && Object.keys(metadata ?? {}).length === 1
  );
}
