/**
 * Who may use which key for which namespaces, as IAM statements: what the configuration says and no more.
 *
 * The function may make data keys also where no rule lets anybody encode: `/readyz` proves with one
 * that the key can be used, and whoever may unwrap a data key could write under it anyway.
 */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { besideNamespaces, inParts, partId } from '../config/checks/policies.ts';
import type { ForeignKmsFormat, KeyUriContext, KmsKeyConfig } from '../config/schema.ts';
import { NAMESPACE_CONDITION_KEY } from './names.ts';

// IAM's side of "which key serves which namespaces": a statement about a KMS key holds only for
// calls whose encryption context names one of the namespaces.

/**
 * A namespace as a condition has it: `*` means the same there, and the other characters that IAM reads as more than
 * themselves are written so that they do not: `?` would cover a neighbor's name, and a policy variable whatever it holds.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html (special characters)
 */
function inCondition(pattern: string): string {
  return pattern.replace(/[?$]/g, (character) => `\${${character}}`);
}

/**
 * Allows `actions` with `keyArns` for data that is bound to one of `namespaces`, and for no other: by one statement, or
 * by several where so many namespaces do not fit into one.
 */
function allowForNamespaces(
  sid: string,
  actions: readonly string[],
  keyArns: readonly string[],
  namespaces: readonly string[],
): PolicyStatement[] {
  return inParts(namespaces.map(inCondition), besideNamespaces(keyArns.length)).map((part, index) => {
    const operator = part.some((name) => name.includes('*')) ? 'StringLike' : 'StringEquals';
    return new PolicyStatement({
      sid: partId(sid, index),
      actions: [...actions],
      resources: [...keyArns],
      conditions: { [operator]: { [NAMESPACE_CONDITION_KEY]: part } },
    });
  });
}

/** Statements for a set of KMS entries. */
export interface KeyPermissionsProps {
  readonly entries: readonly KmsKeyConfig[];
  /** ARN of the key that the stack makes; undefined when no entry asks for it. */
  readonly createdKeyArn: string | undefined;
}

/**
 * The statements that allow exactly what the entries say. Keys behind an assumed role are that
 * role's matter: here the only right is to assume it.
 */
export function keyStatements({ entries, createdKeyArn }: KeyPermissionsProps): PolicyStatement[] {
  return entries.flatMap((entry, index) => {
    const { assumeRole } = entry;
    if (assumeRole !== undefined)
      return [new PolicyStatement({ sid: `AssumeRole${index}`, actions: ['sts:AssumeRole'], resources: [assumeRole] })];
    const write = entry.write === 'created-by-stack' ? createdKeyArn : (entry.write ?? undefined);
    const readable = [...new Set([...(write === undefined ? [] : [write]), ...(entry.read ?? [])])];
    const statements: PolicyStatement[] = [];
    if (readable.length > 0) {
      statements.push(...allowForNamespaces(`Read${index}`, ['kms:Decrypt'], readable, entry.namespaces));
    }
    statements.push(...foreignStatements(index, entry));
    if (write !== undefined) {
      statements.push(...allowForNamespaces(`Write${index}`, ['kms:GenerateDataKey'], [write], entry.namespaces));
    }
    return statements;
  });
}

/**
 * The encryption contexts of each foreign format. Those that bind no namespace are allowed without any
 * context alone (but for the public key that a signed message carries): a message of ours never opens that way.
 */
function foreignConditions(
  format: ForeignKmsFormat,
  { namespaces, keyUriContexts = [] }: KmsKeyConfig,
  keyArns: readonly string[],
): Record<string, unknown>[] {
  const bound = () =>
    inParts(namespaces.map(inCondition), besideNamespaces(keyArns.length)).map((part) => ({
      'kms:EncryptionContext:namespace': part,
    }));
  switch (format) {
    case 'temporal-cloud-proxy':
      return bound().map((part) => ({
        StringLike: part,
        StringEquals: { 'kms:EncryptionContext:purpose': 'encryption-key-auth' },
      }));
    case 'stdgo':
      return bound().map((part) => ({ StringLike: part }));
    case 'temporal-proxy':
      return [WITHOUT_CONTEXT, ...keyUriContexts.map(exactly)];
    case 'kms-python-sample':
      return [WITHOUT_CONTEXT];
    case 'kms-java-sample':
      return [WITHOUT_OTHER_CONTEXT];
  }
}

/** What the Java sample writes where its context is not empty, beside the public key. */
const WITHOUT_OTHER_CONTEXT = {
  'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['aws-crypto-public-key', 'signature'] },
};

const WITHOUT_CONTEXT = { 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['aws-crypto-public-key'] } };

/** Exactly the pairs of a context, and no other key beside them. */
function exactly(context: KeyUriContext): Record<string, unknown> {
  const pairs = Object.entries(context).map(([key, value]) => [`kms:EncryptionContext:${key}`, inCondition(value)]);
  return {
    StringEquals: Object.fromEntries(pairs),
    'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': Object.keys(context) },
  };
}

/** Unwrapping for foreign formats, with the keys that are named: the key of the stack has never seen one. */
function foreignStatements(index: number, entry: KmsKeyConfig): PolicyStatement[] {
  const { write, read = [], foreignFormats = [] } = entry;
  const named = [...new Set([write, ...read])].filter(
    (arn): arn is string => arn !== null && arn !== 'created-by-stack',
  );
  if (named.length === 0) return [];
  const conditions = foreignFormats.flatMap((format) =>
    foreignConditions(format, entry, named).map((condition) => JSON.stringify(condition)),
  );
  return [...new Set(conditions)].map(
    (condition, at) =>
      new PolicyStatement({
        sid: `ReadForeign${index}${letters(at)}`,
        actions: ['kms:Decrypt'],
        resources: named,
        conditions: JSON.parse(condition) as Record<string, unknown>,
      }),
  );
}

/** A to Z, then AA, AB, …: an id of a statement takes letters and digits. */
function letters(at: number): string {
  return (at < 26 ? '' : letters(Math.floor(at / 26) - 1)) + String.fromCharCode(65 + (at % 26));
}
