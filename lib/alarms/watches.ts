/** What is watched, from which threshold it is an alarm, and what it means. */
import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Alias, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { AlarmsConfig, ConcurrencyConfig } from '../../config/environment.ts';
import { METRICS } from '../../config/metrics.ts';
import type { Front } from '../fronts/front.ts';
import { serverMetric } from '../metrics.ts';

/** Minutes from one question to the next: longer than a data key is cached by default, so that KMS is asked each time. */
export const CANARY_MINUTES = 6;

/** Figures of alarms that are also played through in `bench/alarms/`. */

/** Of the alarm on requests that were not served. */
export const NOT_SERVED = {
  /** CloudWatch looks at the last half hour every minute. */
  windowMinutes: 30,
  /** A page of the Web UI sends up to 36 requests: one page is not an outage, and two are. */
  threshold: 40,
} as const;

// The alarm on requests that should have been served and were not, whatever the cause.
//
// It adds up half an hour, and weighs what was not served with its share of all: 40 requests when
// nothing is served, 80 when half is, 200 when a fifth is. So it fires for a team of three that opens
// four pages in that time, and not for one person among a hundred who tries an old history again and
// again. Shares over five minutes, two of six, were simulated too: with a threshold that saw the same
// outages they fired ten times a month for people's own mistakes. `bench/alarms.ts` has the model, and
// docs/operate.md its table.

/** The weighed requests: `notServed² / (notServed + served)`. The server writes zeros, so that a day without a fault has data in every part of the sum. */
function notServedMetric(environment: string, front: Front): MathExpression {
  const window = { period: Duration.minutes(NOT_SERVED.windowMinutes), statistic: 'Sum' };
  const bad = '(FILL(refused, 0) + FILL(errors, 0) + FILL(throttled, 0))';
  return new MathExpression({
    expression: `IF(${bad} > 0, ${bad} * ${bad} / (${bad} + FILL(served, 0)), 0)`,
    usingMetrics: {
      // Answers of the function that are no 5xx; those the gateway counts, together with its own.
      refused: serverMetric(environment, METRICS.notServed).with(window),
      served: serverMetric(environment, METRICS.served).with(window),
      errors: front.api.metricServerError(window),
      throttled: front.throttled.with(window),
    },
    label: 'requests not served, weighed with their share',
    period: window.period,
  });
}

const DEFAULT_LATENCY_P99_MS = 3000;
const DEFAULT_DENIALS = 200;
/** Sign-ins that failed within a quarter of an hour: more than one person who tries twice. */
const PROVIDER_FAILURES = 3;

/** What alarms are about. */
export interface Watched {
  readonly environment: string;
  readonly config: AlarmsConfig;
  readonly concurrency: ConcurrencyConfig;
  readonly front: Front;
  readonly function: Alias;
  readonly audit: { readonly forwarder: LambdaFunction; readonly undelivered: IQueue };
  /** Whether the environment has a sign-in of its own. */
  readonly signIn: boolean;
}

/** What one alarm watches. */
export interface Watch {
  readonly id: string;
  readonly metric: IMetric;
  readonly threshold: number;
  /** Periods of the metric in a row. Default 1. */
  readonly periods?: number;
  /** What a period without data means. Default: nothing. */
  readonly missing?: TreatMissingData;
  /** What it means, and what to do. */
  readonly description: string;
}

/** The alarms of an environment. */
export function watchesOf(watched: Watched): Watch[] {
  const { environment, config, front, function: codec, concurrency, signIn } = watched;
  const minute = { period: Duration.minutes(1) };
  const sum = { ...minute, statistic: 'Sum' };
  const quarter = { period: Duration.minutes(15) };
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
      periods: 2,
      description:
        "Requests found no instance: raise concurrency.reserved, or the account's Lambda quota for concurrent executions.",
    },
    {
      id: 'NotServed',
      metric: notServedMetric(environment, front),
      threshold: NOT_SERVED.threshold,
      description:
        'Requests that should have been served were not: tokens refused, a gateway that throttles, 5xx, or payloads that stay closed though their reader has the right.',
    },
    {
      id: 'Latency',
      metric: front.api.metricLatency({ ...minute, statistic: 'p99' }),
      threshold: config.latencyP99Ms ?? DEFAULT_LATENCY_P99_MS,
      periods: 5,
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
      periods: 2,
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
      periods: 3,
      description:
        "The issuer's signing keys cannot be fetched; when the known ones are too old, nobody can be verified. Look at the issuer's status.",
    },
    {
      id: 'SecretsUnusable',
      metric: server(METRICS.secretsUnusable),
      threshold: 1,
      description:
        'A secret can be reached and cannot be used: what it held before ends within minutes, a revocation in it perhaps not at all as meant. The log says what is wrong with it.',
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
      metric: watched.audit.forwarder.metricErrors(sum),
      threshold: 1,
      description:
        'Audit lines did not reach their log group at the first attempt. Lambda tries twice more; what fails then is kept in a queue.',
    },
    {
      id: 'AuditLinesKept',
      metric: watched.audit.undelivered.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(5),
        statistic: 'Maximum',
      }),
      threshold: 1,
      description: 'Audit lines wait in the queue of what could not be delivered. Put them into the audit group.',
    },
    {
      id: 'AuditLinesLost',
      metric: new MathExpression({
        expression: 'FILL(dropped, 0) + FILL(undeliverable, 0)',
        usingMetrics: {
          dropped: watched.audit.forwarder.metric('AsyncEventsDropped', sum),
          undeliverable: watched.audit.forwarder.metric('DestinationDeliveryFailures', sum),
        },
        label: 'deliveries of audit lines that were dropped',
        ...minute,
      }),
      threshold: 1,
      description:
        "Audit lines reached neither their log group nor the queue. They are still in the function's log group: copy them from there before they expire.",
    },
  ];
  if (signIn) {
    watches.push({
      id: 'ProviderUnavailable',
      metric: new MathExpression({
        expression: 'FILL(unavailable, 0) + FILL(refused, 0)',
        usingMetrics: {
          unavailable: server(METRICS.providerUnavailable).with(quarter),
          refused: server(METRICS.providerRefused).with(quarter),
        },
        label: 'sign-ins that the provider did not finish',
        ...quarter,
      }),
      threshold: PROVIDER_FAILURES,
      description:
        "The identity provider does not answer, or refuses this server: nobody new can sign in; who is signed in can go on reading. Look at the provider's status, and at the client secret.",
    });
  }
  if (config.canary) {
    const window = { period: Duration.minutes(CANARY_MINUTES) };
    watches.push({
      id: 'Canary',
      metric: server(METRICS.canaryFailed).with(window),
      threshold: 1,
      periods: 2,
      // Whoever does not answer at all has sung no better.
      missing: TreatMissingData.BREACHING,
      description:
        'Twice in a row the server could not seal and open a payload of its own, or was not there to be asked: nobody could read now.',
    });
  }
  if (concurrency.provisioned !== null) {
    watches.push({
      id: 'ProvisionedSpillover',
      metric: codec.metric('ProvisionedConcurrencySpilloverInvocations', sum),
      threshold: 1,
      periods: 15,
      description:
        'For a quarter of an hour there were more requests than warm instances: raise concurrency.provisioned.',
    });
  }
  return watches;
}
