/**
 * Decoding: recognize, ask whether it may be opened, get the key, open, and look again at what came
 * out. Nothing here awaits unless a key source or a decision does, or others have waited for ten
 * milliseconds: with a warm cache a page decodes in one turn of the event loop.
 */

import { allOrFirstFailure, Pace } from './calls/turns.ts';
import { type CannotOpenCause, CannotOpenError } from './errors.ts';
import type { Envelope, OpenLimits } from './format.ts';
import type { DataKey } from './keys/data-key.ts';
import type { KeySource, KeyUsage } from './keys/key-source.ts';
import { asBuffer, deserializePayload, type Payload } from './payload.ts';

/** Recognizes the envelope of a payload, or answers undefined when it is of no format we read. */
export type Recognizer = (payload: Payload, namespace: string | undefined) => Envelope | undefined;

/** A codec of the configuration that stands in front of ours: encodes before it, decodes after it. */
export interface CustomCodec {
  /** Whether it applies to payloads of a namespace. */
  appliesTo(namespace: string): boolean;
  encode(payload: Payload): Promise<Payload>;
  /** Returns the very same object when the payload is not its own. */
  decode(payload: Payload): Promise<Payload>;
}

/** The parts a decoder is made of. */
export interface Decoder {
  readonly recognize: Recognizer;
  readonly keys: KeySource;
  /** In encoding order; decoding runs through them backwards. */
  readonly customCodecs: readonly CustomCodec[];
  /** How many envelopes may be nested in one another. */
  readonly maxLayers: number;
}

/** What decoding may know of the request. */
export interface DecodeContext {
  /** The namespace that the caller names, if any. */
  readonly namespace: string | undefined;
  /**
   * The access decision, asked before any layer is opened, once per distinct namespace. `undefined`
   * stands for a payload that is bound to no namespace in a request that names none.
   */
  readonly mayDecode: (namespace: string | undefined) => boolean | Promise<boolean>;
  /** Told the namespace of every layer that was opened, for the audit line. */
  readonly onOpened?: ((namespace: string) => void) | undefined;
  /** Point in time, in milliseconds of `Date.now()`, after which an answer is of no use. */
  readonly deadline: number;
  readonly limits: OpenLimits;
  readonly usage: KeyUsage;
  /** Told why a payload stays closed. For a worker's own people: a caller of the server never learns it. */
  readonly onCannotOpen?: (error: CannotOpenError) => void;
}

/**
 * What became of one payload.
 *
 * - `decoded`: every envelope is open; `layers` names their formats from the outside in, and `neededKey` says whether any
 *   of them needed one: whoever has no key can write the others
 * - `unchanged`: not ours, and exactly the object that came in
 * - `denied`: the caller may not decode the namespace it is bound to
 * - `cannot-open`: it stays closed; `reason` is for the log alone
 */
export type DecodeOutcome =
  | {
      readonly kind: 'decoded';
      readonly payload: Payload;
      readonly namespace: string | undefined;
      readonly layers: readonly string[];
      readonly neededKey: boolean;
    }
  | { readonly kind: 'unchanged'; readonly payload: Payload }
  | { readonly kind: 'denied'; readonly namespace: string | undefined }
  | { readonly kind: 'cannot-open'; readonly reason: CannotOpenCause; readonly namespace: string | undefined };

/**
 * Whether what came out is a payload that anybody could have written, without a key. What a codec of the configuration
 * decoded counts for nothing: nobody knows whether it has keys.
 */
export function isPlaintext(outcome: DecodeOutcome): boolean {
  return outcome.kind === 'unchanged' || (outcome.kind === 'decoded' && !outcome.neededKey);
}

/** The same outcomes, with the payloads closed that anybody could have written. @param isExempt these stay */
export function refusePlaintext(
  outcomes: readonly DecodeOutcome[],
  isExempt: (outcome: DecodeOutcome) => boolean,
): DecodeOutcome[] {
  return outcomes.map((outcome) => {
    if (!isPlaintext(outcome) || isExempt(outcome)) return outcome;
    const namespace = 'namespace' in outcome ? outcome.namespace : undefined;
    return { kind: 'cannot-open', reason: 'not-encrypted', namespace };
  });
}

/**
 * Decodes the payloads of a request, in order. One payload that cannot be opened costs that payload alone.
 *
 * @returns one outcome per payload; a promise only when something had to be waited for
 * @throws KeyUnavailableError (or rejects with it) when a key may be available in a moment: half an
 *   answer would be a wrong one
 */
