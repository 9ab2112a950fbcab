/**
 * The alarm on requests that should have been served and were not, whatever the cause.
 *
 * It adds up half an hour, and weighs what was not served with its share of all: 40 requests when
 * nothing is served, 80 when half is, 200 when a fifth is. So it fires for a team of three that opens
 * four pages in that time, and not for one person among a hundred who tries an old history again and
 * again. Shares over five minutes, two of six, were simulated too: with a threshold that saw the same
 * outages they fired ten times a month for people's own mistakes. `bench/alarms.ts` has the model, and
 * docs/operate.md its table.
 */
import { Duration } from 'aws-cdk-lib';
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS } from '../../config/metrics.ts';
import type { FrontMetrics } from '../fronts/front.ts';
import { serverMetric } from '../metrics.ts';
import { NOT_SERVED } from './thresholds.ts';

/** The weighed requests: `notServed² / (notServed + served)`. The server writes zeros, so that a day without a fault has data in every part of the sum. */
export function notServedMetric(environment: string, front: FrontMetrics): MathExpression {
  const window = { period: Duration.minutes(NOT_SERVED.windowMinutes), statistic: 'Sum' };
  const bad = '(FILL(refused, 0) + FILL(errors, 0) + FILL(throttled, 0))';
  return new MathExpression({
    expression: `IF(${bad} > 0, ${bad} * ${bad} / (${bad} + FILL(served, 0)), 0)`,
    usingMetrics: {
      // Answers of the function that are no 5xx; those the gateway counts, together with its own.
      refused: serverMetric(environment, METRICS.notServed).with(window),
      served: serverMetric(environment, METRICS.served).with(window),
      errors: front.serverErrors(window),
      throttled: front.throttled(window),
    },
    label: 'requests not served, weighed with their share',
    period: window.period,
  });
}
