/**
 * The audit log group, apart from what the function logs otherwise.
 *
 * The function writes its audit line to standard output like any other, which costs a request
 * microseconds and needs no permission; CloudWatch Logs hands the lines marked as audit to a
 * forwarder of a few lines, which puts them into a group of its own. So the group may be kept for
 * years and read by auditors alone, and the function, the one part that meets strangers' input, can
 * neither write nor delete there. A delivery that fails three times goes to a queue; and until their
 * retention ends the lines are also in the function's group.
 */
import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Code, Function as LambdaFunction, LoggingFormat } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { FilterPattern, LogGroup, LogStream, type RetentionDays, SubscriptionFilter } from 'aws-cdk-lib/aws-logs';
import { LambdaDestination } from 'aws-cdk-lib/aws-logs-destinations';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import {
  ENCRYPTED_BY_AWS,
  FUNCTION_ARCHITECTURE,
  FUNCTION_RUNTIME,
  ORDER_OF_THE_CDK,
  OUTSIDE_A_VPC,
  VARIABLES_ARE_NAMES,
} from './codec-function.ts';
import { acceptFindings } from './findings.ts';
import { removalPolicyOf } from './keys.ts';

export interface AuditLogProps {
  /** The group of the function whose audit lines are forwarded. */
  readonly functionLogs: LogGroup;
  readonly retentionDays: number;
  /** Days that the forwarder's own, nearly empty log is kept. */
  readonly operationsRetentionDays: number;
  readonly retain: boolean;
  /** Encrypts the group; undefined for the key of CloudWatch Logs. */
  readonly key: IKey | undefined;
}

/** Marks the audit line among the lines of the function, as `lambda/audit/` writes it. */
const AUDIT_LINES = '{ $.type = "audit" }';

/** The stream within the audit group. One is enough: CloudWatch Logs limits a group's writes, not a stream's. */
const STREAM = 'audit';

/** Times that Lambda tries again what fails, one and two minutes later: the most it offers. What it throttles it tries for six hours. */
const RETRIES = 2;

/** Days that a failed delivery waits for somebody: the most that SQS offers. */
const UNDELIVERED_DAYS = 14;

/** Puts the lines of a subscription's delivery into the audit group; what fails, Lambda tries again. */
const FORWARDER = `
const { gunzipSync } = require('node:zlib');
const { CloudWatchLogsClient, PutLogEventsCommand } = require('@aws-sdk/client-cloudwatch-logs');
const client = new CloudWatchLogsClient({});
const { AUDIT_LOG_GROUP: logGroupName, AUDIT_LOG_STREAM: logStreamName } = process.env;
const MOST_BYTES = 1000000; // PutLogEvents takes 1,048,576
const EVENT_OVERHEAD_BYTES = 26; // what PutLogEvents counts for an event besides its message
const MOST_EVENTS = 10000;

exports.handler = async ({ awslogs }) => {
  const { messageType, logEvents } = JSON.parse(gunzipSync(Buffer.from(awslogs.data, 'base64')).toString('utf8'));
  if (messageType !== 'DATA_MESSAGE') return;
  const lines = logEvents
    .map(({ timestamp, message }) => ({ timestamp, message }))
    .sort((a, b) => a.timestamp - b.timestamp);
  let batch = [];
  let bytes = 0;
  for (const line of lines) {
    const size = Buffer.byteLength(line.message) + EVENT_OVERHEAD_BYTES;
    if (bytes + size > MOST_BYTES || batch.length === MOST_EVENTS) {
      await put(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(line);
    bytes += size;
  }
  if (batch.length > 0) await put(batch);
};

async function put(logEvents) {
  const { rejectedLogEventsInfo } = await client.send(
    new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }),
  );
  if (rejectedLogEventsInfo) throw new Error('CloudWatch Logs took only a part of the audit lines');
}
`.trim();

/** The group, and what fills it. */
export class AuditLog extends Construct {
  readonly logGroup: LogGroup;
  readonly forwarder: LambdaFunction;
  /** Deliveries that the forwarder could not put into the group, for 14 days. */
  readonly undelivered: Queue;
  /** The forwarder's own log. */
  readonly forwarderLogs: LogGroup;

