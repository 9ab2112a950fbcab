/**
 * IAM's side of "which key serves which namespaces": a statement about a KMS key holds only for
 * calls whose encryption context names one of the namespaces.
 */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { NAMESPACE_CONDITION_KEY } from './names.ts';

/** The condition that the encryption context names one of `namespaces`, in which `*` stands for any run of characters. */
export function namespaceCondition(namespaces: readonly string[]): Record<string, Record<string, string[]>> {
  const operator = namespaces.some((name) => name.includes('*')) ? 'StringLike' : 'StringEquals';
  return { [operator]: { [NAMESPACE_CONDITION_KEY]: [...namespaces] } };
}

/** Allows `actions` with `keyArns` for data that is bound to one of `namespaces`, and for no other. */
export function allowForNamespaces(
  sid: string,
  actions: readonly string[],
  keyArns: readonly string[],
  namespaces: readonly string[],
): PolicyStatement {
  return new PolicyStatement({
    sid,
    actions: [...actions],
    resources: [...keyArns],
    conditions: namespaceCondition(namespaces),
  });
}
