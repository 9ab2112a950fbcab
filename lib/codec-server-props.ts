/** What the construct is given, and what it makes of it: an environment's settings, whole. */
import { RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Code, FunctionOptions } from 'aws-cdk-lib/aws-lambda';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { checkDeployment } from '../config/checks/deployment.ts';
import { unsafeForeignFormats } from '../config/checks/keys.ts';
import type { AlarmsConfig, DeploymentConfig, DomainConfig } from '../config/environment.ts';
import { type Problem, problemsWithin } from '../config/problem.ts';
import type { CodecServerConfig } from '../config/schema.ts';
import { isResourceName } from './names.ts';

/** The settings of a deployment that are the construct's; the others are the stack's that it is in. */
type Settings = Omit<DeploymentConfig, 'target' | 'onDelete' | 'terminationProtection' | 'tags' | 'domain' | 'alarms'>;

/** A domain name of the team's own, by what its app has made of it. */
export interface CodecServerDomain {
  /** Such as `codec.example.com`. */
  readonly name: string;
  /** For the name, in the Region of the stack. */
  readonly certificate: ICertificate;
  /** The zone in which the record is made. Default: none, and a CNAME to `domainTarget` is yours to make. */
  readonly hostedZone?: IHostedZone;
  /** Whether `…execute-api….amazonaws.com` keeps answering beside it. Default: no. */
  readonly keepDefaultEndpoint?: boolean;
}

/** Settings of the function that are a team's to choose; what it runs and may do is not among them. */
export type CodecFunctionOptions = Pick<
  FunctionOptions,
  | 'adotInstrumentation'
  | 'allowPublicSubnet'
  | 'codeSigningConfig'
  | 'insightsVersion'
  | 'layers'
  | 'memorySize'
  | 'securityGroups'
  | 'tracing'
  | 'vpc'
  | 'vpcSubnets'
>;

/** What a {@link CodecServer} is made of. */
export interface CodecServerProps extends Partial<Settings> {
  /**
   * Names the dimension of its metrics, its dashboard and the aliases of its keys: a-z, 0-9 and -, 31 characters at the
   * most, and one of its kind in the account and Region.
   */
  readonly name: string;
  /** Who may read what with which keys. `'created-by-stack'` in it means what is made here, or given. */
  readonly config: CodecServerConfig;
  /** Stands for `'created-by-stack'` in `config.keys.kms`. Default: a key that is made here. */
  readonly encryptionKey?: IKey;
  /** Encrypts logs, secrets and alarm messages. Default: one is made where `logs.encryption` is `customer-managed`. */
  readonly operationsKey?: IKey;
  /** A name of your own instead of `…execute-api….amazonaws.com`. Default: none. */
  readonly domain?: CodecServerDomain | DomainConfig | null;
  /** Alarms and their thresholds. Default: all, with a topic that is made here. `null`: none. */
  readonly alarms?: Partial<AlarmsConfig> | null;
  /** Hears the alarms, in the place of a topic that is made here. */
  readonly alarmTopic?: ITopic;
  /** Default: yes. */
  readonly dashboard?: boolean;
  /** What becomes of keys, secrets, buckets and logs that are made here. Default: they stay. */
  readonly removalPolicy?: RemovalPolicy;
  readonly functionProps?: CodecFunctionOptions;
  /**
   * A module whose default export are codecs of your own, as `config.codecs` has them; a path from the working folder.
   * It is bundled with esbuild, which your app then has to have.
   */
  readonly codecsEntry?: string;
  /** The function's code, the configuration in it. Default: the one that the package brings. */
  readonly code?: Code;
  /** What whoever makes the construct has found to be wrong: it is refused with these alone. */
  readonly problems?: readonly Problem[];
}

/** What is taken where the team says nothing: what `environments/prod.ts` says, with AWS's key for the logs. */
const DEFAULTS: Settings = {
  logs: { level: 'INFO', retentionDays: 30, auditRetentionDays: 400, encryption: 'aws' },
  throttling: { rate: 500, burst: 1000 },
  concurrency: { reserved: null, provisioned: null },
};

/** What stands in for the ARN of something that only has one when it is deployed, where forms are checked. */
const SOME_CERTIFICATE = 'arn:aws:acm:us-east-1:111122223333:certificate/made-in-this-app';
const SOME_TOPIC = 'arn:aws:sns:us-east-1:111122223333:made-in-this-app';