export function decodePayloads(
  decoder: Decoder,
  payloads: readonly Payload[],
  context: DecodeContext,
): DecodeOutcome[] | Promise<DecodeOutcome[]> {
  return new DecodeRun(decoder, payloads, context).start();
}

/** The payloads of one request on their way, with pauses for others, and the same one opened once. */
class DecodeRun {
  readonly #decoder: Decoder;
  readonly #payloads: readonly Payload[];
  readonly #context: DecodeContext;
  readonly #pace = new Pace();
  readonly #outcomes: (DecodeOutcome | Promise<DecodeOutcome>)[] = [];
  /** Where a payload stood first, by the length and the end of its data: where there is a tag or a signature. */
  readonly #places = new Map<number, number>();

  constructor(decoder: Decoder, payloads: readonly Payload[], context: DecodeContext) {
    this.#decoder = decoder;
    this.#payloads = payloads;
    this.#context = context;
  }

  start(): DecodeOutcome[] | Promise<DecodeOutcome[]> {
    let waits = false;
    for (const payload of this.#payloads) {
      if (this.#outcomes.length >= FEW && this.#pace.isUp) return this.#goOn();
      const outcome = this.#decode(payload);
      if (outcome instanceof Promise) waits = true;
      this.#outcomes.push(outcome);
    }
    return waits ? allOrFirstFailure(this.#outcomes) : (this.#outcomes as DecodeOutcome[]);
  }

  async #goOn(): Promise<DecodeOutcome[]> {
    // Told to whoever waits for all of them, once they have all begun.
    for (const outcome of this.#outcomes) if (outcome instanceof Promise) outcome.catch(() => {});
    for (const payload of this.#payloads.slice(this.#outcomes.length)) {
      if (this.#pace.isUp) await this.#pace.rest();
      const outcome = this.#decode(payload);
      if (outcome instanceof Promise) outcome.catch(() => {});
      this.#outcomes.push(outcome);
    }
    return allOrFirstFailure(this.#outcomes);
  }

  #decode(payload: Payload): DecodeOutcome | Promise<DecodeOutcome> {
    const anew = () => new LayerPeeler(this.#decoder, payload, this.#context, this.#pace).run();
    if (this.#payloads.length === 1) return anew();
    const name = nameOf(asBuffer(payload.data));
    const place = this.#places.get(name);
    const first = place === undefined ? undefined : this.#payloads[place];
    if (place === undefined || first === undefined || !isSamePayload(first, payload)) {
      this.#places.set(name, this.#outcomes.length);
      return anew();
    }
    const outcome = this.#outcomes[place] as DecodeOutcome | Promise<DecodeOutcome>;
    if (outcome instanceof Promise) return outcome.then((it) => (isReusable(it, payload) ? it : anew()));
    return isReusable(outcome, payload) ? outcome : anew();
  }
}

/** So many payloads never wait for a turn: a page of the Web UI has fewer, and they take a few milliseconds at most. */
const FEW = 16;

/** A number, which a map finds faster than a text. Two that are alike by chance are told apart by their bytes. */
function nameOf(data: Buffer): number {
  const end = data.length < 4 ? 0 : data.readUInt32LE(data.length - 4);
  return end * 2 ** 20 + (data.length % 2 ** 20);
}

/** Whether an outcome serves another copy: what inflates counts towards the budget of the request each time. */
function isReusable(outcome: DecodeOutcome, { data }: Payload): boolean {
  return outcome.kind !== 'unchanged' && (outcome.kind !== 'decoded' || outcome.payload.data.length <= data.length);
}

function isSamePayload(some: Payload, other: Payload): boolean {
  const names = Object.keys(some.metadata);
  return (
    names.length === Object.keys(other.metadata).length &&
    names.every((name) => {
      const value = other.metadata[name];
      return value !== undefined && asBuffer(value).equals(some.metadata[name] as Uint8Array);
    }) &&
    asBuffer(some.data).equals(other.data) &&
    some.externalPayloads === undefined &&
    other.externalPayloads === undefined
  );
}

/** The state of one payload on its way inwards. */
class LayerPeeler {
  readonly #decoder: Decoder;
  readonly #context: DecodeContext;
  readonly #original: Payload;
  readonly #layers: string[] = [];
  #neededKey = false;
  /**
   * The namespace of the last envelope that is bound to one, else the caller's. It rules over the
   * envelopes inside that are bound to none: whoever wrote them could write that namespace.
   */
  #namespace: string | undefined;
  #payload: Payload;
  readonly #pace: Pace;

  constructor(decoder: Decoder, payload: Payload, context: DecodeContext, pace: Pace) {
    this.#decoder = decoder;
    this.#pace = pace;
    this.#context = context;
    this.#original = payload;
    this.#payload = payload;
    this.#namespace = context.namespace;
  }

  run(): DecodeOutcome | Promise<DecodeOutcome> {
    try {
      for (;;) {
        const step = this.#peel();
        if (step instanceof Promise)
          return step.then(
            (next) => next ?? this.run(),
            (error) => this.#failed(error),
          );
        if (step !== undefined) return step;
      }
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** Opens one envelope. An outcome means finished, undefined means look again. */
  #peel(): DecodeOutcome | undefined | Promise<DecodeOutcome | undefined> {
    const { recognize, maxLayers, customCodecs } = this.#decoder;
    const envelope = recognize(this.#payload, this.#namespace);
    if (envelope === undefined) return customCodecs.length > 0 ? this.#decodeCustom() : this.#outcome();
    if (this.#layers.length >= maxLayers)
      throw new CannotOpenError('too-many-layers', `more than ${maxLayers} nested envelopes`);

    // Layers without a key as well: whoever may read nothing makes nobody inflate anything.
    const namespace = envelope.boundNamespace ?? this.#namespace;
    this.#namespace = namespace;
    const allowed = this.#context.mayDecode(namespace);
    if (typeof allowed === 'boolean')
      return allowed ? this.#unwrap(envelope, namespace) : { kind: 'denied', namespace };
    return allowed.then((yes) => (yes ? this.#unwrap(envelope, namespace) : { kind: 'denied', namespace }));
  }

  #unwrap(envelope: Envelope, namespace: string | undefined): undefined | Promise<undefined> {
    const { keyRequest } = envelope;
    if (keyRequest === undefined) return this.#open(envelope);
    const { deadline, usage } = this.#context;
    const key = this.#decoder.keys.unwrap(keyRequest, { namespace, deadline, usage });
    return key instanceof Promise ? this.#openInTurn(envelope, key) : this.#open(envelope, key);
  }

  /** Thousands of payloads may have waited for this key. */
  async #openInTurn(envelope: Envelope, key: Promise<DataKey>): Promise<undefined> {
    const dataKey = await key;
    if (this.#pace.isUp) await this.#pace.rest();
    return this.#open(envelope, dataKey);
  }

  /** @param dataKey released in any case; undefined for an envelope that needs none */
  #open(envelope: Envelope, dataKey?: DataKey): undefined {
    try {
      if (dataKey !== undefined) {
        this.#context.usage.keyIds.add(dataKey.id);
        this.#neededKey = true;
      }
      this.#payload = deserializePayload(envelope.open(dataKey?.bytes, this.#context.limits));
    } finally {
      dataKey?.release();
    }
    this.#layers.push(envelope.format);
    if (this.#namespace !== undefined) this.#context.onOpened?.(this.#namespace);
  }

  #outcome(): DecodeOutcome {
    if (this.#payload === this.#original) return { kind: 'unchanged', payload: this.#original };
    return {
      kind: 'decoded',
      payload: this.#payload,
      namespace: this.#namespace,
      layers: this.#layers,
      neededKey: this.#neededKey,
    };
  }

  /** Codecs of the configuration hold keys that we know nothing of, so they are asked only after the same decision. */
  async #decodeCustom(): Promise<DecodeOutcome> {
    const namespace = this.#namespace;
    if (namespace === undefined) return this.#outcome();
    const codecs = this.#decoder.customCodecs.filter((codec) => codec.appliesTo(namespace));
    if (codecs.length === 0 || !(await this.#context.mayDecode(namespace))) return this.#outcome();
    try {
      for (const codec of codecs.toReversed()) {
        const decoded = await codec.decode(this.#payload);
        if (decoded === this.#payload) continue;
        this.#payload = decoded;
        this.#layers.push('custom');
        this.#context.onOpened?.(namespace);
      }
      return this.#outcome();
    } catch (cause) {
      return this.#failed(new CannotOpenError('custom-codec', 'a codec of the configuration failed', { cause }));
    }
  }

  #failed(error: unknown): DecodeOutcome | Promise<never> {
    if (error instanceof CannotOpenError) {
      this.#context.onCannotOpen?.(error);
      return { kind: 'cannot-open', reason: error.reason, namespace: this.#namespace };
    }
    return Promise.reject(error);
  }
}
