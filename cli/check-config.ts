/** `codec-server check-config FILE`: every problem of a configuration, and who may do what where. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CodecError, KeyDocumentError } from '../codec/errors.ts';
import { readPrivateFile } from '../codec/keys/secrets/private-file.ts';
import { eraseStaticKeys, parseStaticKeySecret } from '../codec/keys/static/static-keys.ts';
import { readStaticKeysFile } from '../codec/keys/static/static-keys-file.ts';
import { ConfigFileError, checkConfig, loadConfigFile } from '../config/check.ts';
import { warnAboutAccess } from '../config/checks/access.ts';
import { checkDeployment, warnAboutKeyWatch } from '../config/checks/deployment.ts';
import type { EnvironmentConfig } from '../config/environment.ts';
import { asOidcIssuer } from '../config/issuers.ts';
import { formatProblems, type Problem } from '../config/problem.ts';
import type {
  AccessRule,
  CodecServerConfig,
  IdentityConfig,
  Operation,
  People,
  StorageBucketConfig,
} from '../config/schema.ts';
import { parseServiceTokens } from '../lambda/server/auth/service-tokens.ts';
import { parseSessionKeys } from '../lambda/server/sign-in/session-keys.ts';
import { createCommand, UsageError } from './run-command.ts';

// Documents that are to be put into secrets, checked by the code that will read them.

/** By the option that names the file. */
const KINDS = {
  'service-tokens': parseServiceTokens,
  'static-keys': (versions: { readonly current: string }) => eraseStaticKeys(parseStaticKeySecret(versions)),
  'session-keys': ({ current }: { readonly current: string }) => parseSessionKeys({ current, previous: undefined }),
} as const;

/** The files to check, by their kind. */
export type DocumentFiles = Readonly<Partial<Record<keyof typeof KINDS, string | undefined>>>;

/** What is wrong with each; nothing of what stands in them. */
function checkDocuments(files: DocumentFiles, cwd: string): Problem[] {
  return Object.entries(KINDS).flatMap(([kind, parse]) => {
    const file = files[kind as keyof typeof KINDS];
    const message = file === undefined ? undefined : problemOf(resolve(cwd, file), parse);
    return message === undefined ? [] : [{ path: `--${kind} ${file}`, message }];
  });
}

function problemOf(path: string, parse: (versions: { readonly current: string }) => unknown): string | undefined {
  try {
    parse({ current: readFileSync(path, 'utf8') });
    return undefined;
  } catch (error) {
    if (error instanceof KeyDocumentError)
      return `${error.message}. Put into the secret, it would end what is in force`;
    return `the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`;
  }
}

/**
 * What is wrong with the files of secrets that a configuration names, where they are on this machine: `start` refuses them.
 * A file that is not there may be on the machine that the configuration is for.
 */
function checkNamedFiles({ keys, identity }: CodecServerConfig, cwd: string): Problem[] {
  const tokens = identity?.serviceTokens;
  return [
    ...checkNamedFile('keys.staticKeys.file', fileOf(keys.staticKeys), cwd, (path) =>
      eraseStaticKeys(readStaticKeysFile(path)),
    ),
    ...checkNamedFile('identity.serviceTokens.file', fileOf(tokens), cwd, (path) =>
      parseServiceTokens({ current: readPrivateFile(path, 'file of service tokens') }),
    ),
  ];
}

function fileOf(source: object | string | null | undefined): string | undefined {
  return typeof source === 'object' && source !== null && 'file' in source ? String(source.file) : undefined;
}

function checkNamedFile(
  path: string,
  file: string | undefined,
  cwd: string,
  read: (path: string) => unknown,
): Problem[] {
  if (file === undefined || !existsSync(resolve(cwd, file))) return [];
  try {
    read(resolve(cwd, file));
    return [];
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return [{ path, message: error.message }];
  }
}

/** A line of the effective policy. */
export interface PolicyLine {
  readonly operation: Operation;
  readonly namespace: string;
  readonly who: string;
  readonly rule: string;
}

/** Checks a configuration and prints what it means. */
export const checkConfigCommand = createCommand('check-config', async ({ values, operands }, io) => {
  const [file = 'environments/local.ts', more] = operands;
  if (more !== undefined) throw new UsageError(`one file at a time; ${JSON.stringify(more)} is too much.`);
  let config: unknown;
  try {
    config = await loadConfigFile(resolve(io.cwd, file));
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    io.stderr.write(`codec-server check-config: ${error.message}\n`);
    return 1;
  }
  const report = examine(config);
  const documents = checkDocuments(values, io.cwd);
  const named = report.problems.length > 0 ? [] : checkNamedFiles(config as CodecServerConfig, io.cwd);
  report.problems = [...report.problems, ...documents, ...named];
  io.stdout.write(values.json ? `${JSON.stringify(report, undefined, 2)}\n` : render(report, file));
  return report.problems.length > 0 || (values.strict && report.warnings.length > 0) ? 1 : 0;
});

