/**
 * An environment on AWS: a codec server's configuration and how it is deployed. One file of this
 * folder each; every file whose default export is an {@link EnvironmentConfig} is an environment,
 * and its stack is `CodecServer-<file name>`.
 */
import type { CodecServerConfig } from './schema.ts';

/** What a file such as `environments/dev.ts` exports by default. */
export interface EnvironmentConfig extends CodecServerConfig {
  readonly deployment: DeploymentConfig;
}

/** Where a configuration runs: only on AWS is there a stack, which makes keys and buckets. */
export type Place = 'local' | 'aws';

/** How an environment is deployed. */
export interface DeploymentConfig {
  /**
   * The account and Region it belongs to; deploying it elsewhere is then refused. `null`: wherever
   * the AWS credentials of the moment point, which is convenient for a trial and a risk in production.
   */
  readonly target: { readonly account: string; readonly region: string } | null;
  /**
   * What happens to the KMS key, the secrets and the logs when the stack is deleted. `retain`: they
   * stay, so that histories remain readable. `destroy`: they go, and everything encrypted under the
   * key is lost for good after the key's waiting period of 30 days.
   */
  readonly onDelete: 'retain' | 'destroy';
  /** Whether CloudFormation refuses to delete the stack until this is switched off. */
  readonly terminationProtection: boolean;
  readonly logs: LogsConfig;
  readonly throttling: ThrottlingConfig;
  readonly concurrency: ConcurrencyConfig;
  /** What stands between clients and the function. Default `'http-api'`: open to the internet, and the cheapest. */
  readonly front?: FrontConfig;
  /** A name of your own instead of `…execute-api….amazonaws.com`. `null`: none. */
  readonly domain: DomainConfig | null;
  /** Alarms, and who hears them. `null`: no alarms. */
  readonly alarms: AlarmsConfig | null;
  /** Tags on every resource of the stack. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Where `docs/` of your team tells people what to do when they cannot read; part of the text for the Namespace settings. */
  readonly helpUrl?: string;
}

/** The kinds of front; docs/network.md says which one fits. */
export type FrontConfig = 'http-api' | RestApiConfig;

/** A REST API: for networks that are not open, for a web ACL, and for tracing. */
export interface RestApiConfig {
  readonly type: 'rest-api';
  readonly reach: FrontReach;
  /** A web ACL of AWS WAF (scope REGIONAL, in the stack's Region) that every request passes. `null`: none. */
  readonly webAcl: { readonly arn: string } | null;
  /** Whether requests are traced with X-Ray. */
  readonly tracing: boolean;
}

/**
 * Who can reach the API at all; who may read is decided by tokens and rules in any case.
 *
 * - `internet`: everybody
 * - `addresses`: these public addresses, as `203.0.113.0/24` or `2001:db8::/32`
 * - `vpcEndpoints`: requests through these interface endpoints for `execute-api`, and nobody else
 */
export type FrontReach =
  | 'internet'
  | { readonly addresses: readonly string[] }
  | { readonly vpcEndpoints: readonly string[] };

/** Whether a front is a REST API. */
export function isRestApi(front: FrontConfig | undefined): front is RestApiConfig {
  return typeof front === 'object';
}

/** Whether only VPC endpoints reach a front. */
export function isPrivate(front: FrontConfig | undefined): front is RestApiConfig {
  return isRestApi(front) && typeof front.reach === 'object' && 'vpcEndpoints' in front.reach;
}

/** What is written down, and for how long. */
export interface LogsConfig {
  /** The least severe application line that is kept. The audit line is always kept. */
  readonly level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  /** Days that the function's and the gateway's logs are kept: a value CloudWatch Logs knows. */
  readonly retentionDays: number;
  /** Days that the audit log group is kept: a value CloudWatch Logs knows. */
  readonly auditRetentionDays: number;
  /**
   * Who holds the key that encrypts logs, secrets and alarm messages at rest. `aws`: AWS does, at no
   * cost. `customer-managed`: a KMS key of its own in this stack, $1 a month, whose use shows in CloudTrail.
   */
  readonly encryption: 'aws' | 'customer-managed';
}

/** Requests that the gateway lets through; above that it answers 429 without waking the function. */
export interface ThrottlingConfig {
  /** Steady requests a second. */
  readonly rate: number;
  /** Requests at once: a page of the Web UI sends up to 100, so stay well above that. */
  readonly burst: number;
}

/** Function instances. One instance answers one request at a time. */
export interface ConcurrencyConfig {
  /** The most instances at a time, taken out of the account's quota for this function alone. `null`: the account's. */
  readonly reserved: number | null;
  /** Instances kept warm, paid by the hour. `null`: none, and a page after a pause starts cold. */
  readonly provisioned: number | null;
}

/** A domain name of your own. */
export interface DomainConfig {
  /** Such as `codec.example.com`. */
  readonly name: string;
  /** ARN of an ACM certificate for the name, in the Region of the stack. */
  readonly certificateArn: string;
  /** The Route 53 zone in which the stack makes the record. `null`: you make a CNAME to the output `DomainTarget`. */
  readonly hostedZone: { readonly id: string; readonly name: string } | null;
  /** Whether `…execute-api….amazonaws.com` keeps answering beside it. */
  readonly keepDefaultEndpoint: boolean;
}

/** Alarms and their thresholds. */
export interface AlarmsConfig {
  /** SNS topic that hears every alarm and its end. `created-by-stack`: subscribe to the output `AlarmTopicArn`. `null`: shown in CloudWatch only. */
  readonly topic: 'created-by-stack' | { readonly arn: string } | null;
  /** Milliseconds of the 99th percentile of a request above which people complain. Default 3,000. */
  readonly latencyP99Ms?: number;
  /**
   * Payloads denied within five minutes that deserve a look. Default 200: a person who opens one page
   * of a history they may not read causes up to 100.
   */
  readonly denials?: number;
  /**
   * Where the team keeps `docs/operate.md`, as a browser opens it: every alarm ends with the address of its
   * row. Left out: `docs/operate.md` of this repository.
   */
  readonly runbookUrl?: string;
  /**
   * Whether a schedule asks the server every six minutes, day and night, whether it could serve somebody: the only
   * way to hear of an outage while a small team sleeps. About 50 cents a month: a metric, an alarm, and
   * the calls to KMS. Default: no.
   */
  readonly canary?: boolean;
}
