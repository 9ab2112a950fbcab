/** An audit entry of an ordinary request, for tests to change, and the line that the log makes of one. */
import type { AuditEntry } from '../../lambda/server/audit/audit.ts';
import { createAuditLog } from '../../lambda/server/audit/audit.ts';
import { person } from './callers.ts';

export function auditEntry(change: Partial<AuditEntry> = {}): AuditEntry {
  return {
    requestId: 'request-1',
    operation: 'decode',
    status: 200,
    durationMs: 1.23456,
    caller: person('alice@acme.com'),
    unauthenticated: undefined,
    origin: 'https://cloud.temporal.io',
    refusedOrigin: false,
    cause: undefined,
    sourceAddress: '203.0.113.7',
    namedNamespace: 'orders',
    namespaces: new Map([['orders', 'allowed']]),
    opened: new Set(['orders']),
    payloads: { decoded: 1 },
    keyIds: ['keyring/a'],
    cacheHits: 1,
    cacheMisses: 0,
    fault: undefined,
    bulk: false,
    ...change,
  };
}

/** The line that the audit log writes about a request. */
export function auditLine(entry: AuditEntry): string {
  const lines: string[] = [];
  createAuditLog((line) => lines.push(line)).record(entry);
  return lines.join('');
}
