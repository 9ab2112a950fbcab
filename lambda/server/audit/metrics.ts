/**
 * Metrics in CloudWatch's embedded metric format: lines in the log that CloudWatch turns into
 * metrics, so that counting costs a request microseconds and no call. One line a request; zeros are
 * left out, but for those that an alarm needs.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import { BoundedCache } from '../../../codec/bounded-cache.ts';
import { METRIC_DIMENSION, METRIC_NAMESPACE, METRICS, type MetricName } from '../../../config/metrics.ts';
import { type AuditEntry, type AuditSink, servedOrNot } from './audit.ts';
import type { WriteLine } from './logger.ts';

/** Counts what happens. */
export interface Metrics extends AuditSink {
  /** Counts something that belongs to no request; written with the next request's line. */
  count(name: MetricName, by?: number): void;
  /** Writes a line of the canary's own, with what was counted before. */
  canary(succeeded: boolean): void;
}

/** Outcomes of payloads that have a metric of their own; every other outcome is a reason for not opening one. */
const OUTCOMES: ReadonlyMap<string, MetricName> = new Map([
  ['decoded', METRICS.decoded],
  // Through external storage, and into it.
  ['retrieved', METRICS.decoded],
  ['encoded', METRICS.encoded],
  ['stored', METRICS.encoded],
  ['unchanged', METRICS.unchanged],
  ['denied', METRICS.denied],
]);

/** Reasons for not opening a payload that have a metric of their own beside the sum. */
const REASONS: ReadonlyMap<string, MetricName> = new Map([
  ['key-access-denied', METRICS.keyAccessDenied],
  ['key-disabled', METRICS.keyDisabled],
]);

/** By the first word of an entry's fault: `kms:throttled` is KMS. */
const FAULTS: ReadonlyMap<string, MetricName> = new Map([
  ['kms', METRICS.kmsUnavailable],
  ['jwks', METRICS.jwksUnavailable],
  ['secrets', METRICS.secretsUnavailable],
  ['cloud-ops', METRICS.cloudOpsUnavailable],
  ['s3', METRICS.storageUnavailable],
  ['provider', METRICS.providerUnavailable],
]);

/** Written even when they are zero: an alarm adds them up, and CloudWatch adds nothing up of which a part has no data. */
const ALWAYS: ReadonlySet<MetricName> = new Set([METRICS.served, METRICS.notServed]);

const MILLISECONDS: ReadonlySet<MetricName> = new Set([METRICS.duration, METRICS.kmsDuration]);

/** Combinations of metrics that occur are few; should they not be, the memory of them stays bounded. */
const MAX_HEADERS = 1_000;

/** Metrics of an environment, written with `write`. */
export function createMetrics(write: WriteLine, environment: string): Metrics {
  const pending = new Map<MetricName, number>();
  const headers = new BoundedCache<string>(MAX_HEADERS);

  function add(name: MetricName, by: number): void {
    if (by !== 0 || ALWAYS.has(name)) pending.set(name, (pending.get(name) ?? 0) + by);
  }

  function writeLine(): void {
    const names = [...pending.keys()].join();
    let header = headers.get(names);
    if (header === undefined) {
      header = headerOf([...pending.keys()], environment);
      headers.set(names, header);
    }
    let line = `{"_aws":{"Timestamp":${Date.now()},${header}`;
    for (const [name, value] of pending) line += `,"${name}":${value}`;
    pending.clear();
    write(`${line}}`);
  }

  return {
    count: (name, by = 1) => add(name, by),
    canary(succeeded) {
      pending.set(METRICS.canaryFailed, succeeded ? 0 : 1);
      writeLine();
    },
    record(entry) {
      addEntry(entry, add);
      writeLine();
    },
  };
}

function addEntry(entry: AuditEntry, add: (name: MetricName, by: number) => void): void {
  const outcome = servedOrNot(entry);
  add(METRICS.served, outcome === 'served' ? 1 : 0);
  add(METRICS.notServed, outcome === 'not-served' ? 1 : 0);
  add(METRICS.duration, Math.round(entry.durationMs * 1000) / 1000);
  if (entry.unauthenticated !== undefined) add(METRICS.unauthenticated, 1);
  for (const payloadOutcome in entry.payloads) {
    const count = entry.payloads[payloadOutcome] ?? 0;
    add(OUTCOMES.get(payloadOutcome) ?? METRICS.cannotOpen, count);
    const reason = REASONS.get(payloadOutcome);
    if (reason !== undefined) add(reason, count);
  }
  add(METRICS.keyCacheHits, entry.cacheHits);
  add(METRICS.keyCacheMisses, entry.cacheMisses);
  const fault = entry.fault === undefined ? undefined : FAULTS.get(entry.fault.split(':', 1)[0] ?? '');
  if (fault !== undefined) add(fault, 1);
}

/** Everything of a line that does not change from request to request. */
function headerOf(names: readonly MetricName[], environment: string): string {
  const metrics = names.map((name) => ({ Name: name, Unit: MILLISECONDS.has(name) ? 'Milliseconds' : 'Count' }));
  const directive = { Namespace: METRIC_NAMESPACE, Dimensions: [[METRIC_DIMENSION]], Metrics: metrics };
  const inner = JSON.stringify({ CloudWatchMetrics: [directive] }).slice(1, -1);
  return `${inner}},"type":"metrics",${JSON.stringify(METRIC_DIMENSION)}:${JSON.stringify(environment)}`;
}
