/** What the benchmark and its load generator, two processes, say to each other. */

/** A body to send, and the answer that is right. */
export interface Exchange {
  readonly body: Buffer;
  /** The payloads of a right answer as proto3 JSON; `echo` when the body itself comes back. */
  readonly answer: readonly JsonPayload[] | 'echo';
}

export interface JsonPayload {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data: string;
}

/** How requests follow one another. */
export type Pace =
  /** Every connection sends its next request as soon as the last is answered, for so many milliseconds. */
  | { readonly kind: 'saturate'; readonly connections: number; readonly ms: number }
  /** One connection, one request after the other. */
  | { readonly kind: 'serial'; readonly requests: number }
  /** A number of requests over several connections. */
  | { readonly kind: 'count'; readonly connections: number; readonly requests: number }
  /** As many connections as requests, all at the same time. A 503 is a right answer, too. */
  | { readonly kind: 'at-once'; readonly requests: number }
  /** Pages of a Web UI: a burst over six connections, each of which starts with a preflight. */
  | { readonly kind: 'pages'; readonly pages: number; readonly pauseMs: number };

export interface Job {
  readonly port: number;
  readonly path: string;
  /** Header lines besides Host, Content-Type and Content-Length; a request takes the next set in turn. */
  readonly headers: readonly (readonly string[])[];
  readonly exchanges: readonly Exchange[];
  readonly pace: Pace;
}

/** Milliseconds throughout. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly wallMs: number;
  readonly latency: Latency;
  /** Only for pages: from the first preflight to the last answer. */
  readonly page?: Latency;
  /** Requests that were refused with 503, where that is a right answer. */
  readonly shed?: number;
  /** The generator's own CPU time. */
  readonly clientCpuMs: number;
}

export type Answer = { readonly ok: LoadResult } | { readonly failed: string };