interface Report {
  problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  readonly callers: readonly string[];
  readonly storage: readonly string[];
  readonly policy: readonly PolicyLine[];
}

function examine(config: unknown): Report {
  const isDeployed = typeof config === 'object' && config !== null && Object.hasOwn(config, 'deployment');
  const problems = isDeployed ? checkDeployment(config as EnvironmentConfig) : checkConfig(config);
  // Of what cannot be used, nothing else is said.
  if (problems.length > 0) return { problems, warnings: [], callers: [], storage: [], policy: [] };
  const { access, identity, storage, defaultNamespace } = config as CodecServerConfig;
  return {
    problems,
    warnings: [
      ...warnAboutAccess({ access, identity, defaultNamespace }),
      ...(isDeployed ? warnAboutKeyWatch(config as EnvironmentConfig) : []),
    ],
    callers: describeCallers(identity),
    storage: (storage?.buckets ?? []).map(describeBucket),
    policy: policyLines(access),
  };
}

/** The effective policy, by operation and namespace. */
function policyLines(access: readonly AccessRule[]): PolicyLine[] {
  const lines = access.flatMap((rule) =>
    rule.allow.flatMap((operation) =>
      rule.namespaces.flatMap((namespace) =>
        rule.people.map((people) => ({ operation, namespace, who: describePeople(people), rule: rule.name })),
      ),
    ),
  );
  const order = (line: PolicyLine) => `${line.operation} ${line.namespace}`;
  return lines.sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0));
}

function describePeople(people: People): string {
  if (people === 'anyone-on-loopback') return 'anyone on this machine, unasked';
  if ('serviceToken' in people) return `service token ${people.serviceToken}`;
  const by = people.issuer === undefined ? '' : ` by ${people.issuer}`;
  if ('email' in people) return `${people.email}${by}`;
  if ('emailDomain' in people) return `anyone @${people.emailDomain}${by}`;
  if ('temporalCloudRole' in people) return `Temporal Cloud role ${people.temporalCloudRole} or higher${by}`;
  return `claim ${people.claim} = ${people.includes}${by}`;
}

function describeCallers(identity: IdentityConfig | null): string[] {
  if (identity === null) return ['nobody is asked; the server only listens on loopback addresses'];
  const issuers = identity.issuers.map(asOidcIssuer).map(({ issuer, from, audience }) => {
    const accepted = audience === null ? 'any audience' : `audience ${[audience].flat().join(' or ')}`;
    return `tokens of ${issuer} in ${from === 'authorization' ? 'Authorization' : 'Authorization-Extras'}, ${accepted}`;
  });
  const { serviceTokens, signIn } = identity;
  return [
    ...issuers,
    ...(serviceTokens === null ? [] : ['service tokens in Authorization']),
    ...(signIn ? [`signing in at ${signIn.publicUrl}/login, with ${signIn.issuer}`] : []),
  ];
}

function describeBucket({ bucket, namespaces, write }: StorageBucketConfig): string {
  const name = bucket === 'created-by-stack' ? 'the bucket of the stack' : bucket;
  return `${name}, ${write ? 'read, and written for people in browsers' : 'only read'}: ${namespaces.join(', ')}`;
}

function render({ problems, warnings, callers, storage, policy }: Report, file: string): string {
  if (problems.length > 0) return `${file} cannot be used:\n\n${formatProblems(problems)}\n`;
  const parts = [
    `${file} can be used.`,
    `Callers prove who they are by:\n${callers.map((line) => `  ${line}`).join('\n')}`,
    policy.length === 0 ? 'Who may do what where: nobody may do anything.' : table(policy),
  ];
  if (storage.length > 0) parts.push(`Large payloads are in:\n${storage.map((line) => `  ${line}`).join('\n')}`);
  if (warnings.length > 0) parts.push(`Warnings:\n${formatProblems(warnings)}`);
  return `${parts.join('\n\n')}\n`;
}

function table(lines: readonly PolicyLine[]): string {
  const head: PolicyLine = {
    operation: 'may' as Operation,
    namespace: 'in namespace',
    who: 'who',
    rule: 'by the rule',
  };
  const rows = [head, ...lines];
  const width = (field: keyof PolicyLine) => Math.max(...rows.map((row) => row[field].length));
  const fields = ['operation', 'namespace', 'who', 'rule'] as const;
  const widths = fields.map(width);
  const rule = fields.map((_, at) => '-'.repeat(widths[at] ?? 0)).join('  ');
  const text = rows.map((row) =>
    fields
      .map((field, at) => row[field].padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [text[0], rule, ...text.slice(1)].join('\n');
}
