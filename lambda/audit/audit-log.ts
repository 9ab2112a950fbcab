/**
 * The audit log: one JSON line per request, marked `"type":"audit"`. The fields and their order are
 * described in docs/audit.md, and queries depend on them.
 */
import type { AuditEntry, AuditSink } from './audit.ts';
import type { WriteLine } from './logger.ts';
import { loggable } from './text.ts';

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

/** The line of a request. */
export function auditLine(entry: AuditEntry): string {
  const { caller } = entry;
  const allowed: string[] = [];
  const denied: string[] = [];
  for (const namespace in entry.namespaces) {
    const list = entry.namespaces[namespace] === 'allowed' ? allowed : denied;
    list.push(namespace);
  }
  return JSON.stringify({
    type: 'audit',
    time: new Date().toISOString(),
    requestId: loggable(entry.requestId),
    operation: entry.operation,
    status: entry.status,
    durationMs: Math.round(entry.durationMs * 1000) / 1000,
    caller: caller && {
      method: caller.method,
      subject: loggable(caller.subject),
      email: optional(caller.email),
      issuer: optional(caller.issuer),
    },
    unauthenticated: entry.unauthenticated,
    origin: optional(entry.origin),
    namedNamespace: optional(entry.namedNamespace),
    namespaces: { allowed: listed(allowed), denied: listed(denied) },
    payloads: entry.payloads,
    keyIds: listed(entry.keyIds),
    cacheHits: entry.cacheHits,
    cacheMisses: entry.cacheMisses,
    fault: entry.fault,
  });
}

function optional(text: string | undefined): string | undefined {
  return text === undefined ? undefined : loggable(text);
}

function listed(names: readonly string[]): string[] {
  const list = names.slice(0, MAX_LISTED).map(loggable);
  if (names.length > MAX_LISTED) list.push(`… and ${names.length - MAX_LISTED} more`);
  return list;
}
