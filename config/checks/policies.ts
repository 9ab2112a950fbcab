/** Whether the rights of a worker of all namespaces can be attached to a role: AWS would say so only at the deployment. */
import {
  besideNamespaces,
  characters,
  inParts,
  inPolicies,
  MOST_POLICIES_OF_A_ROLE,
  UNKNOWN_ARN_CHARACTERS,
} from '../policy-parts.ts';
import type { Problem } from '../problem.ts';
import type { CodecServerConfig, KmsKeyConfig, StorageBucketConfig } from '../schema.ts';

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
  const beside = besideNamespaces(readable);
  const once = inParts(namespaces, beside).map((part) => beside + sum(part.map(characters)));
  return Array.from({ length: times }, () => once).flat();
}

/** Characters of each statement about the objects of a bucket. */
function lengthsOfBucket({ bucket, namespaces }: StorageBucketConfig): number[] {
  const beside = besideNamespaces(1);
  const lengthOf = (name: string) =>
    bucket === 'created-by-stack'
      ? UNKNOWN_ARN_CHARACTERS + 2
      : characters(`arn:aws-us-gov:s3:::${bucket}${PREFIX}${encodeURIComponent(name)}`);
  return inParts(namespaces, beside, lengthOf).map((part) => beside + sum(part.map(lengthOf)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, it) => total + it, 0);
}
