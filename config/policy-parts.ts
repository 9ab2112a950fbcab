/**
 * How long lists of namespaces are spread over IAM statements, and statements over managed policies. Lengths are in
 * characters without white space, as IAM counts them.
 */

/** Characters of a managed policy: the IAM quota. */
export const MOST_OF_A_MANAGED_POLICY = 6144;

/** Managed policies that a role has attached, where nobody asked AWS for more. */
export const MOST_POLICIES_OF_A_ROLE = 10;

/** Of one statement, so that each fits into a managed policy, by the CDK's own rougher count too. */
const MOST_OF_A_STATEMENT = 5600;

/** Taken for an ARN that is known only when it is deployed, as the CDK does. */
export const UNKNOWN_ARN_CHARACTERS = 150;

/** What a statement has beside its resources and the values of its condition. */
const STATEMENT_FRAME = 300;

/** What a document has around its statements. */
const DOCUMENT_FRAME = '{"Version":"2012-10-17","Statement":[]}'.length;

/** Characters of a statement about keys beside its namespaces. */
export function besideNamespaces(keys: number): number {
  return STATEMENT_FRAME + keys * UNKNOWN_ARN_CHARACTERS;
}

/** Characters of a text in a list, quotes and comma included. */
export function characters(text: string): number {
  return JSON.stringify(text).length + 1;
}

/**
 * A list in parts that each fit into one statement, the order kept.
 *
 * @param beside characters that the statement takes beside the list
 */
export function inParts(
  list: readonly string[],
  beside: number,
  lengthOf: (item: string) => number = characters,
): string[][] {
  return packed(list, Math.max(MOST_OF_A_STATEMENT - beside, 1000), lengthOf);
}

/** Statements in as many managed policies as they need, the order kept; most need one. */
export function inPolicies<T>(statements: readonly T[], lengthOf: (statement: T) => number): T[][] {
  return packed(statements, MOST_OF_A_MANAGED_POLICY - DOCUMENT_FRAME, (statement) => lengthOf(statement) + 1);
}

/** The id of a part: the first has the one that it would have alone. */
export function partId(id: string, part: number): string {
  return part === 0 ? id : `${id}Part${part + 1}`;
}

/** Fills one part after the other; an item that is longer than the room has a part of its own. */
function packed<T>(items: readonly T[], room: number, lengthOf: (item: T) => number): T[][] {
  const parts: T[][] = [[]];
  let used = 0;
  for (const item of items) {
    const length = lengthOf(item);
    if (used + length > room && used > 0) {
      parts.push([]);
      used = 0;
    }
    parts.at(-1)?.push(item);
    used += length;
  }
  return parts;
}
