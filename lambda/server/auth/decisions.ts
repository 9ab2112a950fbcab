/** The access decisions of one request: each namespace is decided on once, however many payloads name it. */
import type { Operation } from '../../../config/schema.ts';
import type { Caller } from './caller.ts';
import type { AccessPolicy } from './policy.ts';

/** Distinct namespaces that are decided on in one request; the payloads of more are denied. A page of the Web UI has one. */
const MOST_NAMESPACES = 50;
/** Characters of a namespace; Temporal Server takes no longer name (`limit.maxIDLength`). */
const LONGEST_NAMESPACE = 1000;

/**
 * What a caller may do in a namespace, at once where nobody has to be asked. No namespace, a name that none can
 * have, and any beyond the 50th of a request are denied.
 *
 * @param made gets every decision, for the audit line
 */
export function decisionsFor(
  caller: Caller,
  operation: Operation,
  policy: AccessPolicy,
  made: Map<string, 'allowed' | 'denied'>,
): (namespace: string | undefined) => boolean | Promise<boolean> {
  let waiting: Map<string, Promise<boolean>> | undefined;
  return (namespace) => {
    if (namespace === undefined) return false;
    const before = made.get(namespace);
    if (before !== undefined) return before === 'allowed';
    const asked = waiting?.get(namespace);
    if (asked !== undefined) return asked;
    if (namespace.length > LONGEST_NAMESPACE || made.size + (waiting?.size ?? 0) >= MOST_NAMESPACES) return false;
    const note = (allowed: boolean): boolean => {
      made.set(namespace, allowed ? 'allowed' : 'denied');
      waiting?.delete(namespace);
      return allowed;
    };
    const decision = policy.may(caller, operation, namespace);
    if (typeof decision === 'boolean') return note(decision);
    const noted = decision.then(note);
    waiting ??= new Map();
    waiting.set(namespace, noted);
    return noted;
  };
}
