/**
 * What an environment must fulfill to run on AWS, checked at synth, every problem at once. A server
 * that would let everyone in, or that would start with a placeholder for a name, is never deployed.
 */
import { parseArn, parseArnOf } from '../../codec/keys/arn.ts';
import { isAccount, isRegion } from '../bucket.ts';
import { checkSections, SECTIONS, type SectionCheck, section } from '../check.ts';
import type { EnvironmentConfig } from '../environment.ts';
import { isWhole, PLACEHOLDER, type Problem, problemsWithin } from '../problem.ts';
import type { SecretRef } from '../schema.ts';
import { checkFront } from './front.ts';
import { checkPolicies } from './policies.ts';

/** What is said of how it is deployed. */
type Deployed = Pick<EnvironmentConfig, 'deployment'>;

/** Days that CloudWatch Logs accepts as a retention. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** Lambda takes a JSON event of 6 MiB; a body is escaped or base64-encoded inside it. */
const MOST_BODY_BYTES = 4_500_000;

/** What only a deployment has to fulfill. */
const ON_AWS: readonly SectionCheck[] = [
  section([], (config) => problemsWithin(config, '', placeholder)),
  section(['identity', 'keys'], checkSecrets),
  section(['identity', 'access'], checkCallers),
  section(['keys'], checkKeys),
  section(['keys', 'storage'], checkPolicies),
  section(['identity', 'deployment'], checkPublicUrl),
  section(['limits'], checkLimits),
  section(['deployment'], checkTarget),
  section(['deployment'], checkOperation),
  section(['deployment'], checkDomain),
  section(['deployment', 'identity'], checkFront),
];

/** All problems of an environment that is to be deployed, of form and of meaning; empty when it may be. */
export function checkDeployment(config: EnvironmentConfig): Problem[] {
  return checkSections(config, [...SECTIONS, ...ON_AWS]);
}

/** Of a string that still holds a `<…>` to fill in. */
function placeholder(value: unknown): string | undefined {
  const [found] = (typeof value === 'string' && PLACEHOLDER.exec(value)) || [];
  return found && `${found} is a placeholder: put your own value.`;
}

/** Nobody is let in unasked, and nothing that only makes sense on one's own machine is let out. */
function checkCallers({ identity, access }: Pick<EnvironmentConfig, 'identity' | 'access'>): Problem[] {
  const problems: Problem[] = [];
  if (identity === null) {
    problems.push({
      path: 'identity',
      message:
        "a server on AWS verifies who calls: write { issuers: [{ type: 'temporal-cloud' }], serviceTokens: null }, or your own issuer.",
    });
  }
  for (const [index, rule] of access.entries()) {
    if (!rule.people.includes('anyone-on-loopback')) continue;
    problems.push({
      path: `access[${index}].people`,
      message: "'anyone-on-loopback' matches nobody on AWS: name the people.",
    });
  }
  return problems;
}

function checkKeys({ keys }: Pick<EnvironmentConfig, 'keys'>): Problem[] {
  const problems: Problem[] = [];
  if (keys.keyring !== null) {
    problems.push({
      path: 'keys.keyring',
      message: 'a keyring is a file on your own machine: write null and use keys.kms.',
    });
  }
  if (keys.kms === null && !keys.keyringSecret && keys.staticKeys === null) {
    problems.push({
      path: 'keys.kms',
      message: "there is no key: write [{ namespaces: ['your-namespace.account'], write: 'created-by-stack' }].",
    });
  }
  if (keys.staticKeys !== null && !('secret' in keys.staticKeys)) {
    problems.push({
      path: 'keys.staticKeys',
      message:
        "a file and the samples' public test key are for your own machine: write { secret: 'created-by-stack' } or null.",
    });
  }
  for (const [index, entry] of (keys.kms ?? []).entries()) {
    if (entry.foreignFormats?.length && entry.write === 'created-by-stack' && !entry.read?.length) {
      problems.push({
        path: `keys.kms[${index}].foreignFormats`,
        message: 'the key of the stack wraps no data keys of other formats: name the key that does in read.',
      });
    }
  }
  return problems;
}

/** What is secret is in Secrets Manager. Static keys in a file are refused with the public test key, {@link checkKeys}. */
function checkSecrets({ identity, keys }: Pick<EnvironmentConfig, 'identity' | 'keys'>): Problem[] {
  const secrets: [path: string, holder: object | null | undefined, what?: string][] = [
    ['identity.serviceTokens', identity?.serviceTokens, 'the digests'],
    ['identity.temporalCloudRoles.apiKey', identity?.temporalCloudRoles?.apiKey, 'the API key'],
    ['identity.signIn.clientSecret', identity?.signIn?.clientSecret, 'it'],
    ['identity.signIn.sessionKeys', identity?.signIn?.sessionKeys, 'it'],
    ['keys.staticKeys', keys.staticKeys],
    ['keys.keyringSecret', keys.keyringSecret],
  ];
  return secrets.flatMap(([path, holder, what]) => {
    const { secret, file } = (holder ?? {}) as { readonly secret?: SecretRef; readonly file?: string };
    if (file !== undefined && what !== undefined) {
      const message = `there is no such file on AWS: keep ${what} in Secrets Manager, { secret: 'created-by-stack' }.`;
      return [{ path: `${path}.file`, message }];
    }
    if (secret === undefined || secret === 'created-by-stack') return [];
    return checkArn(secret.arn, `${path}.secret.arn`, 'secretsmanager', 'secret:');
  });
}

