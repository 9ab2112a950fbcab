/**
 * What is wrong with the keys of a configuration, wherever it runs. What only a deployment to AWS
 * must fulfill is in `deployment.ts`.
 */
import { parseArnOf } from '../../codec/keys/arn.ts';
import { findUnsafeForeignUses } from '../../codec/keys/kms/foreign-formats.ts';
import { parseKeyArn } from '../../codec/keys/kms/key-arn.ts';
import { createNamespaceMatcher, matchesNamespace, overlaps } from '../../codec/namespace-pattern.ts';
import type { Place } from '../environment.ts';
import { isWhole, PLACEHOLDER, type Problem } from '../problem.ts';
import type { AccessRule, CodecServerConfig, DataKeyCacheConfig, KeysConfig, KmsKeyConfig } from '../schema.ts';

/** The parts of a configuration that decide about keys. */
export type KeysOfConfig = Pick<CodecServerConfig, 'keys' | 'access' | 'defaultNamespace'>;

const ROLE = /^role\/[\w+=,.@/-]+$/;

/**
 * All problems with keys.
 *
 * @param place where the configuration runs: only on AWS is there a stack that makes keys
 */
export function checkKeys(config: KeysOfConfig, place: Place): Problem[] {
  const kms = config.keys.kms ?? [];
  return [
    ...kms.flatMap((entry, index) => checkEntry(entry, `keys.kms[${index}]`, place)),
    ...checkShadowed(kms),
    ...checkKeyringSecret(config.keys, place),
    ...checkRoles(kms),
    ...unsafeForeignFormats(kms),
    ...checkServed(config),
    ...checkCache(config.keys.cache),
  ];
}

/** Formats that bind a payload to no namespace, under a key that serves several. */
export function unsafeForeignFormats(kms: readonly KmsKeyConfig[]): Problem[] {
  return findUnsafeForeignUses(kms).map(({ index, field, message }) => ({
    path: `keys.kms[${index}].${field}`,
    message,
  }));
}

function checkEntry(entry: KmsKeyConfig, path: string, place: Place): Problem[] {
  const { namespaces, write, read = [], assumeRole } = entry;
  const problems: Problem[] = [];
  if (namespaces.length === 0)
    problems.push({
      path: `${path}.namespaces`,
      message: "it serves no namespace: name some, or write ['*'] for all.",
    });
  if (write === null && read.length === 0)
    problems.push({ path, message: 'it names no key at all: give it write, read or both.' });
  if (write === 'created-by-stack') {
    if (place === 'local')
      problems.push({ path: `${path}.write`, message: 'no stack makes a key here: write the ARN of a key.' });
    if (assumeRole !== undefined)
      problems.push({
        path: `${path}.assumeRole`,
        message:
          'the key that the stack makes is used without a role: put the keys of the other account in an entry of their own.',
      });
  } else if (write !== null) problems.push(...checkKeyArn(write, `${path}.write`));
  for (const [index, arn] of read.entries()) {
    problems.push(...checkKeyArn(arn, `${path}.read[${index}]`));
    const first = arn === write ? `${path}.write` : `${path}.read[${read.indexOf(arn)}]`;
    if (first !== `${path}.read[${index}]`)
      problems.push({ path: `${path}.read[${index}]`, message: `the same key as ${first}: remove it here.` });
  }
  if (assumeRole !== undefined && !isRole(assumeRole) && !PLACEHOLDER.test(assumeRole))
    problems.push({
      path: `${path}.assumeRole`,
      message: 'expected the ARN of a role, such as arn:aws:iam::111122223333:role/codec-keys.',
    });
  return problems;
}

function isRole(text: string): boolean {
  const arn = parseArnOf('iam', text);
  return arn?.region === '' && ROLE.test(arn.resource);
}

function checkKeyArn(text: string, path: string): Problem[] {
  if (parseKeyArn(text) !== undefined || PLACEHOLDER.test(text)) return [];
  const isAlias = text.startsWith('alias/') || /:alias\//.test(text);
  const hint = isAlias
    ? ' An alias can be moved to another key, and messages name the key itself: aws kms describe-key --key-id <alias> says its ARN.'
    : '';
  return [
    {
      path,
      message: `${JSON.stringify(text)} is not an ARN of a KMS key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab.${hint}`,
    },
  ];
}

function checkKeyringSecret({ keyringSecret }: KeysConfig, place: Place): Problem[] {
  if (!keyringSecret) return [];
  const { secret, namespaces } = keyringSecret;
  const path = 'keys.keyringSecret';
  return [
    ...(namespaces.length > 0 ? [] : [{ path: `${path}.namespaces`, message: 'it serves no namespace: name some.' }]),
    ...(secret === 'created-by-stack' && place === 'local'
      ? [{ path: `${path}.secret`, message: "no stack makes a secret here: write { arn: '…' }." }]
      : []),
  ];
}

