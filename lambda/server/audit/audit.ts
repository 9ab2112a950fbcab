/**
 * The audit line: one per request, what was done by whom in which namespaces. CloudTrail sees only
 * the function's role, and nothing at all on a cache hit, so this is the team's record.
 */

import type { KeyUsage } from '../../../codec/keys/key-source.ts';
import { printableJson } from '../../../config/printable.ts';
import type { Caller, RejectionReason } from '../auth/caller.ts';
import { NEEDS_NO_ESCAPES } from '../http/responses.ts';
import { loggable, type WriteLine } from './logger.ts';

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
  readonly unauthenticated: RejectionReason | undefined;
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
  /**
   * The cause of a refusal in words, for whoever runs the server on their own machine: the origin that is
   * not allowed, the key that a payload names. Never in the audit line, where strangers' words are few.
   */
  readonly cause: string | undefined;
  /** The client said that it reads in bulk: histories, and not what somebody looks at. */
  readonly bulk: boolean;
}

/** Takes the account of a request: writes it to the log, counts it in the metrics, or both. */
export interface AuditSink {
  record(entry: AuditEntry): void;
}

// What happens to a request, collected on its way for the audit line.

export class AuditRecord {
  readonly usage: KeyUsage = { keyIds: new Set(), cacheHits: 0, cacheMisses: 0 };
  /** The decisions by namespace. A map: strangers choose the names, and an object would grow slow and large by them. */
  readonly namespaces = new Map<string, 'allowed' | 'denied'>();
  readonly opened = new Set<string>();
  readonly payloads: Record<string, number> = {};
  sourceAddress: string | undefined;
  operation = 'other';
  caller: Caller | undefined;
  unauthenticated: RejectionReason | undefined;
  origin: string | undefined;
  refusedOrigin = false;
  namedNamespace: string | undefined;
  fault: string | undefined;
  cause: string | undefined;
  bulk = false;
  readonly #requestId: string;
  readonly #startedAt: number;

  /** @param startedAt milliseconds, of the clock that {@link entry} is given, too */
  constructor(requestId: string, startedAt: number) {
    this.#requestId = requestId;
    this.#startedAt = startedAt;
  }

  /** Counts payloads with an outcome. */
  count(outcome: string, payloads = 1): void {
    this.payloads[outcome] = (this.payloads[outcome] ?? 0) + payloads;
  }

  entry(status: number, now: number): AuditEntry {
    const { operation, caller, unauthenticated, origin, refusedOrigin, namedNamespace } = this;
    const { sourceAddress, namespaces, opened, payloads, fault, cause, bulk } = this;
    const { keyIds, cacheHits, cacheMisses } = this.usage;
    return {
      requestId: this.#requestId,
      operation,
      status,
      durationMs: now - this.#startedAt,
      caller,
      unauthenticated,
      origin,
      refusedOrigin,
      sourceAddress,
      namedNamespace,
      namespaces,
      opened,
      payloads,
      keyIds: keyIds.size === 0 ? [] : [...keyIds],
      cacheHits,
      cacheMisses,
      fault,
      cause,
      bulk,
    };
  }
}

// Whether a request was served, for the alarm on those that should have been and were not. A request
// that nobody could have served (no identity, not the protocol, no right) counts on neither side: many
// of them must not hide an outage.

/** Refusals of an identity that are no sign of a fault, and why; every other one counts as not served. */
const ORDINARY_REJECTIONS: ReadonlyMap<string, string> = new Map([
  ['missing', 'strangers, and people who have not signed in yet: the internet sends these all day'],
]);

/** Outcomes of payloads that are no sign of a fault; every other one is a payload that should have been opened, or written. */
const ORDINARY_OUTCOMES: ReadonlySet<string> = new Set([
  'decoded',
  'retrieved',
  'encoded',
  'stored',
  'unchanged',
  // The rules said so; `Denials` has an alarm of its own.
  'denied',
]);

/** How a request counts: answers of 5xx not at all, because the gateway counts those. */
export function servedOrNot(entry: AuditEntry): 'served' | 'not-served' | 'neither' {
  const { status, unauthenticated, payloads, refusedOrigin } = entry;
  if (status >= 500) return 'neither';
  if (unauthenticated !== undefined) return ORDINARY_REJECTIONS.has(unauthenticated) ? 'neither' : 'not-served';
  if (refusedOrigin) return 'not-served';
  for (const outcome in payloads) if (!ORDINARY_OUTCOMES.has(outcome)) return 'not-served';
  return status < 400 ? 'served' : 'neither';
}

