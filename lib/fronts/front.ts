/**
 * A front: what stands between clients and the function. Each kind is a construct of its own; alarms,
 * dashboard, domain and outputs know only this.
 */
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, LogGroup, MetricFilter, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { LogsConfig, ThrottlingConfig } from '../../config/environment.ts';
import { METRIC_NAMESPACE } from '../../config/metrics.ts';
import type { CorsConfig } from '../../config/schema.ts';
import { ENCRYPTED_BY_AWS } from '../codec-function.ts';
import { acceptFindings } from '../findings.ts';
import { removalPolicyOf } from '../keys.ts';

/** What every kind of front is made with. */
export interface FrontProps {
  readonly environment: string;
  readonly handler: Alias;
  readonly cors: CorsConfig;
  readonly throttling: ThrottlingConfig;
  readonly logs: LogsConfig;
  readonly retain: boolean;
  readonly logsKey: IKey | undefined;
  /** Whether only the environment's own domain answers. */
  readonly disableDefaultEndpoint: boolean;
  /** Whether the environment has a sign-in of its own. */
  readonly signIn: boolean;
}

/** A front, as the rest of the stack sees it. */
export interface Front {
  /** The address without a domain of one's own: with `https://`, without trailing slash. */
  readonly endpoint: string;
  /** What a domain is mapped to. */
  readonly apiId: string;
  readonly stageName: string;
  readonly accessLogs: LogGroup;
  /** The gateway itself. */
  readonly api: CountingApi;
  /** Requests that the front answered 429, without the function. */
  readonly throttled: Metric;
}

/** Either kind of gateway of the CDK, by what CloudWatch counts at both, failures of the front itself included. */
export interface CountingApi {
  metricCount(options?: MetricOptions): Metric;
  metricClientError(options?: MetricOptions): Metric;
  metricServerError(options?: MetricOptions): Metric;
  /** Milliseconds until the front has answered. */
  metricLatency(options?: MetricOptions): Metric;
}

/** The pages of the sign-in; the function's sign-in routes answer them. */
export const SIGN_IN_PATHS = ['/', '/login', '/callback', '/logout'] as const;

/** The paths that say whether the server is alive, and whether it has a key. */
export const HEALTH_PATHS = ['/healthz', '/readyz'] as const;

// The log group of a front: one line a request, without headers, query or body, which carry tokens and payloads.

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
  readonly throttled: Metric;
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
    throttled: new Metric({ namespace: METRIC_NAMESPACE, metricName, statistic: 'Sum' }),
  };
}
