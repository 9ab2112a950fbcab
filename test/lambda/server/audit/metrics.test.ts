import { describe, expect, it } from '@jest/globals';
import { METRIC_DIMENSION, METRIC_NAMESPACE, METRICS } from '../../../../config/metrics.ts';
import type { AuditEntry } from '../../../../lambda/server/audit/audit.ts';
import { createMetrics } from '../../../../lambda/server/audit/metrics.ts';
import { auditEntry } from '../../../support/audit-entry.ts';

interface MetricLine {
  readonly [member: string]: unknown;
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
}

/** What an ordinary request counts; the zero is written so that an alarm can add it up. */
const ORDINARY = { Served: 1, NotServed: 0, Duration: 1.235, PayloadsDecoded: 1, KeyCacheHits: 1 };

function linesOf(...entries: Partial<AuditEntry>[]): MetricLine[] {
  const lines: string[] = [];
  const metrics = createMetrics((line) => lines.push(line), 'pr"od');
  for (const entry of entries) metrics.record(auditEntry(entry));
  return lines.map((line) => JSON.parse(line));
}

/** The metrics that CloudWatch would make of a line, by the format's specification. */
function valuesOf(line: MetricLine | undefined): Record<string, number> {
  const [directive, ...more] = line?._aws.CloudWatchMetrics ?? [];
  expect(more).toEqual([]);
  return Object.fromEntries((directive?.Metrics ?? []).map(({ Name }) => [Name, Number(line?.[Name])]));
}

describe('a line of metrics', () => {
  it('is valid embedded metric format: every metric and dimension it names is a member of it', () => {
    const [line] = linesOf({});
    expect(line?._aws.Timestamp).toBeGreaterThan(1.7e12);
    const [directive] = line?._aws.CloudWatchMetrics ?? [];
    expect(directive).toMatchObject({ Namespace: METRIC_NAMESPACE, Dimensions: [[METRIC_DIMENSION]] });
    expect(line?.[METRIC_DIMENSION]).toBe('pr"od');
    for (const { Name, Unit } of directive?.Metrics ?? []) {
      expect(typeof line?.[Name]).toBe('number');
      expect(Unit).toBe(/Duration$/.test(Name) ? 'Milliseconds' : 'Count');
    }
  });

  it('counts an ordinary request', () => {
    expect(valuesOf(linesOf({})[0])).toEqual(ORDINARY);
  });

  it('counts payloads by outcome, and every reason for not opening one in one sum', () => {
    const payloads = { unchanged: 2, denied: 3, malformed: 4, 'key-disabled': 5, 'key-access-denied': 6 };
    expect(valuesOf(linesOf({ payloads, cacheHits: 0, cacheMisses: 7 })[0])).toMatchObject({
      PayloadsUnchanged: 2,
      PayloadsDenied: 3,
      PayloadsNotOpened: 15,
      KeyDisabled: 5,
      KeyAccessDenied: 6,
      KeyCacheMisses: 7,
    });
  });

  it('counts strangers, and what was out of reach', () => {
    expect(valuesOf(linesOf({ unauthenticated: 'signature' })[0])).toMatchObject({ Unauthenticated: 1 });
    for (const [fault, metric] of [
      ['kms:throttled', METRICS.kmsUnavailable],
      ['jwks', METRICS.jwksUnavailable],
      ['secrets', METRICS.secretsUnavailable],
      ['cloud-ops', METRICS.cloudOpsUnavailable],
      ['s3', METRICS.storageUnavailable],
      ['provider', METRICS.providerUnavailable],
    ] as const) {
      expect(valuesOf(linesOf({ fault })[0])).toMatchObject({ [metric]: 1 });
    }
    expect(Object.keys(valuesOf(linesOf({ fault: 'constructor' })[0]))).toHaveLength(5);
  });

  it('starts from nothing for every request', () => {
    const [, second] = linesOf({ payloads: { denied: 9 } }, {});
    expect(valuesOf(second)).toEqual(ORDINARY);
  });

  it('brings along what was counted between requests', () => {
    const lines: string[] = [];
    const metrics = createMetrics((line) => lines.push(line), 'dev');
    metrics.count(METRICS.jwksFetchFailures);
    metrics.count(METRICS.jwksFetchFailures);
    metrics.count(METRICS.roleLookupFailures, 3);
    metrics.record(auditEntry());
    metrics.record(auditEntry());
    expect(valuesOf(JSON.parse(lines[0] ?? ''))).toMatchObject({ JwksFetchFailures: 2, RoleLookupFailures: 3 });
    expect(lines[1]).not.toContain('JwksFetchFailures');
  });

  it('holds nothing of the caller', () => {
    expect(JSON.stringify(linesOf({}))).not.toMatch(/alice|orders|request-1|temporal\.io/);
  });
});
