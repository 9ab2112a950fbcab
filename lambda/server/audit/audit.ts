/**
 * The audit line: one per request, what was done by whom in which namespaces. CloudTrail sees only
 * the function's role, and nothing at all on a cache hit, so this is the team's record.
 */
import type { Caller } from '../auth/caller.ts';

/** One request, accounted for. Holds no payload, no token, no key. */
export interface AuditEntry {
  readonly requestId: string;
  /** `decode`, `encode`, `download`, `sign-in`, `sign-in-callback`, `sign-out`, or `other` for a path that is none. */
  readonly operation: string;
  /** Of the answer that was really sent. */
  readonly status: number;
  readonly durationMs: number;
  readonly caller: Caller | undefined;
  /** Why there is no caller: `missing`, `expired`, …; undefined when there is one. */
  readonly unauthenticated: string | undefined;
  readonly origin: string | undefined;
  /** The address that the request came from, as the gateway or the socket says; undefined where neither does. */
  readonly sourceAddress: string | undefined;
  /** Whether the request was refused for coming from the page of an origin that is not allowed. */
  readonly refusedOrigin: boolean;
  /** The namespace that the caller named. */
  readonly namedNamespace: string | undefined;
  /** The distinct namespaces for which a decision was made, and the decision. */
  readonly namespaces: ReadonlyMap<string, 'allowed' | 'denied'>;
  /** The distinct namespaces of what was opened: a bounded number of bounded names, so that none is ever left out. */
  readonly opened: ReadonlySet<string>;
  /** Payloads by outcome: `decoded`, `retrieved` (from external storage), `encoded`, `stored` (there), `unchanged`, `denied`, `no-key-to-write`, and each cause of `cannot-open`. */
  readonly payloads: Readonly<Record<string, number>>;
  readonly keyIds: readonly string[];
  readonly cacheHits: number;
  readonly cacheMisses: number;
  /** The dependency that made a 503: `kms`, `jwks`, `secrets`, `cloud-ops`, `s3`, `provider`; and how it failed. */
  readonly fault: string | undefined;
  /** The client said that it reads in bulk: histories, and not what somebody looks at. */
  readonly bulk: boolean;
}

/** Takes the account of a request: writes it to the log, counts it in the metrics, or both. */
export interface AuditSink {
  record(entry: AuditEntry): void;
}
