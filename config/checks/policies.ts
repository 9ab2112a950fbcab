/**
 * Whether the rights of a worker of all namespaces can be attached to a role: AWS would say so only at the deployment. And
 * how long lists of namespaces are spread over IAM statements, and statements over managed policies. Lengths are in
 * characters without white space, as IAM counts them.
 */
import type { Problem } from '../problem.ts';
import type { CodecServerConfig, KmsKeyConfig, StorageBucketConfig } from '../schema.ts';

/** Characters of a managed policy: the IAM quota. */
export const MOST_OF_A_MANAGED_POLICY = 6144;

/** Managed policies that a role has attached, where nobody asked AWS for more. */
const MOST_POLICIES_OF_A_ROLE = 10;

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

/** Formats whose right names the namespaces once more. */
const NAMING_FORMATS: readonly string[] = ['temporal-cloud-proxy', 'stdgo'];

/** The prefix of a namespace in a bucket, without its name. */
const PREFIX = '/object/v0/ns//*';

/** The problem of a configuration whose statements no role takes. The function's role has the same and its inline policy. */
export function checkPolicies(config: Pick<CodecServerConfig, 'keys' | 'storage'>): Problem[] {
  const policies = policiesOfWorkers(config);
  if (policies <= MOST_POLICIES_OF_A_ROLE) return [];
  const count = new Set((config.keys.kms ?? []).flatMap(({ namespaces }) => namespaces)).size;
  const message = `the rights for ${count} namespaces need about ${policies} managed policies, and IAM attaches ${MOST_POLICIES_OF_A_ROLE} to a role: put namespaces of one key into one entry, write patterns such as orders-*.a1b2c, or serve some of the namespaces by an environment of their own.`;
  return [{ path: 'keys.kms', message }];
}

/** Managed policies that a worker of all namespaces needs at most. */
export function policiesOfWorkers({ keys, storage }: Pick<CodecServerConfig, 'keys' | 'storage'>): number {
  const lengths = [...(keys.kms ?? []).flatMap(lengthsOfKeys), ...(storage?.buckets ?? []).flatMap(lengthsOfBucket)];
  return inPolicies(lengths, (length) => length).length;
}

/** Characters of each statement about the keys of an entry. */
function lengthsOfKeys({ namespaces, write, read = [], assumeRole, foreignFormats = [] }: KmsKeyConfig): number[] {
  if (assumeRole !== undefined) return [besideNamespaces(1)];
  const readable = read.length + (write === null ? 0 : 1);
  const times = 1 + (write === null ? 0 : 1) + foreignFormats.filter((it) => NAMING_FORMATS.includes(it)).length;
  const once = lengthsInParts(namespaces, besideNamespaces(readable), characters);
  return Array.from({ length: times }, () => once).flat();
}

/** Characters of each statement about the objects of a bucket. */
function lengthsOfBucket({ bucket, namespaces }: StorageBucketConfig): number[] {
  const lengthOf = (name: string) =>
    bucket === 'created-by-stack'
      ? UNKNOWN_ARN_CHARACTERS + 2
      : characters(`arn:aws-us-gov:s3:::${bucket}${PREFIX}${encodeURIComponent(name)}`);
  return lengthsInParts(namespaces, besideNamespaces(1), lengthOf);
}

/** Characters of each of the statements that a list needs. */
function lengthsInParts(list: readonly string[], beside: number, lengthOf: (item: string) => number): number[] {
  return inParts(list, beside, lengthOf).map((part) => part.reduce((sum, item) => sum + lengthOf(item), beside));
}
