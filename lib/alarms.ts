/**
 * Alarms, each of which means that somebody has to do something; what, stands in its description.
 * Missing data is fine: nobody reads payloads at night.
 */
import { Duration, Fn } from 'aws-cdk-lib';
import type { HttpApi, HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { Alarm, ComparisonOperator, type IMetric, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Alias, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { AlarmsConfig, ConcurrencyConfig } from '../config/environment.ts';
import { METRICS } from '../config/metrics.ts';
import { serverMetric } from './metrics.ts';

const DEFAULT_LATENCY_P99_MS = 3000;
const DEFAULT_DENIALS = 200;
/** Sign-ins that failed within five minutes: more than one person who tries twice. */
const PROVIDER_FAILURES = 3;

export interface AlarmsProps {
  readonly environment: string;
  readonly config: AlarmsConfig;
  readonly concurrency: ConcurrencyConfig;
  readonly api: HttpApi;
  readonly stage: HttpStage;
  readonly function: Alias;
  readonly auditForwarder: LambdaFunction;
  /** ARNs of the KMS keys in use, watched for being disabled or deleted. */
  readonly keyArns: readonly string[];
  /** Encrypts the topic made here; undefined for none. */
  readonly key: IKey | undefined;
  /** Whether the environment has a sign-in of its own. */
  readonly signIn: boolean;
}

/** What one alarm watches. */
interface Watch {
  readonly id: string;
  readonly metric: IMetric;
  readonly threshold: number;
  /** Minutes in a row. Default 1. */
  readonly minutes?: number;
  /** What it means, and what to do. */
  readonly description: string;
}

export class Alarms extends Construct {
  readonly topic: ITopic | undefined;
  readonly all: readonly Alarm[];
  readonly #props: AlarmsProps;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.#props = props;
    this.topic = this.#topic();
    this.all = this.#watches().map((watch) => this.#alarm(watch));
    if (this.topic !== undefined && props.keyArns.length > 0) this.#watchKeys(this.topic);
  }

  #watches(): Watch[] {
    const { environment, config, api, function: codec, auditForwarder, concurrency, signIn } = this.#props;
    const minute = { period: Duration.minutes(1) };
    const sum = { ...minute, statistic: 'Sum' };
    const server = (name: Parameters<typeof serverMetric>[1]) => serverMetric(environment, name);
    const watches: Watch[] = [
      {
        id: 'FunctionErrors',
        metric: codec.metricErrors(sum),
        threshold: 1,
        description: 'The function crashed, ran out of memory or out of time. Read its log group around this minute.',
      },
      {
        id: 'FunctionThrottles',
        metric: codec.metricThrottles(sum),
        threshold: 1,
        minutes: 2,
        description:
          "Requests found no instance: raise concurrency.reserved, or the account's Lambda quota for concurrent executions.",
      },
      {
        id: 'ServerErrors',
        metric: new MathExpression({
          expression: 'IF(requests >= 20, 100 * errors / requests, 0)',
          usingMetrics: { errors: api.metricServerError(sum), requests: api.metricCount(sum) },
          label: 'share of 5xx in percent',
          ...minute,
        }),
        threshold: 5,
        minutes: 3,
        description: 'More than 5 % of requests fail with 5xx. The dashboard shows which dependency cannot answer.',
      },
      {
        id: 'Latency',
        metric: api.metricLatency({ ...minute, statistic: 'p99' }),
        threshold: config.latencyP99Ms ?? DEFAULT_LATENCY_P99_MS,
        minutes: 5,
        description:
          'Pages take long to become readable. Cold starts (set concurrency.provisioned), or a slow KMS: see the dashboard.',
      },
      {
        id: 'KmsUnavailable',
        metric: new MathExpression({
          expression: 'FILL(unavailable, 0) + FILL(throttled, 0)',
          usingMetrics: { unavailable: server(METRICS.kmsUnavailable), throttled: server(METRICS.kmsThrottled) },
          label: 'requests without a key, and throttled calls',
          ...minute,
        }),
        threshold: 5,
        minutes: 2,
        description: 'KMS throttles or cannot be reached. Look at the KMS request quota of the account and Region.',
      },
      {
        id: 'KmsDenied',
        metric: server(METRICS.keyAccessDenied),
        threshold: 1,
        description:
          'KMS refuses a configured key to the function: its key policy, in another account perhaps, does not allow the role.',
      },
      {
        id: 'KeyDisabled',
        metric: server(METRICS.keyDisabled),
        threshold: 1,
        description:
          'Payloads need a key that is disabled or about to be deleted. Enable it, or cancel its deletion, now.',
      },
      {
        id: 'JwksUnavailable',
        metric: server(METRICS.jwksFetchFailures),
        threshold: 3,
        minutes: 3,
        description:
          "The issuer's signing keys cannot be fetched; when the known ones are too old, nobody can be verified. Look at the issuer's status.",
      },
      {
        id: 'Denials',
        metric: serverMetric(environment, METRICS.denied).with({ period: Duration.minutes(5) }),
        threshold: config.denials ?? DEFAULT_DENIALS,
        description:
          'Many payloads were denied: somebody looks where they may not, or a rule is missing. The audit log names them.',
      },
      {
        id: 'AuditForwarding',
        metric: auditForwarder.metricErrors(sum),
        threshold: 1,
        description:
          "Audit lines did not reach their log group and are tried again. They are also in the function's log group.",
      },
    ];
    if (signIn) {
      watches.push({
        id: 'ProviderUnavailable',
        metric: server(METRICS.providerUnavailable).with({ period: Duration.minutes(5) }),
        threshold: PROVIDER_FAILURES,
        description:
          "The identity provider does not answer: nobody new can sign in, and who is signed in reads on. Look at the provider's status.",
      });
    }
    if (concurrency.provisioned !== null) {
      watches.push({
        id: 'ProvisionedSpillover',
        metric: codec.metric('ProvisionedConcurrencySpilloverInvocations', sum),
        threshold: 1,
        minutes: 15,
        description:
          'For a quarter of an hour there were more requests than warm instances: raise concurrency.provisioned.',
      });
    }
    return watches;
  }

  #alarm({ id, metric, threshold, minutes = 1, description }: Watch): Alarm {
    const alarm = new Alarm(this, id, {
      alarmDescription: `Codec server, ${this.#props.environment}: ${description}`,
      metric,
      threshold,
      evaluationPeriods: minutes,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (this.topic !== undefined) {
      alarm.addAlarmAction(new SnsAction(this.topic));
      alarm.addOkAction(new SnsAction(this.topic));
    }
    return alarm;
  }

  #topic(): ITopic | undefined {
    const { config, environment, key } = this.#props;
    if (config.topic === null) return undefined;
    if (config.topic !== 'created-by-stack') return Topic.fromTopicArn(this, 'Topic', config.topic.arn);
    const topic = new Topic(this, 'Topic', {
      displayName: `Codec server, ${environment}`,
      enforceSSL: true,
      ...(key === undefined ? {} : { masterKey: key }),
    });
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsAndEventsOfThisAccount',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com'), new ServicePrincipal('events.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': topic.env.account } },
      }),
    );
    return topic as ITopic;
  }

  /** Tells at once, and not only when the first payload cannot be opened: a deletion can be cancelled for 30 days. */
  #watchKeys(topic: ITopic): void {
    // CloudTrail has what the caller named the key by: its ARN or its id.
    const keyIds = this.#props.keyArns.flatMap((arn) => [arn, Fn.select(1, Fn.split('/', arn))]);
    new Rule(this, 'KeyWatch', {
      description: `Codec server, ${this.#props.environment}: a key was disabled or is to be deleted (needs CloudTrail).`,
      eventPattern: {
        source: ['aws.kms'],
        detailType: ['AWS API Call via CloudTrail'],
        detail: {
          eventSource: ['kms.amazonaws.com'],
          eventName: ['DisableKey', 'ScheduleKeyDeletion'],
          requestParameters: { keyId: keyIds },
        },
      },
      targets: [new SnsTopic(topic)],
    });
  }
}