// The line itself, JSON marked `"type":"audit"`. The fields and their order are described in
// docs/audit.md, and queries depend on them.

/** Namespaces and keys listed in one line; a request that touches more says how many it left out. */
const MAX_LISTED = 50;

/** An audit log that writes with `write`. */
export function createAuditLog(write: WriteLine): AuditSink {
  return { record: (entry) => write(auditLine(entry)) };
}

/** Records with each of several sinks. */
export function allSinks(...sinks: readonly AuditSink[]): AuditSink {
  return {
    record(entry) {
      for (const sink of sinks) sink.record(entry);
    },
  };
}

/**
 * The line of a request. Put together from pieces: what a caller is stands in thousands of lines and
 * is written once, and the rest is short.
 */
function auditLine(entry: AuditEntry): string {
  const { caller, namespaces } = entry;
  const allowed: string[] = [];
  const denied: string[] = [];
  for (const [namespace, decision] of namespaces) (decision === 'allowed' ? allowed : denied).push(namespace);
  let line = `{"type":"audit","time":"${timestamp(Date.now())}"`;
  line += `${text('requestId', entry.requestId)},"operation":"${entry.operation}"`;
  line += `,"status":${entry.status},"durationMs":${Math.round(entry.durationMs * 1000) / 1000}`;
  if (caller !== undefined) line += `,"caller":${callerJson(caller)}`;
  line += text('unauthenticated', entry.unauthenticated) + text('origin', entry.origin);
  line += text('sourceAddress', entry.sourceAddress) + text('namedNamespace', entry.namedNamespace);
  line += `,"namespaces":{"allowed":${listJson(allowed)},"denied":${listJson(denied)}}`;
  // In full: what was read is never left out, nor cut. The pipeline bounds how many there are, and how long.
  line += `,"opened":[${[...entry.opened].map(textJson).join(',')}]`;
  line += `,"payloads":${countsJson(entry.payloads)},"keyIds":${listJson(entry.keyIds)}`;
  line += `,"cacheHits":${entry.cacheHits},"cacheMisses":${entry.cacheMisses}`;
  if (entry.bulk) line += ',"bulk":true';
  return `${line}${text('fault', entry.fault)}}`;
}

/** By caller, which a verifier gives out as one object for as long as it remembers a token. */
const callers = new WeakMap<Caller, string>();

function callerJson(caller: Caller): string {
  let json = callers.get(caller);
  if (json === undefined) {
    const { method, subject, email, issuer } = caller;
    const rest = [text('subject', subject), text('email', email), text('issuer', issuer)];
    json = `{"method":${JSON.stringify(method)}${rest.join('')}}`;
    callers.set(caller, json);
  }
  return json;
}

/** A field with the comma before it; nothing where there is no value. */
function text(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${textJson(loggable(value))}`;
}

/** @param counts by outcome, whose names are ours */
function countsJson(counts: Readonly<Record<string, number>>): string {
  let json = '';
  for (const outcome in counts) json += `${json === '' ? '' : ','}"${outcome}":${counts[outcome]}`;
  return `{${json}}`;
}

function listJson(names: readonly string[]): string {
  const [only] = names;
  if (only === undefined) return '[]';
  if (names.length === 1) return `[${textJson(loggable(only))}]`;
  const list = names.slice(0, MAX_LISTED).map(loggable);
  if (names.length > MAX_LISTED) list.push(`… and ${names.length - MAX_LISTED} more`);
  return `[${list.map(textJson).join(',')}]`;
}

function textJson(value: string): string {
  return NEEDS_NO_ESCAPES.test(value) ? `"${value}"` : printableJson(value, 0);
}

let lastMs = 0;
let lastTimestamp = '';

/** ISO 8601 in UTC. Several requests end in the same millisecond, and to write it takes one microsecond. */
function timestamp(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms;
    lastTimestamp = new Date(ms).toISOString();
  }
  return lastTimestamp;
}
