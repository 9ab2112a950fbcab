/**
 * The access policy: the rules of the configuration, compiled once. Pure; the only thing it may have
 * to ask is a role directory, and only when no rule decides without one.
 */

import { BoundedCache } from '../../../codec/bounded-cache.ts';
import { createNamespaceMatcher, type NamespaceMatcher } from '../../../codec/namespace-pattern.ts';
import { comparableDomain, comparableEmail } from '../../../config/email.ts';
import type { AccessRule, Operation, People } from '../../../config/schema.ts';
import type { Caller } from './caller.ts';

/**
 * Roles that somebody else keeps the record of: Temporal Cloud, for the people of an account.
 */

/** A role on a namespace, from the lowest to the highest. */
export type NamespaceRole = 'read' | 'write' | 'admin';

/** Whether `held` is at least `needed`: admin includes write, write includes read. */
function isAtLeast(held: NamespaceRole, needed: NamespaceRole): boolean {
  return RANK[held] >= RANK[needed];
}

/** The higher of two roles, either of which may be none. */
export function higherRole(a: NamespaceRole | undefined, b: NamespaceRole | undefined): NamespaceRole | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isAtLeast(a, b) ? a : b;
}

const RANK: Readonly<Record<NamespaceRole, number>> = { read: 1, write: 2, admin: 3 };

/** Answers which role a person has. */
export interface RoleDirectory {
  /**
   * The role of a person on a namespace; undefined for none. Answers at once, without a promise,
   * when it remembers.
   *
   * @param email as the token spells it; one that `comparableEmail` can compare
   * @throws IdentityUnavailableError when it can neither ask nor remember
   */
  roleOf(email: string, namespace: string): NamespaceRole | undefined | Promise<NamespaceRole | undefined>;
}

// What a caller may do in a namespace. Rules only allow; nothing that matches means no.

/** The access decision. */
export interface AccessPolicy {
  /**
   * Whether `caller` may do `operation` in `namespace`. Answers at once, without a promise, when no
   * remote role has to be asked for.
   *
   * @throws IdentityUnavailableError when the answer depends on a role that cannot be looked up now
   */
  may(caller: Caller, operation: Operation, namespace: string): boolean | Promise<boolean>;
  /**
   * The name of a rule that covers the namespace for the operation, for someone who was denied to
   * ask for; undefined when there is none. Only for principals whom some rule knows, for whatever
   * namespace: the names of a team's rules are none of a stranger's business.
   */
  ruleToAskFor(caller: Caller, operation: Operation, namespace: string): string | undefined;
}

/** What the policy may ask. */
export interface AccessPolicyDeps {
  /** Needed when a rule names a Temporal Cloud role; without it such a rule allows nobody. */
  readonly roles?: RoleDirectory;
}

/** Characters of a namespace that is remembered: hardly any is longer, and a stranger's ciphertext may name one of 64 KB. */
const MAX_REMEMBERED_LENGTH = 256;
/** Namespaces remembered for one caller; more than anyone reads, few enough to be no burden when someone tries. */
const MAX_REMEMBERED_NAMESPACES = 256;

type PrincipalTest = (caller: Caller, namespace: string) => boolean;

interface CompiledRule {
  readonly name: string;
  readonly covers: NamespaceMatcher;
  /** The principals who can be recognized by what the caller brings along. */
  readonly principals: readonly PrincipalTest[];
  /** Temporal Cloud roles that suffice, each for people of one issuer, or of any. */
  readonly roles: readonly { readonly role: NamespaceRole; readonly issuer: string | undefined }[];
  /** Whether it is about the caller, in whatever namespace; roles aside. */
  readonly knows: (caller: Caller) => boolean;
  /** Whether it is about people at all, so that somebody can ask to be added to it. */
  readonly forPeople: boolean;
}

/** What the rules say before any role is known: yes, no, or that this role would do. */
type Verdict = boolean | NamespaceRole;

/**
 * Compiles rules to a decision. Rules only allow, nothing that matches means no, and the order of
 * rules makes no difference: roles are only asked for when no rule allows without them.
 *
 * Decisions are remembered by caller object and namespace: an authenticator that gives the same
 * object for the same token makes a repeated decision one lookup, and what is remembered goes when
 * the caller does.
 */
