/**
 * A front: what stands between clients and the function. Each kind is a construct of its own; alarms,
 * dashboard, domain and outputs know only this.
 */
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { LogsConfig, ThrottlingConfig } from '../../config/environment.ts';
import type { CorsConfig } from '../../config/schema.ts';

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
  readonly metrics: FrontMetrics;
}

/** What CloudWatch counts at the front, failures of the front itself included. */
export interface FrontMetrics {
  readonly requests: (options?: MetricOptions) => Metric;
  readonly clientErrors: (options?: MetricOptions) => Metric;
  readonly serverErrors: (options?: MetricOptions) => Metric;
  /** Milliseconds until the front has answered. */
  readonly latency: (options?: MetricOptions) => Metric;
  /** Requests that the front answered 429, without the function. */
  readonly throttled: (options?: MetricOptions) => Metric;
}

/** The pages of the sign-in; the function's sign-in routes answer them. */
export const SIGN_IN_PATHS = ['/', '/login', '/callback', '/logout'] as const;

/** The paths that say whether the server is alive, and whether it has a key. */
export const HEALTH_PATHS = ['/healthz', '/readyz'] as const;
