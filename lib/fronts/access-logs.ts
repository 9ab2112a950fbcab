/** The log group of a front: one line a request, without headers, query or body, which carry tokens and payloads. */
import type { MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, LogGroup, MetricFilter, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { METRIC_NAMESPACE } from '../../config/metrics.ts';
import { ENCRYPTED_BY_AWS } from '../codec-function.ts';
import { acceptFindings } from '../findings.ts';
import { removalPolicyOf } from '../retention.ts';
import type { FrontProps } from './front.ts';

/** What both kinds of gateway can say about a request. */
export const ACCESS_LOG = {
  time: '$context.requestTime',
  sourceIp: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  path: '$context.path',
  protocol: '$context.protocol',
  status: '$context.status',
  responseLength: '$context.responseLength',
  latencyMs: '$context.responseLatency',
  functionLatencyMs: '$context.integrationLatency',
  functionStatus: '$context.integrationStatus',
  gatewayError: '$context.error.responseType',
} as const;

/** Access logs, and the metric of what the gateway refused for being too much. */
export interface AccessLogs {
  readonly logGroup: LogGroup;
  readonly throttled: (options?: MetricOptions) => Metric;
}

/** Makes the group `AccessLogs` of a front. */
export function makeAccessLogs(front: Construct, { environment, logs, retain, logsKey }: FrontProps): AccessLogs {
  const logGroup = new LogGroup(front, 'AccessLogs', {
    retention: logs.retentionDays as RetentionDays,
    removalPolicy: removalPolicyOf(retain),
    ...(logsKey === undefined ? {} : { encryptionKey: logsKey }),
  });
  acceptFindings(logGroup, ['CKV_AWS_158'], ENCRYPTED_BY_AWS);
  // A filter with a dimension may have no default value, and without one the metric has gaps where it should have zeros.
  const metricName = `ThrottledByGateway-${environment}`;
  new MetricFilter(front, 'Throttled', {
    logGroup,
    filterPattern: FilterPattern.literal('{ $.status = "429" }'),
    metricNamespace: METRIC_NAMESPACE,
    metricName,
    metricValue: '1',
    defaultValue: 0,
  });
  return {
    logGroup,
    throttled: (options) => new Metric({ namespace: METRIC_NAMESPACE, metricName, statistic: 'Sum', ...options }),
  };
}