export function createAccessPolicy(rules: readonly AccessRule[], deps: AccessPolicyDeps = {}): AccessPolicy {
  const compiled: Readonly<Record<Operation, readonly CompiledRule[]>> = {
    decode: compileRules(rules, 'decode'),
    encode: compileRules(rules, 'encode'),
  };
  const remembered = { decode: new WeakMap<Caller, Verdicts>(), encode: new WeakMap<Caller, Verdicts>() };

  function verdictOn(caller: Caller, operation: Operation, namespace: string): Verdict {
    let verdicts = remembered[operation].get(caller);
    const known = verdicts?.get(namespace);
    if (known !== undefined) return known;
    const verdict = judge(compiled[operation], caller, namespace);
    if (namespace.length > MAX_REMEMBERED_LENGTH) return verdict;
    if (verdicts === undefined) {
      verdicts = new BoundedCache(MAX_REMEMBERED_NAMESPACES);
      remembered[operation].set(caller, verdicts);
    }
    verdicts.set(namespace, verdict);
    return verdict;
  }

  const known = new WeakMap<Caller, boolean>();

  function isKnown(caller: Caller): boolean {
    let answer = known.get(caller);
    if (answer === undefined) {
      answer = [...compiled.decode, ...compiled.encode].some((rule) => rule.knows(caller));
      known.set(caller, answer);
    }
    return answer;
  }

  /** Whether a role is remembered, as one is after a decision that rested on it. Nobody is asked for the sake of a name. */
  function hasRole({ email, issuer }: Caller, namespace: string): boolean {
    const counts = [...compiled.decode, ...compiled.encode].some((rule) => rolesFor(rule, issuer).length > 0);
    if (!counts || deps.roles === undefined || email === undefined || comparableEmail(email) === undefined)
      return false;
    try {
      const role = deps.roles.roleOf(email, namespace);
      if (!(role instanceof Promise)) return role !== undefined;
      role.catch(() => {});
      return false;
    } catch {
      return false;
    }
  }

  return {
    may(caller, operation, namespace) {
      const verdict = verdictOn(caller, operation, namespace);
      if (typeof verdict === 'boolean') return verdict;
      const { email } = caller;
      if (deps.roles === undefined || email === undefined || comparableEmail(email) === undefined) return false;
      const role = deps.roles.roleOf(email, namespace);
      return role instanceof Promise ? role.then((held) => suffices(held, verdict)) : suffices(role, verdict);
    },
    ruleToAskFor(caller, operation, namespace) {
      if (!isKnown(caller) && !hasRole(caller, namespace)) return undefined;
      return compiled[operation].find((rule) => rule.forPeople && rule.covers(namespace))?.name;
    },
  };
}

/** By namespace. */
type Verdicts = BoundedCache<Verdict>;

function suffices(held: NamespaceRole | undefined, needed: NamespaceRole): boolean {
  return held !== undefined && isAtLeast(held, needed);
}

function judge(rules: readonly CompiledRule[], caller: Caller, namespace: string): Verdict {
  let verdict: Verdict = false;
  for (const rule of rules) {
    if (!rule.covers(namespace)) continue;
    if (rule.principals.some((matches) => matches(caller, namespace))) return true;
    // Roles are the Temporal Cloud account's: a service token or a nobody on loopback has none to ask for.
    if (caller.email === undefined) continue;
    for (const role of rolesFor(rule, caller.issuer)) if (verdict === false || isAtLeast(verdict, role)) verdict = role;
  }
  return verdict;
}

/** The roles that count for people of an issuer. */
function rolesFor({ roles }: CompiledRule, issuer: string | undefined): NamespaceRole[] {
  return roles.filter((it) => it.issuer === undefined || it.issuer === issuer).map(({ role }) => role);
}

function compileRules(rules: readonly AccessRule[], operation: Operation): CompiledRule[] {
  return rules.filter((rule) => rule.allow.includes(operation)).map(compileRule);
}

