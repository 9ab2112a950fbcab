/** The function that answers: its code, its role, its log group, and the alias behind which it is upgraded. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  Alias,
  ApplicationLogLevel,
  Architecture,
  type Code,
  type IVersion,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { ConcurrencyConfig, LogsConfig } from '../config/environment.ts';
import type { CodecFunctionOptions } from './codec-server-props.ts';
import { acceptFindings } from './findings.ts';
import { removalPolicyOf } from './keys.ts';
import { ENVIRONMENT_VARIABLES, HANDLER } from './names.ts';

/** Named, not "latest": what runs in production is what the tests ran on. */
export const FUNCTION_RUNTIME = Runtime.NODEJS_24_X;
export const FUNCTION_ARCHITECTURE = Architecture.ARM_64;

/** Below the 30 s of the gateway and within the 10 s after which the CLI gives up. */
const TIMEOUT_SECONDS = 10;

/** CPU comes with memory; less makes a cold start slower than it saves. */
const MEMORY_MB = 1024;

export interface CodecFunctionProps {
  readonly environment: string;
  readonly code: Code;
  readonly logs: LogsConfig;
  readonly concurrency: ConcurrencyConfig;
  readonly retain: boolean;
  /** Whether requests are traced with X-Ray. */
  readonly tracing: boolean;
  /** Encrypts the log group; undefined for the key of CloudWatch Logs. */
  readonly logsKey: IKey | undefined;
  /** Settings of the team's own. */
  readonly options?: CodecFunctionOptions | undefined;
  /** What the function may do beside writing its log. */
  readonly statements: readonly PolicyStatement[];
  /** Environment variables beside the function's own. */
  readonly variables: Readonly<Record<string, string>>;
}

/** How much Lambda itself says, at each level of ours. A REPORT line per request is `INFO`. */
const SYSTEM_LEVELS: Record<LogsConfig['level'], SystemLogLevel> = {
  DEBUG: SystemLogLevel.DEBUG,
  INFO: SystemLogLevel.INFO,
  WARN: SystemLogLevel.WARN,
  ERROR: SystemLogLevel.WARN,
};

/** Reasons that hold for both functions of the stack. */
export const ENCRYPTED_BY_AWS =
  "Encrypted with AWS's key; logs.encryption of the environment is 'customer-managed' where a key of one's own is wanted.";
export const OUTSIDE_A_VPC =
  'It reaches AWS services and public issuers of tokens and nothing private; a VPC would add a NAT gateway, and no protection.';
export const VARIABLES_ARE_NAMES = 'The variables are ARNs and a log level, nothing secret.';
export const ORDER_OF_THE_CDK = 'The CDK states the order twice, which is harmless.';

export class CodecFunction extends Construct {
  readonly function: LambdaFunction;
  /** What the gateway calls. Rolling back is pointing it at an older version. */
  readonly live: Alias;
  readonly role: Role;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: CodecFunctionProps) {
    super(scope, id);
    this.logGroup = new LogGroup(this, 'Logs', {
      retention: props.logs.retentionDays as RetentionDays,
      removalPolicy: removalPolicyOf(props.retain),
      ...(props.logsKey === undefined ? {} : { encryptionKey: props.logsKey }),
    });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What the codec server, ${props.environment}, may do.`,
    });
    const ownLog = new PolicyStatement({
      sid: 'OwnLog',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [this.logGroup.logGroupArn],
    });
    for (const statement of [ownLog, ...props.statements]) this.role.addToPolicy(statement);

    const { reserved, provisioned } = props.concurrency;
    this.function = new LambdaFunction(this, 'Function', {
      ...props.options,
      description: `Codec server for Temporal, ${props.environment}.`,
      code: props.code,
      handler: HANDLER,
      runtime: FUNCTION_RUNTIME,
      architecture: FUNCTION_ARCHITECTURE,
      memorySize: props.options?.memorySize ?? MEMORY_MB,
      timeout: Duration.seconds(TIMEOUT_SECONDS),
      role: this.role,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      ...(props.tracing ? { tracing: Tracing.ACTIVE } : {}),
      // The function keeps to its own level. Lambda's filter would drop audit lines and metrics together with chatter.
      applicationLogLevelV2: ApplicationLogLevel.TRACE,
      systemLogLevelV2: SYSTEM_LEVELS[props.logs.level],
      environment: { [ENVIRONMENT_VARIABLES.logLevel]: props.logs.level, ...props.variables },
      ...(reserved === null ? {} : { reservedConcurrentExecutions: reserved }),
      // Versions stay, so that there is something to roll back to.
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
    });
    const tracing = props.tracing ? Tracing.ACTIVE : (props.options?.tracing ?? Tracing.DISABLED);
    if (tracing !== Tracing.DISABLED)
      acceptFindings(
        this.role,
        ['AwsSolutions-IAM5[Resource::*]'],
        'X-Ray knows no resources: whoever traces, traces anywhere.',
      );
    acceptFindings(this.logGroup, ['CKV_AWS_158'], ENCRYPTED_BY_AWS);
    acceptFindings(
      this.function,
      ['CKV_AWS_116'],
      'Called by the gateway alone, which waits for the answer: nothing is queued that could be lost.',
    );
    if (props.options?.vpc === undefined) acceptFindings(this.function, ['CKV_AWS_117'], OUTSIDE_A_VPC);
    else
      this.role.addManagedPolicy(
        ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaVPCAccessExecutionRole'),
      );
    acceptFindings(
      this.function,
      ['CKV_AWS_115'],
      "The gateway's throttling bounds it; concurrency.reserved of the environment sets a limit of its own where one is wanted.",
    );
    acceptFindings(this.function, ['CKV_AWS_173'], VARIABLES_ARE_NAMES);
    acceptFindings(this.function, ['W3005'], ORDER_OF_THE_CDK);

    this.live = new Alias(this, 'Live', {
      aliasName: 'live',
      version: this.function.currentVersion as IVersion,
      ...(provisioned === null ? {} : { provisionedConcurrentExecutions: provisioned }),
    });
  }
}
