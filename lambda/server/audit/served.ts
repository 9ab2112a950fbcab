/**
 * Whether a request was served, for the alarm on those that should have been and were not. A request
 * that nobody could have served (no identity, not the protocol, no right) counts on neither side: many
 * of them must not hide an outage.
 */
import type { AuditEntry } from './audit.ts';

/** Refusals of an identity that are no sign of a fault, and why; every other one counts as not served. */
export const ORDINARY_REJECTIONS: ReadonlyMap<string, string> = new Map([
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
