/**
 * What a payload format is: something that recognizes its own payloads and opens them with a data
 * key. One file a format, in `aws-encryption-sdk/` for ours and `formats/` for everybody else's.
 */
import type { DataKeyRequest } from './keys/key-source.ts';
import type { Payload } from './payload.ts';

/** Limits on what a payload of a few kilobytes may turn into. Shared by all payloads of a request. */
export interface OpenLimits {
  /** Bytes that decompression may still produce in this request; each format takes off what it used. */
  inflateBudget: number;
}

/** A recognized payload: what it needs to be opened, read from it without any key. */
export interface Envelope {
  /** The format's name, for `inspect`, the audit line and the metrics. */
  readonly format: string;
  /**
   * The namespace that the ciphertext is bound to, which opening it will authenticate, or undefined
   * where the format binds none and the decision rests on the namespace the caller names.
   */
  readonly boundNamespace: string | undefined;
  /** The data key it needs; undefined for compression, which needs none. */
  readonly keyRequest: DataKeyRequest | undefined;
  /**
   * Opens the envelope.
   *
   * @param dataKey the plaintext data key, or undefined when {@link keyRequest} is undefined
   * @returns the serialized inner payload
   * @throws CannotOpenError when it does not authenticate, is malformed, or exceeds a limit
   */
  open(dataKey: Uint8Array | undefined, limits: OpenLimits): Uint8Array;
}

/** A format that this codec reads. */
export interface PayloadFormat {
  readonly name: string;
  /**
   * Looks at a payload whose `encoding` is one that the format is registered for.
   *
   * @param namespace the namespace that the caller names: some formats authenticate it without carrying it
   * @returns the envelope, or undefined when the payload is not of this format (the next one is asked)
   * @throws MalformedPayloadError when it claims to be of this format and is not
   */
  recognize(payload: Payload, namespace: string | undefined): Envelope | undefined;
}
