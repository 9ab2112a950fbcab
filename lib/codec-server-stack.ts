/** One environment's stack: everything a codec server needs, put together. */
import { Annotations, Aws, type CfnElement, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { isWatchable, warnAboutKeyWatch } from '../config/checks/key-watch.ts';
import type { EnvironmentConfig } from '../config/environment.ts';
import { Alarms } from './alarms/alarms.ts';
import { AuditLog } from './audit-log.ts';
import { CodecFunction } from './codec-function.ts';
import { CustomDomain } from './custom-domain.ts';
import { OperationsDashboard } from './dashboard.ts';
import { dashboardUrl } from './dashboard-url.ts';
import { EncryptionKey } from './encryption-key.ts';
import { HttpFront } from './fronts/http-api.ts';
import { keyStatements } from './key-permissions.ts';
import { ENVIRONMENT_VARIABLES } from './names.ts';
import { OperationsKey } from './operations-key.ts';
import { addOutputs } from './outputs.ts';
import { PayloadBucket } from './payload-bucket.ts';
import { Secrets } from './secrets.ts';
import { acceptPrefixes, storageStatements } from './storage-permissions.ts';
import { WorkerPolicy } from './worker-policy.ts';

export interface CodecServerStackProps extends StackProps {
  /** The environment's name: the file's, without extension. */
  readonly environment: string;
  readonly config: EnvironmentConfig;
  /** The function's code, the configuration compiled in. */
  readonly code: Code;
}

export class CodecServerStack extends Stack {
  constructor(scope: Construct, id: string, props: CodecServerStackProps) {
    const { environment, config, code, ...stackProps } = props;
    super(scope, id, stackProps);
    const { deployment } = config;
    // Whatever else it says, nothing but this lets keys go.
    const retain = deployment.onDelete !== 'destroy';
    const entries = config.keys.kms ?? [];
    const signIn = Boolean(config.identity?.signIn);

    const createdKey = entries.some((entry) => entry.write === 'created-by-stack')
      ? new EncryptionKey(this, 'Encryption', { environment, retain }).key
      : undefined;
    const operationsKey: IKey | undefined =
      deployment.logs.encryption === 'customer-managed'
        ? new OperationsKey(this, 'Operations', { environment, retain }).key
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
      logsKey: operationsKey,
      statements: [
        ...keyStatements({ entries, createdKeyArn: createdKey?.keyArn }),
        ...secretStatements(secrets, operationsKey),
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
    const front = new HttpFront(this, 'Front', {
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
      deployment.domain === null ? undefined : new CustomDomain(this, 'Domain', { domain: deployment.domain, front });
    const endpoint = domain?.endpoint ?? front.endpoint;
    const workers =
      entries.length === 0
        ? undefined
        : new WorkerPolicy(this, 'Workers', {
            environment,
            entries,
            createdKeyArn: createdKey?.keyArn,
            statements: storageStatements({ ...storage, writes: () => true }),
          });
    const bucketId = bucket === undefined ? undefined : this.getLogicalId(bucket.node.defaultChild as CfnElement);
    for (const holder of [codec.role, workers?.policy]) {
      if (holder !== undefined) acceptPrefixes(holder, bucketEntries, bucketId);
    }
    const alarms =
      deployment.alarms === null
        ? undefined
        : new Alarms(this, 'Alarms', {
            environment,
            config: deployment.alarms,
            concurrency: deployment.concurrency,
            front: front.metrics,
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
    const { dashboard } = new OperationsDashboard(this, 'Dashboard', {
      environment,
      endpoint,
      front: front.metrics,
      function: codec.live,
      functionLogs: codec.logGroup,
      auditLogs: audit.logGroup,
      alarms: alarms?.all ?? [],
      signIn,
    });
    dashboard.applyRemovalPolicy(RemovalPolicy.DESTROY);

    addOutputs(this, {
      endpoint,
      signIn,
      helpUrl: deployment.helpUrl,
      keyArn: createdKey?.keyArn,
      payloadBucket: bucket?.bucketName,
      workerPolicyArn: workers?.policy.managedPolicyArn,
      alarmTopicArn: deployment.alarms?.topic === 'created-by-stack' ? alarms?.topic?.topicArn : undefined,
      domainTarget: deployment.domain?.hostedZone === null ? domain?.target : undefined,
      auditLogGroup: audit.logGroup.logGroupName,
      dashboard: dashboardUrl(this, dashboard.dashboardName),
      secrets: Object.fromEntries(
        secrets.all.filter(({ created }) => created).map(({ secret }) => [secret.node.id, secret.secretArn]),
      ),
    });
  }
}

/** Reading each secret, and the use of the key that encrypts those made here, through Secrets Manager alone. */
function secretStatements(secrets: Secrets, key: IKey | undefined): PolicyStatement[] {
  if (secrets.all.length === 0) return [];
  const statements = [
    new PolicyStatement({
      sid: 'Secrets',
      actions: ['secretsmanager:GetSecretValue'],
      resources: secrets.all.map(({ secret }) => secret.secretArn),
    }),
  ];
  const created = secrets.all.filter((secret) => secret.created);
  if (key !== undefined && created.length > 0) {
    statements.push(
      new PolicyStatement({
        sid: 'SecretsKey',
        actions: ['kms:Decrypt'],
        resources: [key.keyArn],
        conditions: {
          StringEquals: { 'kms:EncryptionContext:SecretARN': created.map(({ secret }) => secret.secretArn) },
        },
      }),
    );
  }
  return statements;
}

/** Every KMS key that an environment uses, once. */
function keyArnsOf({ keys }: EnvironmentConfig, createdKeyArn: string | undefined): string[] {
  const arns = (keys.kms ?? []).flatMap(({ write, read = [] }) => [write, ...read]);
  const named = arns.flatMap((arn) => (arn === null ? [] : [arn === 'created-by-stack' ? createdKeyArn : arn]));
  return [...new Set(named.filter((arn) => arn !== undefined))];
}
