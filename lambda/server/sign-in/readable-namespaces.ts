/** Which namespaces somebody may read, in the words of the rules: for people, where the policy itself decides one at a time. */
import type { AccessRule, People } from '../../../config/schema.ts';
import type { Caller } from '../auth/caller.ts';
import { createAccessPolicy } from '../auth/policy.ts';

// The claims that a session keeps: those that a rule asks for, and of lists only the values that a
// rule can match. A person of 150 groups fits into a cookie, and what nobody asks for is not carried around.

type ClaimPrincipal = Extract<People, { readonly claim: string }>;

const NAMESPACE_PLACEHOLDER = '{namespace}';

/** The rules' claims, each with the texts that are looked for in it. */
export function claimsOfRules(access: readonly AccessRule[]): ReadonlyMap<string, readonly string[]> {
  const wanted = new Map<string, string[]>();
  for (const principal of access.flatMap((rule) => rule.people)) {
    if (typeof principal !== 'object' || !('claim' in principal)) continue;
    const { claim, includes }: ClaimPrincipal = principal;
    wanted.set(claim, [...(wanted.get(claim) ?? []), includes]);
  }
  return wanted;
}

/** What is kept of verified claims. */
export function keptClaims(
  claims: Readonly<Record<string, unknown>>,
  wanted: ReadonlyMap<string, readonly string[]>,
): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [claim, texts] of wanted) {
    if (!Object.hasOwn(claims, claim)) continue;
    const value = claims[claim];
    const canMatch = (item: unknown): boolean => texts.some((text) => valueCanMatch(item, text));
    if (Array.isArray(value)) {
      const matching = value.filter(canMatch);
      if (matching.length > 0) kept[claim] = matching;
    } else if (canMatch(value)) kept[claim] = value;
  }
  return kept;
}

function valueCanMatch(value: unknown, includes: string): boolean {
  return typeof value === 'string' && namespacesIn(value, includes) !== undefined;
}

/**
 * The namespace that a claim's value stands for where `includes` has `{namespace}` once; `'*'` where
 * the value is equal to an `includes` without it; undefined when they do not match. A placeholder that
 * occurs more often is tried with what the first one would stand for.
 */
function namespacesIn(value: string, includes: string): string | undefined {
  const pieces = includes.split(NAMESPACE_PLACEHOLDER);
  if (pieces.length === 1) return value === includes ? '*' : undefined;
  const [before = ''] = pieces;
  const fixed = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const length = (value.length - fixed) / (pieces.length - 1);
  if (!Number.isInteger(length) || length < 1 || !value.startsWith(before)) return undefined;
  const namespace = value.slice(before.length, before.length + length);
  return pieces.join(namespace) === value ? namespace : undefined;
}

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
  for (const principal of rule.people) {
    // The policy itself is asked, with this entry alone; roles are asked of Temporal Cloud, per namespace.
    const policy = createAccessPolicy([{ ...rule, people: [principal] }]);
    const may = (namespace: string): boolean => policy.may(caller, 'decode', namespace) === true;
    if (typeof principal === 'object' && 'temporalCloudRole' in principal) {
      if (caller.email === undefined || (principal.issuer ?? caller.issuer) !== caller.issuer) continue;
      for (const pattern of rule.namespaces) add(pattern, principal.temporalCloudRole);
    } else if (typeof principal === 'object' && 'claim' in principal && principal.includes.includes('{namespace}')) {
      const values = Object.hasOwn(caller.claims, principal.claim) ? [caller.claims[principal.claim]].flat() : [];
      for (const value of values) {
        const namespace = typeof value === 'string' ? namespacesIn(value, principal.includes) : undefined;
        if (namespace !== undefined && may(namespace)) add(namespace);
      }
    } else {
      for (const pattern of rule.namespaces) if (may(pattern.replaceAll('*', 'x'))) add(pattern);
    }
  }
  return found;
}
