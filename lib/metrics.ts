/** The function's own metrics, as CloudWatch sees them. */
import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { METRIC_DIMENSION, METRIC_NAMESPACE, type MetricName } from '../config/metrics.ts';

/** A metric of an environment: summed over a minute unless `statistic` says otherwise. */
export function serverMetric(environment: string, metricName: MetricName, statistic = 'Sum'): Metric {
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName,
    dimensionsMap: { [METRIC_DIMENSION]: environment },
    statistic,
    period: Duration.minutes(1),
  });
}
