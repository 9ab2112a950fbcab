/** The dashboard for somebody who is called at night and has never seen this server. */
import { Aws, Duration } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IWidget,
  LogQueryWidget,
  MathExpression,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { METRICS, type MetricName } from '../config/metrics.ts';
import type { Front } from './fronts/front.ts';
import { serverMetric } from './metrics.ts';

export interface OperationsDashboardProps {
  readonly environment: string;
  readonly endpoint: string;
  readonly front: Front;
  readonly function: Alias;
  readonly functionLogs: ILogGroup;
  readonly auditLogs: ILogGroup;
  readonly alarms: readonly Alarm[];
  /** Whether a schedule asks the server if it could serve somebody. */
  readonly canary: boolean;
  /** Whether the environment has a sign-in of its own. */
  readonly signIn: boolean;
}

const MINUTE = { period: Duration.minutes(1) };
const SUM = { ...MINUTE, statistic: 'Sum' };

/** From what to do to what went wrong: the widgets of each row, in the order in which they stand. */
export class OperationsDashboard extends Construct {
  readonly dashboard: Dashboard;
  readonly #props: OperationsDashboardProps;

  constructor(scope: Construct, id: string, props: OperationsDashboardProps) {
    super(scope, id);
    this.#props = props;
    this.dashboard = new Dashboard(this, 'Dashboard', {
      // Dashboards are an account's, not a Region's.
      dashboardName: `codec-server-${props.environment}-${Aws.REGION}`,
      defaultInterval: Duration.hours(3),
      widgets: [...this.#introduction(), this.#traffic(), this.#dependencies(), this.#logs()],
    });
  }

  /** What to do, and the alarms where there are any. */
  #introduction(): IWidget[][] {
    const { environment, endpoint, alarms } = this.#props;
    const text = new TextWidget({
      width: 24,
      height: 4,
      markdown: [
        `# Codec server, ${environment}`,
        `The Temporal Web UI and CLI send encrypted payloads to ${endpoint} and get them back readable. When it is down, workflows run on: **people see ciphertext**, nothing is lost.`,
        '1. Red alarms say in their description what to do. 2. 5xx: *Cannot answer* shows which dependency. 3. Slow: compare the latency of gateway and KMS-bound misses, and look at cold starts. 4. "I cannot read": *Denied* says who, and where; a rule in the environment’s `access` lets them in.',
      ].join('\n\n'),
    });
    if (alarms.length === 0) return [[text]];
    return [[text], [new AlarmStatusWidget({ title: 'Alarms', width: 24, height: 3, alarms: [...alarms] })]];
  }