function compileRule(rule: AccessRule): CompiledRule {
  const principals: PrincipalTest[] = [];
  const known: ((caller: Caller) => boolean)[] = [];
  const roles: { readonly role: NamespaceRole; readonly issuer: string | undefined }[] = [];
  for (const entry of rule.people) {
    if (typeof entry === 'object' && 'temporalCloudRole' in entry) {
      roles.push({ role: entry.temporalCloudRole, issuer: entry.issuer });
    } else {
      const test = principalTest(entry);
      principals.push(test);
      known.push(typeof entry === 'object' && 'claim' in entry ? claimKnower(entry) : (caller) => test(caller, ''));
    }
  }
  return {
    name: rule.name,
    covers: createNamespaceMatcher(rule.namespaces),
    principals,
    roles,
    knows: (caller) => known.some((knows) => knows(caller)),
    forPeople: rule.people.some((entry) => typeof entry === 'object' && !('serviceToken' in entry)),
  };
}

function principalTest(principal: Exclude<People, { readonly temporalCloudRole: unknown }>): PrincipalTest {
  if (principal === 'anyone-on-loopback') return (caller) => caller.method === 'loopback';
  if ('serviceToken' in principal) return serviceTokenTest(principal.serviceToken);
  if ('email' in principal) return ofIssuer(principal.issuer, emailTest(principal.email));
  if ('emailDomain' in principal) return ofIssuer(principal.issuer, domainTest(principal.emailDomain));
  return claimTest(principal);
}

/** Only for callers whose identity that issuer vouches for; undefined: any of the configuration's. */
function ofIssuer(issuer: string | undefined, test: PrincipalTest): PrincipalTest {
  return issuer === undefined ? test : (caller, namespace) => caller.issuer === issuer && test(caller, namespace);
}

/** Whether a claim is one that the rule asks for, for some namespace. */
function claimKnower(principal: Extract<People, { readonly claim: string }>): (caller: Caller) => boolean {
  const { claim, issuer } = principal;
  const pieces = principal.includes.split(NAMESPACE_PLACEHOLDER);
  const [first = '', last = ''] = [pieces[0], pieces[pieces.length - 1]];
  const fits = (value: unknown): boolean =>
    typeof value === 'string' &&
    (pieces.length === 1 ? value === first : value.startsWith(first) && value.endsWith(last) && value !== first + last);
  return (caller) => {
    if (issuer !== undefined && caller.issuer !== issuer) return false;
    return Object.hasOwn(caller.claims, claim) && [caller.claims[claim]].flat().some(fits);
  };
}

function serviceTokenTest(name: string): PrincipalTest {
  return (caller) => caller.method === 'service-token' && caller.subject === name;
}

function emailTest(email: string): PrincipalTest {
  const wanted = comparableEmail(email);
  if (wanted === undefined) return () => false;
  return (caller) => caller.email !== undefined && comparableEmail(caller.email) === wanted;
}

/** A domain as DNS has it; an international one in its `xn--` form. */
const ASCII_DOMAIN = /^[0-9A-Za-z.-]+$/;

function domainTest(domain: string): PrincipalTest {
  if (!ASCII_DOMAIN.test(domain)) return () => false;
  const wanted = domain.toLowerCase();
  return (caller) => caller.email !== undefined && comparableDomain(caller.email) === wanted;
}

const NAMESPACE_PLACEHOLDER = '{namespace}';

function claimTest(principal: {
  readonly claim: string;
  readonly includes: string;
  readonly issuer?: string;
}): PrincipalTest {
  const { claim, issuer } = principal;
  const pieces = principal.includes.split(NAMESPACE_PLACEHOLDER);
  return (caller, namespace) => {
    if (caller.method !== 'token' && caller.method !== 'session') return false;
    if (issuer !== undefined && caller.issuer !== issuer) return false;
    if (!Object.hasOwn(caller.claims, claim)) return false;
    const wanted = pieces.length === 1 ? principal.includes : pieces.join(namespace);
    const value = caller.claims[claim];
    return Array.isArray(value) ? value.includes(wanted) : value === wanted;
  };
}

// The access decisions of one request: each namespace is decided on once, however many payloads name it.

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
