/**
 * How much fits into a policy. Sizes are in characters without white space, as AWS counts them; where a value is known
 * only when it is deployed, that of a long ARN is taken.
 */
import { CfnResource, Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { inPolicies, MOST_OF_A_MANAGED_POLICY } from '../config/checks/policies.ts';

/** Taken for what is known only when it is deployed: more than an ARN of a key, a topic or a bucket in any partition. */
const UNKNOWN = 'x'.repeat(110);

/**
 * Documents that AWS limits: by type of resource, the property, and the characters that AWS takes. That of policies
 * inside a role is the sum of all; the stack has one.
 */
const LIMITS: Readonly<Record<string, readonly [property: string, most: number]>> = {
  'AWS::ApiGateway::RestApi': ['policy', 8192],
  'AWS::IAM::ManagedPolicy': ['policyDocument', MOST_OF_A_MANAGED_POLICY],
  'AWS::IAM::Policy': ['policyDocument', 10_240],
  'AWS::IAM::Role': ['assumeRolePolicyDocument', 2048],
  'AWS::KMS::Key': ['keyPolicy', 32_768],
  'AWS::S3::BucketPolicy': ['policyDocument', 20_480],
  'AWS::SNS::TopicPolicy': ['policyDocument', 30_720],
};

/** The characters of a part of a template, deployed. */
export function charactersOf(value: unknown): number {
  return JSON.stringify(withoutIntrinsics(value)).length;
}

/** What CloudFormation will put in their place, in length. */
function withoutIntrinsics(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIntrinsics);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [[name, given] = ['', undefined]] = entries;
  if (entries.length === 1 && name === 'Fn::Join') {
    const [separator, parts] = given as [string, unknown[]];
    return parts.map(withoutIntrinsics).join(separator);
  }
  if (entries.length === 1 && name === 'Ref' && /^AWS::(Partition|Region|AccountId|URLSuffix)$/.test(given as string))
    return 'x'.repeat(16);
  if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::'))) return UNKNOWN;
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutIntrinsics(item)]));
}

/** Statements in as many managed policies as they need, the order kept; most need one. */
export function inDocuments(scope: IConstruct, statements: readonly PolicyStatement[]): PolicyStatement[][] {
  return inPolicies(statements, (statement) => charactersOf(Stack.of(scope).resolve(statement.toStatementJson())));
}

/** A sentence, with the fix, on each policy document under `scope` that AWS would refuse for its size. */
export function oversizedPolicies(scope: IConstruct): string[] {
  return scope.node.findAll().flatMap((construct) => {
    if (!CfnResource.isCfnResource(construct)) return [];
    const [property, most] = LIMITS[construct.cfnResourceType] ?? [];
    if (property === undefined || most === undefined) return [];
    const document = Stack.of(construct).resolve((construct as unknown as Record<string, unknown>)[property]);
    const characters = document === undefined ? 0 : charactersOf(document);
    return characters <= most
      ? []
      : [
          `${construct.node.path} (${construct.cfnResourceType}) has a policy of about ${characters} characters, and AWS takes ${most}: name fewer namespaces, by patterns such as orders-*, or serve some of them by an environment of their own.`,
        ];
  });
}