function checkLimits({ limits }: Pick<EnvironmentConfig, 'limits'>): Problem[] {
  if (limits?.bodyBytes === undefined || limits.bodyBytes <= MOST_BODY_BYTES) return [];
  return [
    {
      path: 'limits.bodyBytes',
      message: `Lambda takes an event of 6 MiB with the body escaped inside: at most ${MOST_BODY_BYTES}.`,
    },
  ];
}

function checkTarget({ deployment: { target } }: Deployed): Problem[] {
  if (target === null) return [];
  const problems: Problem[] = [];
  if (!isAccount(target.account) && !PLACEHOLDER.test(target.account)) {
    problems.push({ path: 'deployment.target.account', message: 'an AWS account id has 12 digits.' });
  }
  if (!isRegion(target.region) && !PLACEHOLDER.test(target.region)) {
    problems.push({ path: 'deployment.target.region', message: 'this is not an AWS Region, such as eu-central-1.' });
  }
  return problems;
}

function checkOperation({ deployment: { logs, throttling, concurrency, alarms } }: Deployed): Problem[] {
  const problems: Problem[] = [];
  for (const field of ['retentionDays', 'auditRetentionDays'] as const) {
    if (RETENTION_DAYS.includes(logs[field])) continue;
    problems.push({
      path: `deployment.logs.${field}`,
      message: `CloudWatch Logs keeps logs for one of ${RETENTION_DAYS.join(', ')} days.`,
    });
  }
  for (const field of ['rate', 'burst'] as const) {
    if (throttling[field] >= 1) continue;
    problems.push({ path: `deployment.throttling.${field}`, message: 'at least 1, or every request is refused.' });
  }
  const { reserved, provisioned } = concurrency;
  for (const [field, value] of Object.entries({ reserved, provisioned })) {
    if (value === null || isWhole(value, 1)) continue;
    problems.push({ path: `deployment.concurrency.${field}`, message: 'a whole number of instances from 1, or null.' });
  }
  if (reserved !== null && provisioned !== null && provisioned > reserved) {
    problems.push({
      path: 'deployment.concurrency.provisioned',
      message: `${provisioned} instances cannot be kept warm where at most ${reserved} may run: raise reserved.`,
    });
  }
  if (alarms?.topic && alarms.topic !== 'created-by-stack') {
    problems.push(...checkArn(alarms.topic.arn, 'deployment.alarms.topic.arn', 'sns', ''));
  }
  return problems;
}

function checkDomain({ deployment: { domain, target } }: Deployed): Problem[] {
  if (domain === null) return [];
  const problems = checkArn(domain.certificateArn, 'deployment.domain.certificateArn', 'acm', 'certificate/');
  const region = parseArn(domain.certificateArn)?.region;
  if (target !== null && region !== undefined && region !== target.region) {
    problems.push({
      path: 'deployment.domain.certificateArn',
      message: `the certificate is in ${region}, and the gateway takes one of its own Region, ${target.region}.`,
    });
  }
  if (!/^([a-z0-9-]+\.)+[a-z]{2,}$/.test(domain.name) && !PLACEHOLDER.test(domain.name)) {
    problems.push({ path: 'deployment.domain.name', message: 'a host name alone, such as codec.example.com.' });
  }
  return problems;
}

/** The sign-in's cookies are of the domain. */
function checkPublicUrl({
  identity,
  deployment: { domain },
}: Pick<EnvironmentConfig, 'identity' | 'deployment'>): Problem[] {
  const publicUrl = identity?.signIn?.publicUrl;
  if (publicUrl === undefined || domain === null) return [];
  if (publicUrl === `https://${domain.name}` || PLACEHOLDER.test(publicUrl)) return [];
  const message = `browsers reach this server at its domain: write 'https://${domain.name}'.`;
  return [{ path: 'identity.signIn.publicUrl', message }];
}

function checkArn(arn: string, path: string, service: string, resourcePrefix: string): Problem[] {
  if (PLACEHOLDER.test(arn)) return [];
  const { resource } = parseArnOf(service, arn) ?? {};
  if (resource?.startsWith(resourcePrefix)) return [];
  const hint =
    service === 'kms' && resource?.startsWith('alias/') ? ' An alias can be moved to another key: name the key.' : '';
  return [{ path, message: `expected an ARN such as arn:aws:${service}:…:…:${resourcePrefix}….${hint}` }];
}

// Which keys the stack's rule can watch, and a warning about those that it cannot.

/** Where the stack is deployed; undefined where the configuration does not say. */
type Target = EnvironmentConfig['deployment']['target'];

/**
 * Whether an event about a key reaches the stack: AWS delivers it in the key's own account and Region.
 * A stack without a target may be anywhere, so every key counts as its own.
 */
export function isWatchable(keyArn: string, target: Target): boolean {
  if (target === null) return true;
  const key = parseArn(keyArn);
  return key?.region === target.region && key.account === target.account;
}

/** A warning for every key that nobody would hear of when it is disabled. */
export function warnAboutKeyWatch({ keys, deployment }: EnvironmentConfig): Problem[] {
  if (deployment.alarms === null) return [];
  return (keys.kms ?? []).flatMap(({ write, read = [] }, entry) => {
    const named = [
      { path: `keys.kms[${entry}].write`, arn: write },
      ...read.map((arn, index) => ({ path: `keys.kms[${entry}].read[${index}]`, arn })),
    ];
    return named.flatMap(({ path, arn }) => {
      if (arn === null || arn === 'created-by-stack' || isWatchable(arn, deployment.target)) return [];
      const message =
        'is in another account or Region, where AWS tells of its deletion and no alarm of this stack hears it: docs/keys.md has the rule to put there.';
      return [{ path, message }];
    });
  });
}