  /** Requests, their latency, and what became of payloads. */
  #traffic(): IWidget[] {
    const { front, environment } = this.#props;
    const calls = serverMetric(environment, METRICS.kmsCalls);
    const spent = serverMetric(environment, METRICS.kmsDuration);
    return [
      graph('Requests a minute', [
        front.api.metricCount({ ...SUM, label: 'all' }),
        this.#sum(METRICS.served, 'served'),
        this.#sum(METRICS.notServed, 'should have been served and were not, 5xx apart'),
        front.api.metricClientError({ ...SUM, label: '4xx: not signed in, not allowed, not the protocol' }),
        front.api.metricServerError({ ...SUM, label: '5xx: our fault, or a dependency’s' }),
        front.throttled.with({ ...SUM, label: '429: more than throttling allows' }),
        this.#sum(METRICS.unauthenticated, 'without a valid identity'),
      ]),
      graph('Latency, ms: at the gateway, in the function, of a call to KMS', [
        ...['p50', 'p90', 'p99'].map((statistic) =>
          front.api.metricLatency({ ...MINUTE, statistic, label: statistic }),
        ),
        serverMetric(environment, METRICS.duration, 'p99').with({ label: 'in the function, p99' }),
        new MathExpression({
          expression: 'spent / calls',
          usingMetrics: { spent, calls },
          label: 'a call to KMS, average',
          ...MINUTE,
        }),
      ]),
      graph('Payloads a minute', [
        this.#sum(METRICS.decoded, 'decoded'),
        this.#sum(METRICS.encoded, 'encoded'),
        this.#sum(METRICS.unchanged, 'not ours, unchanged'),
        this.#sum(METRICS.denied, 'denied'),
        this.#sum(METRICS.cannotOpen, 'cannot be opened'),
      ]),
    ];
  }

  /** Data keys, what else requests depend on, and the function itself. */
  #dependencies(): IWidget[] {
    const { environment, signIn, canary, function: codec } = this.#props;
    const hits = serverMetric(environment, METRICS.keyCacheHits);
    const misses = serverMetric(environment, METRICS.keyCacheMisses);
    return [
      new GraphWidget({
        title: 'Data keys: cache hits, and misses (calls to KMS)',
        width: 8,
        left: [hits.with({ label: 'hits' }), misses.with({ label: 'misses' })],
        right: [
          new MathExpression({
            expression: '100 * hits / (hits + misses)',
            usingMetrics: { hits, misses },
            label: 'hit rate, %',
            ...MINUTE,
          }),
        ],
        rightYAxis: { min: 0, max: 100 },
      }),
      graph('Cannot answer: requests that failed because of', [
        this.#sum(METRICS.kmsUnavailable, 'KMS out of reach or throttling'),
        this.#sum(METRICS.kmsThrottled, 'calls that KMS throttled'),
        this.#sum(METRICS.kmsUnreachable, 'calls that KMS did not answer'),
        this.#sum(METRICS.keyAccessDenied, 'KMS denies the key (payloads)'),
        this.#sum(METRICS.keyDisabled, 'key disabled or deleted (payloads)'),
        this.#sum(METRICS.jwksUnavailable, "issuer's signing keys"),
        this.#sum(METRICS.jwksFetchFailures, "fetches of an issuer's keys that failed"),
        this.#sum(METRICS.secretsUnavailable, 'Secrets Manager'),
        this.#sum(METRICS.cloudOpsUnavailable, 'Temporal Cloud Ops API'),
        this.#sum(METRICS.roleLookupFailures, 'questions to the Cloud Ops API that failed'),
        this.#sum(METRICS.storageUnavailable, 'S3'),
        ...(signIn
          ? [
              this.#sum(METRICS.providerUnavailable, 'identity provider (signing in)'),
              this.#sum(METRICS.providerRefused, 'exchanges that the identity provider refused'),
            ]
          : []),
      ]),
      graph('Function', [
        codec.metric('ConcurrentExecutions', { ...MINUTE, statistic: 'Maximum', label: 'instances at once' }),
        codec.metricErrors({ ...SUM, label: 'crashes and timeouts' }),
        codec.metricThrottles({ ...SUM, label: 'throttled' }),
        ...(canary ? [this.#sum(METRICS.canaryFailed, 'canary not served')] : []),
      ]),
    ];
  }

  /** Who was denied what, who came without an identity, and what went wrong. */
  #logs(): IWidget[] {
    const audit = [this.#props.auditLogs.logGroupName];
    return [
      new LogQueryWidget({
        title: 'Denied: who, and where',
        width: 9,
        height: 8,
        logGroupNames: audit,
        queryLines: [
          'filter payloads.denied > 0',
          'stats sum(payloads.denied) as denied, latest(@timestamp) as last by caller.email, caller.subject, namespaces.denied.0',
          'sort denied desc',
          'limit 20',
        ],
      }),
      new LogQueryWidget({
        title: 'Without a valid identity, by reason',
        width: 6,
        height: 8,
        logGroupNames: audit,
        queryLines: [
          'filter ispresent(unauthenticated)',
          'stats count(*) as requests, latest(@timestamp) as last by unauthenticated',
          'sort requests desc',
        ],
      }),
      new LogQueryWidget({
        title: 'Cold starts and what went wrong',
        width: 9,
        height: 8,
        logGroupNames: [this.#props.functionLogs.logGroupName],
        queryLines: [
          'filter ispresent(record.metrics.initDurationMs) or level in ["WARN", "ERROR", "FATAL"]',
          'fields @timestamp, level, message, error.message, record.metrics.initDurationMs as coldStartMs',
          'sort @timestamp desc',
          'limit 50',
        ],
      }),
    ];
  }

  #sum(name: MetricName, label: string) {
    return serverMetric(this.#props.environment, name).with({ label });
  }
}

function graph(title: string, left: NonNullable<ConstructorParameters<typeof GraphWidget>[0]['left']>): IWidget {
  return new GraphWidget({ title, width: 8, left, leftYAxis: { min: 0 } });
}