  constructor(scope: Construct, id: string, props: AuditLogProps) {
    super(scope, id);
    const encryption = props.key === undefined ? {} : { encryptionKey: props.key };
    this.logGroup = new LogGroup(this, 'Group', {
      retention: props.retentionDays as RetentionDays,
      removalPolicy: removalPolicyOf(props.retain),
      ...encryption,
    });
    const stream = new LogStream(this, 'Stream', {
      logGroup: this.logGroup,
      logStreamName: STREAM,
      removalPolicy: removalPolicyOf(props.retain),
    });
    this.forwarderLogs = new LogGroup(this, 'ForwarderLogs', {
      retention: props.operationsRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
      ...encryption,
    });

    const role = new Role(this, 'ForwarderRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    for (const [sid, group] of [
      ['AuditLines', this.logGroup],
      ['OwnLog', this.forwarderLogs],
    ] as const) {
      role.addToPolicy(
        new PolicyStatement({
          sid,
          actions: ['logs:PutLogEvents', ...(group === this.forwarderLogs ? ['logs:CreateLogStream'] : [])],
          resources: [group.logGroupArn],
        }),
      );
    }
    this.undelivered = new Queue(this, 'Undelivered', {
      retentionPeriod: Duration.days(UNDELIVERED_DAYS),
      enforceSSL: true,
      removalPolicy: removalPolicyOf(props.retain),
      ...(props.key === undefined
        ? { encryption: QueueEncryption.SQS_MANAGED }
        : { encryption: QueueEncryption.KMS, encryptionMasterKey: props.key }),
    });
    if (props.key === undefined) acceptFindings(this.undelivered, ['CKV_AWS_27'], ENCRYPTED_BY_AWS);
    acceptFindings(
      this.undelivered,
      ['AwsSolutions-SQS3'],
      'It is the queue of what failed; an alarm tells of its first message.',
    );
    if (props.key !== undefined) {
      role.addToPolicy(
        new PolicyStatement({
          sid: 'UndeliveredKey',
          actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
          resources: [props.key.keyArn],
          conditions: { StringEquals: { 'kms:ViaService': `sqs.${Aws.REGION}.${Aws.URL_SUFFIX}` } },
        }),
      );
    }
    this.forwarder = new LambdaFunction(this, 'Forwarder', {
      description: 'Puts the audit lines of the codec server into their own log group.',
      code: Code.fromInline(FORWARDER),
      handler: 'index.handler',
      runtime: FUNCTION_RUNTIME,
      architecture: FUNCTION_ARCHITECTURE,
      memorySize: 256,
      timeout: Duration.seconds(60),
      role,
      logGroup: this.forwarderLogs,
      loggingFormat: LoggingFormat.JSON,
      retryAttempts: RETRIES,
      // The queue as somebody without its key sees it: the CDK would let the forwarder decrypt everything under that key.
      onFailure: new SqsDestination(
        Queue.fromQueueAttributes(this, 'UndeliveredTarget', { queueArn: this.undelivered.queueArn }),
      ),
      environment: { AUDIT_LOG_GROUP: this.logGroup.logGroupName, AUDIT_LOG_STREAM: STREAM },
    });
    this.forwarder.node.addDependency(stream);
    for (const group of [this.logGroup, this.forwarderLogs]) acceptFindings(group, ['CKV_AWS_158'], ENCRYPTED_BY_AWS);
    acceptFindings(this.forwarder, ['CKV_AWS_117'], OUTSIDE_A_VPC);
    acceptFindings(this.forwarder, ['CKV_AWS_173'], VARIABLES_ARE_NAMES);
    acceptFindings(this.forwarder, ['W3005'], ORDER_OF_THE_CDK);
    acceptFindings(
      this.forwarder,
      ['CKV_AWS_116'],
      'A delivery that fails goes to the queue as an on-failure destination, which holds more of it than a dead-letter queue.',
    );
    acceptFindings(
      this.forwarder,
      ['CKV_AWS_115'],
      'Its work is a copy of what the function writes, in batches, and is bounded by it.',
    );
    new SubscriptionFilter(this, 'AuditLines', {
      logGroup: props.functionLogs,
      destination: new LambdaDestination(this.forwarder),
      filterPattern: FilterPattern.literal(AUDIT_LINES),
      filterName: 'audit',
    });
  }
}
