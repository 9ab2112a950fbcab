/**
 * The codec of Temporal workers and clients: the same formats and keys as the codec server, as the
 * `PayloadCodec` that the TypeScript SDK takes.
 */
import type { DataConverter, PayloadCodec, Payload as TemporalPayload } from '@temporalio/common';
import { failureConverterPath } from './failure-converter-path.ts';
import { failurePartOf, markFailurePart } from './worker/failure-parts.ts';
import { type EncryptingPayloadCodec, NamespaceCodec } from './worker/namespace-codec.ts';
import { checkNamespace, checkSettings, checkSwitch, type PayloadCodecOptions } from './worker/options.ts';
import { areOfFailure, withheld } from './worker/withheld.ts';

export type { EncryptingPayloadCodec, PayloadCodecOptions };

/** Options of {@link createDataConverter}. */
export interface DataConverterOptions extends PayloadCodecOptions {
  /**
   * Encrypt messages and stack traces of failures, too. Default `true`; what a failure converter of
   * your own does with them is up to it.
   */
  readonly encryptFailures?: boolean;
}

/** A data converter, and an end to it. */
export interface EncryptingDataConverter extends DataConverter {
  /** As {@link EncryptingPayloadCodec.close}. */
  close(): void;
}

/**
 * Makes the codec of a worker or client.
 *
 * Encoding encrypts every payload; what already is encrypted for the namespace stays as it is.
 * Decoding opens what is encrypted, in any format that the codec server reads, and leaves alone what
 * is not, unless `plaintext` is `refuse`. It never passes ciphertext on in silence: one payload that
 * cannot be opened, or belongs to another namespace, rejects the call with CannotOpenError; a key
 * service that cannot answer rejects it with KeyUnavailableError. The SDK fails the task and tries
 * again. To encode for another namespace than the codec's, as newer SDKs name it, is refused with
 * CannotEncodeError. The parts of a failure that cannot be encrypted are never refused, which would
 * end the worker: they are withheld, and a sentence says so.
 *
 * @throws CodecOptionsError when the namespace or the keys are missing or wrong, or an option is unknown
 * @throws PrivateFileError when the keyring file cannot be read
 */
export function createPayloadCodec(options: PayloadCodecOptions): EncryptingPayloadCodec {
  checkSettings({ ...options }, ['namespace']);
  checkNamespace(options.namespace);
  return new NamespaceCodec(options);
}

/**
 * A data converter with the codec in it, for `new Client({ dataConverter })` and
 * `Worker.create({ dataConverter })`. A worker with a workflow bundle of its own takes its failure
 * converter from the bundle: give `bundleWorkflowCode` this converter's `failureConverterPath`, or use
 * `encryptionPlugin`, which refuses a bundle without it.
 *
 * @param base a data converter to add to; its codecs encode before ours and decode after it
 * @throws as {@link createPayloadCodec}
 */
export function createDataConverter(options: DataConverterOptions, base: DataConverter = {}): EncryptingDataConverter {
  const { encryptFailures = true, ...codecOptions } = { ...options };
  checkSettings(codecOptions, ['namespace', 'encryptFailures']);
  checkSwitch('encryptFailures', encryptFailures);
  const codec = codecChain(base.payloadCodecs ?? [], createPayloadCodec(codecOptions));
  const converter = {
    ...base,
    payloadCodecs: [codec],
    ...(encryptFailures && { failureConverterPath: base.failureConverterPath ?? failureConverterPath() }),
  };
  // Hidden from whoever spreads or compares data converters.
  return Object.defineProperty(converter, 'close', { value: () => codec.close() }) as typeof converter &
    Pick<EncryptingDataConverter, 'close'>;
}

// Codecs of the user's own in front of ours, as one: what is encoded first no longer knows of failures.

/** The codecs in encoding order, ours last. To close it closes ours. */
export function codecChain(first: readonly PayloadCodec[], ours: EncryptingPayloadCodec): EncryptingPayloadCodec {
  if (first.length === 0) return ours;
  return {
    async encode(payloads, ...context) {
      const parts = payloads.map(failurePartOf);
      let encoded = payloads;
      try {
        for (const codec of first) encoded = await codec.encode(encoded, ...context);
      } catch (error) {
        if (areOfFailure(payloads)) return withheld(payloads, error);
        throw error;
      }
      if (encoded !== payloads && encoded.length === payloads.length) mark(encoded, parts);
      return ours.encode(encoded, ...context);
    },
    async decode(payloads, ...context) {
      let decoded = await ours.decode(payloads, ...context);
      for (const codec of first.toReversed()) decoded = await codec.decode(decoded, ...context);
      return decoded;
    },
    close: () => ours.close(),
  };
}

function mark(payloads: readonly TemporalPayload[], parts: readonly ReturnType<typeof failurePartOf>[]): void {
  for (const [i, part] of parts.entries()) {
    const payload = payloads[i];
    if (part !== undefined && payload !== undefined) markFailurePart(payload, part);
  }
}
