/** Which namespaces somebody may read, in the words of the rules: for people, where the policy itself decides one at a time. */
import type { AccessRule } from '../../../config/schema.ts';
import type { Caller } from '../auth/caller.ts';
import { createAccessPolicy } from '../auth/policy.ts';
import { namespacesIn } from './kept-claims.ts';

/** A pattern of namespaces that somebody may read. */
export interface ReadableNamespaces {
  /** With `*` for any run of characters. */
  readonly pattern: string;
  readonly rule: string;
  /** The Temporal Cloud role that it takes on the namespace itself; undefined when nothing more is needed. */
  readonly role: 'read' | 'write' | 'admin' | undefined;
}

/** Every pattern, in the order of the rules. */
export function readableNamespaces(caller: Caller, access: readonly AccessRule[]): ReadableNamespaces[] {
  const all = access.filter(({ allow }) => allow.includes('decode')).flatMap((rule) => readableBy(caller, rule));
  const seen = new Set<string>();
  return all.filter(({ pattern, role }) => {
    const key = `${role ?? ''} ${pattern}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function readableBy(caller: Caller, rule: AccessRule): ReadableNamespaces[] {
  const found: ReadableNamespaces[] = [];
  const add = (pattern: string, role?: ReadableNamespaces['role']): void =>
    void found.push({ pattern, rule: rule.name, role });
  for (const people of rule.people) {
    // The policy itself is asked, with this entry alone; roles are asked of Temporal Cloud, per namespace.
    const policy = createAccessPolicy([{ ...rule, people: [people] }]);
    const may = (namespace: string): boolean => policy.may(caller, 'decode', namespace) === true;
    if (typeof people === 'object' && 'temporalCloudRole' in people) {
      if (caller.email === undefined || (people.issuer ?? caller.issuer) !== caller.issuer) continue;
      for (const pattern of rule.namespaces) add(pattern, people.temporalCloudRole);
    } else if (typeof people === 'object' && 'claim' in people && people.includes.includes('{namespace}')) {
      const values = Object.hasOwn(caller.claims, people.claim) ? [caller.claims[people.claim]].flat() : [];
      for (const value of values) {
        const namespace = typeof value === 'string' ? namespacesIn(value, people.includes) : undefined;
        if (namespace !== undefined && may(namespace)) add(namespace);
      }
    } else {
      for (const pattern of rule.namespaces) if (may(pattern.replaceAll('*', 'x'))) add(pattern);
    }
  }
  return found;
}
