/**
 * Who may use which key for which namespaces, as IAM statements: for the function what it is
 * configured to do and no more, for workers writing and reading.
 */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { AccessRule, ForeignKmsFormat, KmsKeyConfig } from '../config/schema.ts';
import { allowForNamespaces } from './namespace-condition.ts';

/** Statements for a set of KMS entries. */
export interface KeyPermissionsProps {
  readonly entries: readonly KmsKeyConfig[];
  /** ARN of the key that the stack makes; undefined when no entry asks for it. */
  readonly createdKeyArn: string | undefined;
  /** Whether new data keys may be made, beside old ones unwrapped. */
  readonly writing: boolean;
}

/**
 * The statements that allow exactly what the entries say. Keys behind an assumed role are that
 * role's matter: here the only right is to assume it.
 */
export function keyStatements({ entries, createdKeyArn, writing }: KeyPermissionsProps): PolicyStatement[] {
  return entries.flatMap((entry, index) => {
    if (entry.assumeRole !== undefined) return [assumeRole(index, entry.assumeRole)];
    const write = writeKeyArn(entry, createdKeyArn);
    const readable = [...new Set([...(write === undefined ? [] : [write]), ...(entry.read ?? [])])];
    const statements: PolicyStatement[] = [];
    if (readable.length > 0) {
      statements.push(allowForNamespaces(`Read${index}`, ['kms:Decrypt'], readable, entry.namespaces));
    }
    statements.push(...foreignStatements(index, entry));
    if (writing && write !== undefined) {
      statements.push(allowForNamespaces(`Write${index}`, ['kms:GenerateDataKey'], [write], entry.namespaces));
    }
    return statements;
  });
}

/** Whether any rule lets anybody encode; while none does, the function cannot make a data key. */
export function anybodyEncodes(rules: readonly AccessRule[]): boolean {
  return rules.some((rule) => rule.allow.includes('encode'));
}

/**
 * The encryption context of each foreign format. Those that bind no namespace are allowed without any
 * context alone (but for the public key that a signed message carries): a message of ours never opens that way.
 */
function foreignCondition(format: ForeignKmsFormat, namespaces: readonly string[]): Record<string, unknown> {
  const bound = { 'kms:EncryptionContext:namespace': [...namespaces] };
  switch (format) {
    case 'temporal-cloud-proxy':
      return { StringLike: bound, StringEquals: { 'kms:EncryptionContext:purpose': 'encryption-key-auth' } };
    case 'stdgo':
      return { StringLike: bound };
    case 'temporal-proxy':
    case 'kms-python-sample':
    case 'kms-java-sample':
      return { 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['aws-crypto-public-key'] } };
  }
}

/** Unwrapping for foreign formats, with the keys that are named: the key of the stack has never seen one. */
function foreignStatements(index: number, { write, read = [], namespaces, foreignFormats = [] }: KmsKeyConfig) {
  const named = [...new Set([write, ...read].filter((arn) => arn !== null && arn !== 'created-by-stack'))];
  if (named.length === 0) return [];
  const conditions = foreignFormats.map((format) => JSON.stringify(foreignCondition(format, namespaces)));
  return [...new Set(conditions)].map(
    (condition, at) =>
      new PolicyStatement({
        sid: `ReadForeign${index}${String.fromCharCode(65 + at)}`,
        actions: ['kms:Decrypt'],
        resources: named as string[],
        conditions: JSON.parse(condition) as Record<string, unknown>,
      }),
  );
}

/** The ARN of the key that an entry writes with; undefined when it only reads. */
function writeKeyArn(entry: KmsKeyConfig, createdKeyArn: string | undefined): string | undefined {
  if (entry.write === null) return undefined;
  return entry.write === 'created-by-stack' ? createdKeyArn : entry.write;
}

function assumeRole(index: number, roleArn: string): PolicyStatement {
  return new PolicyStatement({ sid: `AssumeRole${index}`, actions: ['sts:AssumeRole'], resources: [roleArn] });
}
