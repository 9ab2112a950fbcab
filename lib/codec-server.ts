/**
 * The codec server as a construct: everything that an environment needs, put together, in a stack of anybody's.
 * `CodecServerStack` is the same as a stack of its own.
 */
import { Annotations, Aws, type CfnElement, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Alarm, Dashboard } from 'aws-cdk-lib/aws-cloudwatch';
import type { IGrantable, ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Alias, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct, type IConstruct } from 'constructs';
import { isWatchable, warnAboutKeyWatch } from '../config/checks/deployment.ts';
import { type EnvironmentConfig, isRestApi } from '../config/environment.ts';
import { bucketsOf } from '../config/narrow.ts';
import { Alarms } from './alarms/alarms.ts';
import { AuditLog } from './audit-log.ts';
import { CodecFunction } from './codec-function.ts';
import { type CodecServerProps, checkProps, deploymentOf } from './codec-server-props.ts';
import { OperationsDashboard } from './dashboard.ts';
import type { Front } from './fronts/front.ts';
import { makeDomain, makeFront } from './fronts/make-front.ts';
import { codecsOf, prebuiltCode } from './function-code.ts';
import { keyStatements } from './key-permissions.ts';
import { EncryptionKey, OperationsKey } from './keys.ts';
import { ENVIRONMENT_VARIABLES } from './names.ts';
import { acceptPrefixes, PayloadBucket, storageStatements } from './payload-bucket.ts';
import { oversizedPolicies } from './policy-size.ts';
import { NOBODY, refuse } from './refuse.ts';
import { type NamedSecret, Secrets, secretStatements } from './secrets.ts';
import {
  grantStatements,
  KeyringWorkerPolicy,
  type WorkerGrants,
  WorkerPolicy,
  workerStatements,
} from './worker-permissions.ts';

/**
 * A codec server.
 *
 * What is wrong with its configuration stands in the annotations of the construct, all at once, each with its place and
 * its fix; the stack is then not deployed.
 */
export class CodecServer extends Construct {
  /** Where clients send requests: `https://…` without a trailing slash. */
  readonly endpoint: string;
  /** The gateway in front of the function. */
  readonly front: Front;
  readonly function: LambdaFunction;
  /** What the gateway calls. Rolling back is pointing it at an older version. */
  readonly alias: Alias;
  /** The key that wraps data keys: the one made here, or given. Undefined where the configuration names keys by ARN alone. */
  readonly key: IKey | undefined;
  readonly alarms: readonly Alarm[];
  readonly alarmTopic: ITopic | undefined;
  /** One line a request: who decoded what, where. */
  readonly auditLogGroup: LogGroup;
  readonly dashboard: Dashboard | undefined;
  /**
   * For the roles of workers of all namespaces, each of them: more than one where the namespaces do not fit into one,
   * none where there is no key of KMS. {@link grantWorker} is for workers of some namespaces.
   */
  readonly workerPolicies: readonly ManagedPolicy[];
  /** The same for the namespaces of each entry of `keys.kms`, in their order; empty where there is but one entry. */
  readonly entryWorkerPolicies: readonly (readonly ManagedPolicy[])[];
  /**
   * For workers that take the keyring from the secret of `keys.keyringSecret`: they read that secret, and so every
   * namespace that it serves. Empty where there is none.
   */
  readonly keyringWorkerPolicies: readonly ManagedPolicy[];
  readonly payloadBucket: IBucket | undefined;
  readonly secrets: readonly NamedSecret[];
  /** What a CNAME of the domain's name has to point at, where there is a domain. */
  readonly domainTarget: string | undefined;
  readonly #grants: WorkerGrants;
  readonly #isRefused: boolean;
  /** Policies of workers, wherever they are. */
  readonly #grantedPolicies = new Set<IConstruct>();