/** A key that never writes, since entries before it cover all that it is for. */
function checkShadowed(kms: readonly KmsKeyConfig[]): Problem[] {
  return kms.flatMap((entry, index) => {
    if (entry.write === null || entry.namespaces.length === 0) return [];
    const before = kms.slice(0, index).flatMap((it) => it.namespaces);
    // A pattern taken as a name is covered by every pattern that covers all it stands for.
    const shadowed = entry.namespaces.every((pattern) => before.some((earlier) => matchesNamespace(earlier, pattern)));
    if (!shadowed) return [];
    const message =
      'this key never writes, since entries before it cover its namespaces and the first one writes: move the entry up, or the key to read.';
    return [{ path: `keys.kms[${index}].write`, message }];
  });
}

/** One key, two ways to it: which one is taken would depend on the namespace. */
function checkRoles(kms: readonly KmsKeyConfig[]): Problem[] {
  const seen = new Map<string, { readonly path: string; readonly role: string | undefined }>();
  return kms.flatMap((entry, index) => {
    const problems: Problem[] = [];
    for (const arn of new Set([entry.write, ...(entry.read ?? [])])) {
      if (arn === null || arn === 'created-by-stack') continue;
      const first = seen.get(arn);
      if (first === undefined) seen.set(arn, { path: `keys.kms[${index}]`, role: entry.assumeRole });
      else if (first.role !== entry.assumeRole)
        problems.push({
          path: `keys.kms[${index}].assumeRole`,
          message: `${first.path} uses the same key with another role: give both the same.`,
        });
    }
    return problems;
  });
}

/** Every namespace that somebody is allowed to read or write has a key to do it with. */
function checkServed({ keys, access, defaultNamespace }: KeysOfConfig): Problem[] {
  const readers = readablePatterns(keys);
  const problems: Problem[] = [];
  if (defaultNamespace !== null && !isWritable(keys, defaultNamespace))
    problems.push({
      path: 'defaultNamespace',
      message: `no key writes ${defaultNamespace}: give it one in keys.kms or keys.keyring.`,
    });
  for (const [index, rule] of access.entries())
    for (const [at, pattern] of rule.namespaces.entries())
      problems.push(...checkRule(rule, pattern, `access[${index}].namespaces[${at}]`, keys, readers));
  return problems;
}

function checkRule(
  rule: AccessRule,
  pattern: string,
  path: string,
  keys: KeysConfig,
  readers: readonly string[] | undefined,
): Problem[] {
  if (PLACEHOLDER.test(pattern)) return [];
  if (readers !== undefined && !readers.some((reader) => overlaps(reader, pattern)))
    return [
      { path, message: `no key serves ${pattern}: add it to the namespaces of an entry of keys.kms, or remove it.` },
    ];
  if (rule.allow.includes('encode') && !pattern.includes('*') && !isWritable(keys, pattern))
    return [
      { path, message: `the rule allows encode, and no key writes ${pattern}: give it one with keys.kms[].write.` },
    ];
  return [];
}

/** Patterns of all namespaces that a key reads; undefined when only the secret with the static keys could tell. */
function readablePatterns({ kms, keyring, keyringSecret, staticKeys }: KeysConfig): string[] | undefined {
  if (staticKeys !== null) return undefined;
  return [
    ...(kms ?? []).flatMap((entry) => entry.namespaces),
    ...(keyringSecret?.namespaces ?? []),
    ...(keyring === null ? [] : (keyring.namespaces ?? ['*'])),
  ];
}

function isWritable({ kms, keyring, keyringSecret }: KeysConfig, namespace: string): boolean {
  if (keyringSecret && createNamespaceMatcher(keyringSecret.namespaces)(namespace)) return true;
  const first = (kms ?? []).find((entry) => createNamespaceMatcher(entry.namespaces)(namespace));
  if (first !== undefined && first.write !== null) return true;
  return keyring !== null && createNamespaceMatcher(keyring.namespaces ?? ['*'])(namespace);
}

/** The least and the most that make sense. */
const CACHE_BOUNDS: Readonly<Record<keyof DataKeyCacheConfig, readonly [number, number, string]>> = {
  maxKeys: [1, 1_000_000, 'distinct keys'],
  ttlSeconds: [1, 86_400, 'seconds for which a revoked key still decodes'],
  writeSeconds: [1, 604_800, 'seconds for which one data key writes'],
  outageSeconds: [0, 86_400, 'seconds for which a data key keeps writing while KMS does not answer'],
  maxMessages: [1, 2 ** 32, 'messages under one data key'],
  maxBytes: [1, 2 ** 53 - 1, 'bytes under one data key'],
};

function checkCache(cache: Partial<DataKeyCacheConfig> = {}): Problem[] {
  return (Object.keys(CACHE_BOUNDS) as (keyof DataKeyCacheConfig)[]).flatMap((field) => {
    const value = cache[field];
    const [least, most, unit] = CACHE_BOUNDS[field];
    if (value === undefined || isWhole(value, least, most)) return [];
    return [{ path: `keys.cache.${field}`, message: `a whole number of ${unit}, from ${least} to ${most}.` }];
  });
}
