/**
 * Roles that somebody else keeps the record of: Temporal Cloud, for the people of an account.
 */

/** A role on a namespace, from the lowest to the highest. */
export type NamespaceRole = 'read' | 'write' | 'admin';

/** Whether `held` is at least `needed`: admin includes write, write includes read. */
export function isAtLeast(held: NamespaceRole, needed: NamespaceRole): boolean {
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