  constructor(scope: Construct, id: string, given: CodecServerProps) {
    super(scope, id);
    const problems = checkProps(given, deploymentOf(this, given));
    this.#isRefused = problems.length > 0;
    if (this.#isRefused) refuse(this, `The codec server ${this.node.path}`, problems);
    const props: CodecServerProps = this.#isRefused ? { name: 'refused', config: NOBODY } : given;
    const deployment = deploymentOf(this, props);
    const { name: environment } = props;
    const config: EnvironmentConfig = { ...props.config, deployment };
    const code =
      props.code ??
      prebuiltCode({
        environment,
        config: props.config,
        restApi: isRestApi(deployment.front),
        codecs: props.codecsEntry && codecsOf(props.codecsEntry),
      });
    const retain = deployment.onDelete !== 'destroy';
    const entries = config.keys.kms ?? [];
    const signIn = Boolean(config.identity?.signIn);

    const createdKey: IKey | undefined = entries.some((entry) => entry.write === 'created-by-stack')
      ? (props.encryptionKey ?? new EncryptionKey(this, 'Encryption', { environment, retain }).key)
      : undefined;
    const operationsKey: IKey | undefined =
      deployment.logs.encryption === 'customer-managed'
        ? new OperationsKey(this, 'Operations', { environment, retain, key: props.operationsKey }).key
        : undefined;
    const bucketEntries = config.storage?.buckets ?? [];
    const bucketToMake = bucketEntries.find(({ bucket }) => bucket === 'created-by-stack');
    const bucket =
      bucketToMake === undefined
        ? undefined
        : new PayloadBucket(this, 'Storage', { retain, expireAfterDays: bucketToMake.expireAfterDays ?? null }).bucket;
    const storage = { entries: bucketEntries, created: bucket, partition: Aws.PARTITION };
    const secrets = new Secrets(this, 'Secrets', { environment, config, retain, key: operationsKey });

    const codec = new CodecFunction(this, 'Codec', {
      environment,
      code,
      logs: deployment.logs,
      concurrency: deployment.concurrency,
      retain,
      tracing: isRestApi(deployment.front) && deployment.front.tracing,
      logsKey: operationsKey,
      options: props.functionProps,
      statements: [
        ...keyStatements({ entries, createdKeyArn: createdKey?.keyArn }),
        ...secretStatements(secrets.all, operationsKey),
        ...storageStatements({ ...storage, writes: ({ write }) => write === true }),
      ],
      variables: {
        ...(createdKey === undefined ? {} : { [ENVIRONMENT_VARIABLES.keyArn]: createdKey.keyArn }),
        ...(bucket === undefined ? {} : { [ENVIRONMENT_VARIABLES.storageBucket]: bucket.bucketName }),
        ...Object.fromEntries(secrets.all.map(({ variable, secret }) => [variable, secret.secretArn])),
      },
    });
    const audit = new AuditLog(this, 'Audit', {
      functionLogs: codec.logGroup,
      retentionDays: deployment.logs.auditRetentionDays,
      operationsRetentionDays: deployment.logs.retentionDays,
      retain,
      key: operationsKey,
    });
    const front = makeFront(this, deployment.front, {
      environment,
      handler: codec.live,
      cors: config.cors,
      throttling: deployment.throttling,
      logs: deployment.logs,
      retain,
      logsKey: operationsKey,
      signIn,
      disableDefaultEndpoint: deployment.domain !== null && !deployment.domain.keepDefaultEndpoint,
    });
    const domain =
      deployment.domain === null ? undefined : makeDomain(this, deployment.front, { domain: deployment.domain, front });
    const endpoint = domain?.endpoint ?? front.endpoint;
    const workers =
      entries.length === 0
        ? undefined
        : new WorkerPolicy(this, 'Workers', {
            environment,
            entries,
            createdKeyArn: createdKey?.keyArn,
            statements: (namespaces) =>
              storageStatements({
                ...storage,
                entries: namespaces === undefined ? bucketEntries : bucketsOf(namespaces, bucketEntries),
                writes: () => true,
              }),
          });
    const keyring = secrets.all.find(({ variable }) => variable === ENVIRONMENT_VARIABLES.keyringSecretArn);
    const keyringNamespaces = config.keys.keyringSecret?.namespaces ?? [];
    const keyringWorkers =
      keyring &&
      new KeyringWorkerPolicy(this, 'KeyringWorkers', {
        environment,
        statements: [
          ...secretStatements([keyring], operationsKey),
          ...storageStatements({
            ...storage,
            entries: bucketsOf(keyringNamespaces, bucketEntries),
            writes: () => true,
          }),
        ],
      });
    const bucketId =
      bucket === undefined ? undefined : Stack.of(this).getLogicalId(bucket.node.defaultChild as CfnElement);
    const forWorkers = [workers?.policies, ...(workers?.ofEntries ?? []), keyringWorkers?.policies].flatMap(
      (it) => it ?? [],
    );
    for (const holder of [codec.role, ...forWorkers]) acceptPrefixes(holder, bucketEntries, bucketId);
    const alarms =
      deployment.alarms === null
        ? undefined
        : new Alarms(this, 'Alarms', {
            environment,
            config: deployment.alarms,
            concurrency: deployment.concurrency,
            front,
            function: codec.live,
            audit,
            keyArns: keyArnsOf(config, createdKey?.keyArn).filter(
              (arn) => arn === createdKey?.keyArn || isWatchable(arn, deployment.target),
            ),
            key: operationsKey,
            signIn,
          });
    for (const { path, message } of warnAboutKeyWatch(config))
      Annotations.of(this).addWarningV2(`codec-server:key-watch:${path}`, `${path}: ${message}`);
    this.dashboard =
      props.dashboard === false
        ? undefined
        : new OperationsDashboard(this, 'Dashboard', {
            environment,
            endpoint,
            front,
            function: codec.live,
            functionLogs: codec.logGroup,
            auditLogs: audit.logGroup,
            alarms: alarms?.all ?? [],
            canary: deployment.alarms?.canary ?? false,
            signIn,
          }).dashboard;
    this.dashboard?.applyRemovalPolicy(RemovalPolicy.DESTROY);

    this.endpoint = endpoint;
    this.front = front;
    this.function = codec.function;
    this.alias = codec.live;
    this.key = createdKey;
    this.alarms = alarms?.all ?? [];
    this.alarmTopic = alarms?.topic;
    this.auditLogGroup = audit.logGroup;
    this.workerPolicies = workers?.policies ?? [];
    this.entryWorkerPolicies = workers?.ofEntries ?? [];
    this.keyringWorkerPolicies = keyringWorkers?.policies ?? [];
    this.payloadBucket = bucket as IBucket | undefined;
    this.secrets = secrets.all;
    this.domainTarget = domain?.target;
    this.node.addValidation({ validate: () => [this, ...this.#grantedPolicies].flatMap(oversizedPolicies) });
    this.#grants = {
      entries,
      createdKeyArn: createdKey?.keyArn,
      buckets: bucketEntries,
      createdBucket: bucket,
      partition: Aws.PARTITION,
      keyring: keyring && {
        namespaces: keyringNamespaces,
        statements: secretStatements([keyring], operationsKey),
      },
    };
  }

  /**
   * Lets a worker write and read payloads of `namespaces`, with the keys and buckets that the configuration pairs with
   * them, and no others. A keyring in a secret serves all its namespaces alike: whoever may read it for one may for all.
   *
   * A role that the app imports without the right to change it, or from another account, stays as it is, and a warning
   * says so; a policy that grows above what IAM takes is an error of this construct.
   *
   * @param namespaces full names, such as `orders-prod.a1b2c`
   * @throws Error when no key of the configuration covers one of them
   */
  grantWorker(worker: IGrantable, namespaces: readonly string[]): void {
    if (this.#isRefused) return;
    const { isGranted, holder } = grantStatements(worker, workerStatements(namespaces, this.#grants));
    if (holder !== undefined) this.#grantedPolicies.add(holder);
    if (!isGranted)
      Annotations.of(this).addWarningV2(
        `codec-server:grant-worker:${namespaces.join(',')}`,
        `the worker of ${namespaces.join(', ')} got no rights, since this app cannot change its role: attach workerPolicies, or keyringWorkerPolicies, to it where it is made.`,
      );
  }
}

/** Every KMS key that an environment uses, once. */
function keyArnsOf({ keys }: EnvironmentConfig, createdKeyArn: string | undefined): string[] {
  const arns = (keys.kms ?? []).flatMap(({ write, read = [] }) => [write, ...read]);
  const named = arns.flatMap((arn) => (arn === null ? [] : [arn === 'created-by-stack' ? createdKeyArn : arn]));
  return [...new Set(named.filter((arn) => arn !== undefined))];
}