/** The deployment that the construct's props describe. */
export function deploymentOf(scope: Construct, props: CodecServerProps): DeploymentConfig {
  const { name, config, encryptionKey, operationsKey, alarmTopic, dashboard, functionProps, ...given } = props;
  const { domain = null, alarms = {}, removalPolicy, codecsEntry, code, problems, ...settings } = given;
  const { account, region } = Stack.of(scope);
  const isAnywhere = Token.isUnresolved(account) || Token.isUnresolved(region);
  const merged = { ...DEFAULTS, ...settings };
  return {
    ...merged,
    logs: operationsKey === undefined ? merged.logs : { ...merged.logs, encryption: 'customer-managed' },
    target: isAnywhere ? null : { account, region },
    // Whatever else is said, nothing but this lets keys go.
    onDelete: removalPolicy === RemovalPolicy.DESTROY ? 'destroy' : 'retain',
    terminationProtection: Stack.of(scope).terminationProtection,
    domain: domainOf(domain),
    alarms:
      alarms === null
        ? null
        : {
            topic: 'created-by-stack',
            ...alarms,
            ...(alarmTopic === undefined ? {} : { topic: { arn: alarmTopic.topicArn } }),
          },
  };
}

function domainOf(domain: CodecServerDomain | DomainConfig | null): DomainConfig | null {
  if (domain === null || !('certificate' in domain)) return domain;
  const { name, certificate, hostedZone, keepDefaultEndpoint = false } = domain;
  return {
    name,
    certificateArn: certificate.certificateArn,
    hostedZone: hostedZone === undefined ? null : { id: hostedZone.hostedZoneId, name: hostedZone.zoneName },
    keepDefaultEndpoint,
  };
}

/** Everything that is wrong with the props, the configuration included; empty when the construct can be made. */
export function checkProps(props: CodecServerProps, deployment: DeploymentConfig): Problem[] {
  const { name, config, encryptionKey } = props;
  const problems: Problem[] = [...(props.problems ?? [])];
  if (problems.length > 0) return problems;
  if (!isResourceName(name))
    problems.push({ path: 'name', message: 'write a-z, 0-9 and -, a letter first, 31 characters at most.' });
  if (typeof config === 'object' && config !== null && 'deployment' in config)
    problems.push({
      path: 'config.deployment',
      message: 'a construct takes these as props of its own: leave it out, or use CodecServerStack for the whole file.',
    });
  if (config?.codecs?.length && props.code === undefined)
    problems.push({
      path: 'config.codecs',
      message:
        'codecs are code, and the configuration is a file beside it: export them from a module, and name it in codecsEntry.',
    });
  const isUsed = config?.keys?.kms?.some?.(({ write }) => write === 'created-by-stack') ?? true;
  if (encryptionKey !== undefined && !isUsed)
    problems.push({
      path: 'encryptionKey',
      message: "no entry of config.keys.kms uses it: write 'created-by-stack' in the one that it is for.",
    });
  const ofConfig = checkDeployment({ ...config, deployment: checkable(deployment) });
  return [
    ...problems,
    ...ofConfig,
    ...(ofConfig.length === 0 ? checkGivenKey(props) : []),
    ...problemsWithin(config, 'config', unresolved),
  ];
}

/** A key of the team's own may stand in `read` of other entries as well: then it serves their namespaces, too. */
function checkGivenKey({ config, encryptionKey }: CodecServerProps): Problem[] {
  const arn = encryptionKey?.keyArn;
  // That of a key which is made in the app has no value yet, so that no configuration can name it.
  if (arn === undefined || Token.isUnresolved(arn)) return [];
  const entries = config.keys.kms ?? [];
  return unsafeForeignFormats(
    entries.map((entry) => (entry.write === 'created-by-stack' ? { ...entry, write: arn } : entry)),
  );
}

/** The deployment with something of the right form in place of what is known only when it is deployed. */
function checkable(deployment: DeploymentConfig): DeploymentConfig {
  const { domain, alarms, target } = deployment;
  const region = target?.region ?? 'us-east-1';
  return {
    ...deployment,
    ...(domain !== null && Token.isUnresolved(domain.certificateArn)
      ? { domain: { ...domain, certificateArn: SOME_CERTIFICATE.replace('us-east-1', region) } }
      : {}),
    ...(alarms?.topic && alarms.topic !== 'created-by-stack' && Token.isUnresolved(alarms.topic.arn)
      ? { alarms: { ...alarms, topic: { arn: SOME_TOPIC } } }
      : {}),
  };
}

/** The configuration is a file beside the code: what has no value yet cannot stand in it. */
function unresolved(value: unknown): string | undefined {
  return Token.isUnresolved(value)
    ? "this has a value only when it is deployed: write the ARN itself, or 'created-by-stack' and pass the resource as a prop."
    : undefined;
}
