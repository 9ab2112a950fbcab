/**
 * What the contract suite runs against: anything that answers requests as a codec server. The suite
 * knows it as a client would, and knows nothing else about it.
 */
import type { KeySource } from '../../codec/keys/key-source.ts';
import type { CodecServerConfig } from '../../config/schema.ts';
import type { AuditEntry } from '../../lambda/server/audit/audit.ts';
import type { Credentials } from '../../lambda/server/auth/caller.ts';

/** A request, with what most of them have filled in: `POST /decode` as JSON, by {@link Who} `writer`. */
export interface ContractRequest {
  readonly method?: string;
  /** As it goes over the wire, without the query. */
  readonly path?: string;
  /** Without `?`. */
  readonly query?: string;
  /** Names and values; a name may come twice. `content-type` is JSON unless it is here. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** No content type by itself. */
  readonly withoutContentType?: boolean;
  readonly body?: string | Uint8Array;
  readonly who?: Who;
}

export interface ContractResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/**
 * Callers, and what {@link CONTRACT_CONFIG} lets them do.
 *
 * - `writer`: a person who may decode and encode everywhere
 * - `reader`: a person, `alice@example.com`, who may decode in {@link ALLOWED} alone
 * - `worker`: a service token with the rights of the reader
 * - `outsider`: proven, and without any right
 * - `nobody`: without an identity
 */
export type Who = 'writer' | 'reader' | 'worker' | 'outsider' | 'nobody';

/** The namespace that everyone but the outsider may decode. */
export const ALLOWED = 'contract-orders.a1b2c';
/** A namespace that only the writer may decode. */
export const FORBIDDEN = 'contract-payroll.a1b2c';
/** One beyond ASCII, which a rule names as well. */
export const ANY_SCRIPT = 'größe-注文';
/** The namespace of requests that name none. */
export const DEFAULT = 'contract-default';
/** The rule that covers {@link FORBIDDEN}. */
export const WRITERS_RULE = 'writers';
export const ORIGIN = 'https://cloud.temporal.io';
export const FOREIGN_ORIGIN = 'https://cloud.temporal.io.example.com';
export const READER_EMAIL = 'alice@example.com';
export const WORKER_NAME = 'contract-worker';

/** Limits that the suite relies on: those of Lambda. */
export const BODY_BYTES = 4_000_000;
export const MOST_PAYLOADS = 1_000;

/** The configuration that the suite expects, apart from `identity` and `keys`, which are the target's own business. */
export const CONTRACT_CONFIG = {
  defaultNamespace: DEFAULT,
  cors: { origins: [ORIGIN, 'http://localhost:8233'], credentials: false },
  failures: 'explain',
  compression: null,
  access: [
    {
      name: WRITERS_RULE,
      namespaces: ['*', ANY_SCRIPT],
      people: [{ email: 'writer@example.com' }],
      allow: ['decode', 'encode'],
    },
    {
      name: 'readers',
      namespaces: [ALLOWED],
      people: [{ email: READER_EMAIL }, { serviceToken: WORKER_NAME }],
      allow: ['decode'],
    },
  ],
  limits: { bodyBytes: BODY_BYTES, payloads: MOST_PAYLOADS },
} as const satisfies Partial<CodecServerConfig>;

/** What a test wants to be different. */
export interface ContractSetup {
  readonly config?: Partial<Omit<CodecServerConfig, 'identity' | 'keys'>>;
  /** Stands between the codec and its keys. */
  readonly keys?: (keys: KeySource) => KeySource;
  /** Sees the headers that may prove an identity, before anything else does; may throw. */
  readonly onCredentials?: (credentials: Credentials) => void;
  readonly onAudit?: (entry: AuditEntry) => void;
  readonly onBug?: (error: unknown) => void;
}

/** A running server. */
export interface ContractTarget {
  send(request: ContractRequest): Promise<ContractResponse>;
  close(): Promise<void>;
}

/** Starts servers of one kind. */
export interface TargetKind {
  readonly name: string;
  /** Whether CORS headers are to be seen on its answers. */
  readonly ownsCors: boolean;
  /**
   * Whether a gateway stands in front, which answers by itself what has no route (other methods, other
   * GETs) and what is over its own limits, and hands over paths decoded and bodies as text.
   */
  readonly behindGateway: boolean;
  /** Whether {@link start} can make a server that differs from {@link CONTRACT_CONFIG}. */
  readonly variants: boolean;
  start(setup?: ContractSetup): Promise<ContractTarget>;
}
