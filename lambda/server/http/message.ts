import type { Limits } from '../../../config/schema.ts';

/**
 * A request and a response as the pipeline sees them. API Gateway and node:http are adapted to these
 * two, and nothing behind them knows either.
 */

/** An HTTP request. */
export interface CodecRequest {
  readonly method: string;
  /** The path as received: still percent-encoded, slashes not collapsed, no query. */
  readonly path: string;
  /** The raw query string without `?`; empty when there is none. */
  readonly query: string;
  /** Every value of a header, in order; `name` in lower case. Empty when absent. */
  header(name: string): readonly string[];
  /** The body's bytes. */
  readonly body: Uint8Array;
  /** Point in time, in milliseconds of `Date.now()`, by which an answer must be out. */
  readonly deadline: number;
  /** A fresh id, or the gateway's. */
  readonly requestId: string;
  /** The address that it came from, where the host knows one. */
  readonly sourceAddress?: string | undefined;
  /** Set by the pipeline. To be called with the status when the host has answered in the pipeline's place. */
  answeredInstead?: ((status: number) => void) | undefined;
}

/** An HTTP response. The adapters add what is theirs (CORS, Content-Length, Date). */
export interface CodecResponse {
  readonly status: number;
  /** Lower-case names; one value each. */
  readonly headers: Readonly<Record<string, string>>;
  /** Values of `Set-Cookie`, each a header of its own. */
  readonly cookies?: readonly string[] | undefined;
  /** Text, or its bytes in UTF-8 where there are many of them and a text would be one more copy. */
  readonly body: string | Uint8Array;
}

/** Answers requests. Never rejects: what goes wrong is a response. */
export type CodecPipeline = (request: CodecRequest) => Promise<CodecResponse>;

/**
 * A request that is answered with an error on purpose. Whatever else is thrown on a request's way is
 * a bug, and is answered with a blank 500.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  /** Header fields that belong to the status, such as `allow` or `retry-after`; lower-case names. */
  readonly headers: Readonly<Record<string, string>> | undefined;

  /**
   * @param message one sentence for the caller without a full stop, and without anything the caller
   *   sent: it may be shown to others, and what a payload holds is nobody's business
   */
  constructor(status: number, message: string, headers?: Readonly<Record<string, string>>, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.headers = headers;
  }
}

// The limits on a request, with what holds where the configuration says nothing.

const MIB = 1_048_576;

/** On Lambda: its event is 6 MiB, with the body escaped inside. */
export const LAMBDA_LIMITS: Limits = { bodyBytes: 4_000_000, payloads: 1_000, layers: 8, inflatedBytes: 32 * MIB };

/** On one's own machine. */
export const LOCAL_LIMITS: Limits = { bodyBytes: 16_000_000, payloads: 10_000, layers: 8, inflatedBytes: 32 * MIB };
