/** Every refusal and fault that the code can make: each moves an alarm, or stands in docs/operate.md among what no alarm tells. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { CannotOpenCause, UnavailableCause } from '../../codec/errors.ts';
import type { KmsFaultKind } from '../../codec/keys/kms/kms-api.ts';
import { METRICS } from '../../config/metrics.ts';
import type { AuditEntry } from '../../lambda/server/audit/audit.ts';
import { createLogger } from '../../lambda/server/audit/logger.ts';
import { createMetrics } from '../../lambda/server/audit/metrics.ts';
import { observeIdentity, observeKeys } from '../../lambda/server/audit/observe.ts';
import type { RejectionReason } from '../../lambda/server/auth/caller.ts';
import { auditEntry } from '../support/audit-entry.ts';
import full from '../support/environments/full.ts';
import signIn from '../support/environments/sign-in.ts';
import { SynthesizedTemplate } from '../support/synthesize.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const withCanary = { ...full, deployment: { ...full.deployment, alarms: { topic: null, canary: true } } };
const templates = [new SynthesizedTemplate(withCanary, 'full'), new SynthesizedTemplate(signIn, 'sign-in')];

interface MetricStat {
  readonly MetricName?: string;
  readonly MetricStat?: { readonly Metric: { readonly MetricName: string } };
}

/** What each alarm reads, by the alarm's id. */
const alarms = new Map(
  templates.flatMap((template) =>
    Object.entries(template.all('AWS::CloudWatch::Alarm')).map(([id, { Properties }]): [string, string[]] => [
      id.replace(/^Alarms|[0-9A-F]{8}$/g, ''),
      [Properties, ...(Properties.Metrics ?? [])].flatMap(
        (it: MetricStat) => it.MetricName ?? it.MetricStat?.Metric.MetricName ?? [],
      ),
    ]),
  ),
);
const read = new Set([...alarms.values()].flat());
const dashboards = JSON.stringify(templates.map((it) => it.one('AWS::CloudWatch::Dashboard').Properties));

/** The first cells of the table of what no alarm tells. */
const excluded = (() => {
  const page = readFileSync(join(ROOT, 'docs', 'operate.md'), 'utf8');
  const [, rest = ''] = page.split('### What no alarm tells');
  const [section = ''] = rest.split(/^## /m);
  return new Set([...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, what]) => what));
})();

/** The alarms that an entry of the audit log moves. */
function movedBy(change: Partial<AuditEntry>): string[] {
  return movedAfter((metrics) => metrics.record(auditEntry({ payloads: {}, ...change })), change.status);
}

function movedAfter(act: (metrics: ReturnType<typeof createMetrics>) => void, status = 200): string[] {
  const lines: string[] = [];
  act(createMetrics((line) => lines.push(line), 'sign-in'));
  const values = JSON.parse(lines[0] ?? '{}') as Record<string, number>;
  // The gateway counts what the function answers with 5xx.
  const names = [
    ...Object.keys(values).filter((name) => name !== METRICS.served && Number(values[name]) > 0),
    ...(status >= 500 ? ['5xx'] : []),
  ];
  return [...alarms].filter(([, metrics]) => metrics.some((it) => names.includes(it))).map(([id]) => id);
}

/** Every member of a union, which the compiler holds to be all. */
function everyOne<T extends string>(members: Readonly<Record<T, true>>): T[] {
  return Object.keys(members) as T[];
}

const REASONS = everyOne<RejectionReason>({
  missing: true,
  'duplicate-header': true,
  'too-large': true,
  malformed: true,
  algorithm: true,
  'critical-header': true,
  type: true,
  'no-key-id': true,
  'unknown-issuer': true,
  audience: true,
  'unknown-key': true,
  signature: true,
  expired: true,
  'not-yet-valid': true,
  'issued-in-the-future': true,
  'no-expiry': true,
  'implausible-expiry': true,
  'no-subject': true,
  'unknown-service-token': true,
  'service-token-expired': true,
  session: true,
  'sign-in-state': true,
  'sign-in-refused': true,
});

const CAUSES = everyOne<CannotOpenCause>({
  malformed: true,
  'not-authentic': true,
  'unknown-key': true,
  'format-not-configured': true,
  'wrong-namespace': true,
  'wrong-context': true,
  'key-access-denied': true,
  'key-disabled': true,
  'too-large': true,
  'too-many-layers': true,
  'custom-codec': true,
  'not-encrypted': true,
  'reference-malformed': true,
  'storage-not-read': true,
  'storage-not-listed': true,
  'object-missing': true,
  'object-access-denied': true,
  'object-altered': true,
  'object-too-large': true,
  'object-unbound': true,
});

const FAULTS = everyOne<UnavailableCause>({ throttled: true, unreachable: true, 'timed-out': true, unusable: true });

describe('an identity that is refused', () => {
  it.each(REASONS)('by %s moves an alarm, or is excluded in writing', (unauthenticated) => {
    const moved = movedBy({ status: 401, caller: undefined, unauthenticated });
    if (unauthenticated === 'missing') expect([moved, excluded.has('401 missing')]).toEqual([[], true]);
    else expect(moved).toContain('NotServed');
  });
});

describe('a payload that stays closed', () => {
  it.each([...CAUSES, 'no-key-to-write'])('by %s moves an alarm', (cause) => {
    expect(movedBy({ payloads: { decoded: 3, [cause]: 1 } })).toContain('NotServed');
  });

  it('for want of a right moves the alarm on denials, and no other', () => {
    expect(movedBy({ payloads: { denied: 1 } })).toEqual(['Denials']);
  });

  it('for the key moves an alarm of its own', () => {
    expect(movedBy({ payloads: { 'key-access-denied': 1 } })).toContain('KmsDenied');
    expect(movedBy({ payloads: { 'key-disabled': 1 } })).toContain('KeyDisabled');
  });
});

describe('a dependency that does not answer', () => {
  const dependencies = [
    'jwks',
    'cloud-ops',
    'provider',
    ...['kms', 'secrets', 's3'].flatMap((it) => FAULTS.map((how) => `${it}:${how}`)),
  ];
  it.each(dependencies)('moves an alarm: %s', (fault) => {
    expect(movedBy({ status: 503, fault })).toContain('NotServed');
  });

  it.each(
    everyOne<KmsFaultKind>({
      throttled: true,
      unreachable: true,
      'timed-out': true,
      'access-denied': true,
      'no-credentials': true,
      disabled: true,
      'invalid-ciphertext': true,
      'incorrect-key': true,
    }),
  )('is on the dashboard before a request fails by it: KMS %s', (kind) => {
    const lines: string[] = [];
    const metrics = createMetrics((line) => lines.push(line), 'full');
    observeKeys(
      createLogger(() => {}, 'ERROR'),
      metrics,
    ).onKmsCall(kind, 5);
    metrics.record(auditEntry());
    for (const name of ['KmsCalls', 'KmsDuration']) expect(JSON.parse(lines[0] ?? '')[name]).toBeGreaterThan(0);
  });
});

/** Every refusal in the server's source: its status, and the beginning of its sentence. */
const refusals = readdirSync(join(ROOT, 'lambda'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => {
    const source = readFileSync(join(ROOT, 'lambda', file), 'utf8');
    return [
      ...source.matchAll(/(?:new HttpError|textResponse|messagePage|super)\(\s*(\d{3}),\s*['"`]?([^,]{0,40})/g),
    ].map(([, status = '', sentence = '']) => ({ file, status, sentence }));
  });

/** What moves an alarm although its status alone does not say so: found by its sentence. */
const MOVES: readonly (readonly [sentence: RegExp, change: Partial<AuditEntry>])[] = [
  [/^error\.message/, { status: 401, unauthenticated: 'signature' }],
  [/^This origin may not/, { status: 403, refusedOrigin: true }],
  [/^A codec of the configuration/, { status: 403, payloads: { 'custom-codec': 1 } }],
  [/^External storage does not take/, { status: 403, payloads: { 'object-missing': 1 } }],
  [/^There is no usable key/, { status: 403, payloads: { 'no-key-to-write': 1 } }],
  [/^Not all of these payloads/, { status: 422, payloads: { 'unknown-key': 1 } }],
  [/^Not signed in/, { status: 401, unauthenticated: 'signature' }],
];

/** What stands in the written list by another name than its status. */
const EXCLUDED_AS: readonly (readonly [sentence: RegExp, name: string])[] = [
  [/^(You may not decode|deniedSentence)/, '403 no right'],
  [/^text$/, '403 sign-in'],
];

describe('the refusals in the source', () => {
  it('are found', () => {
    expect(refusals.length).toBeGreaterThan(30);
    expect(refusals.map(({ status }) => status)).toEqual(expect.arrayContaining(['400', '403', '404', '413', '503']));
  });

  it('each move an alarm, or are excluded in writing', () => {
    const forgotten = refusals.filter(({ file, status, sentence }) => {
      if (Number(status) < 400 || Number(status) >= 500) return false;
      // The log of a local server is where its owner looks.
      if (file.startsWith('node/')) return !excluded.has('local server');
      const moves = MOVES.find(([text]) => text.test(sentence));
      if (moves !== undefined) return !movedBy(moves[1]).includes('NotServed');
      const name = EXCLUDED_AS.find(([text]) => text.test(sentence))?.[1] ?? status;
      return !excluded.has(name);
    });
    expect(forgotten).toEqual([]);
  });

  it('with 5xx move the alarm, whoever answers them', () => {
    for (const status of [500, 502, 503, 504]) expect(movedBy({ status })).toContain('NotServed');
  });
});

/** Lines of the log at which somebody should look: each with the alarm that makes them. */
const LINES: Readonly<Record<string, string>> = {
  'a request failed by a bug': 'NotServed',
  'the function failed by a bug': 'NotServed',
  'the keys of a token issuer cannot be fetched': 'JwksUnavailable',
  'Temporal Cloud cannot be asked for roles': 'one question to the Cloud Ops API failed',
  'the identity provider refused an exchange': 'ProviderUnavailable',
  'the identity provider cannot be asked': 'ProviderUnavailable',
  'the keyring stays as it was for five minutes at most': 'local server',
  'a secret cannot be used': 'SecretsUnusable',
  'a secret cannot be reached': 'a secret cannot be reached',
  'the canary could not be served': 'Canary',
  'an event of another front': 'event of another front',
  'KMS throttles': 'KmsUnavailable',
  'KMS does not answer': 'NotServed',
  'KMS refuses a configured key': 'KmsDenied',
  'KMS cannot be asked': 'KmsDenied',
};

describe('the warnings and errors in the log', () => {
  const lines = readdirSync(join(ROOT, 'lambda'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(join(ROOT, 'lambda', file), 'utf8').matchAll(/logger\.(?:warn|error)\(\s*['"`]([^'"`:]+)/g),
    ])
    .map(([, line = '']) => line);

  it.each([...new Set(lines)])('have an alarm, or are excluded in writing: %s', (line) => {
    const where = LINES[line];
    expect(where).toBeDefined();
    expect(alarms.has(where ?? '') || excluded.has(where)).toBe(true);
  });

  it('count what the provider refuses, but for a person who declined', () => {
    const refused = (code: string) =>
      movedAfter((metrics) => {
        const logger = createLogger(() => {}, 'ERROR');
        observeIdentity(logger, metrics).onProvider('refused', new Error('no'), code);
        metrics.record(auditEntry({ payloads: {} }));
      });
    expect(refused('invalid_client')).toContain('ProviderUnavailable');
    expect(refused('access_denied')).not.toContain('ProviderUnavailable');
    expect(excluded.has('403 sign-in')).toBe(true);
  });
});

describe('what the function never sees', () => {
  it.each([
    ['the gateway throttles (429)', 'NotServed', 'ThrottledByGateway-sign-in'],
    ['the gateway cannot reach the function (5xx)', 'NotServed', '5xx'],
    ['the function crashes, or runs out of time or memory', 'FunctionErrors', 'Errors'],
    ['the function has no free instance', 'FunctionThrottles', 'Throttles'],
    ['audit lines are not forwarded', 'AuditForwarding', 'Errors'],
    ['audit lines are kept in the queue', 'AuditLinesKept', 'ApproximateNumberOfMessagesVisible'],
    ['audit lines are dropped', 'AuditLinesLost', 'AsyncEventsDropped'],
    ['audit lines do not reach the queue', 'AuditLinesLost', 'DestinationDeliveryFailures'],
  ])('moves an alarm: %s', (_, alarm, metric) => {
    expect(alarms.get(alarm)).toContain(metric);
  });

  it.each(['404', '413', '431', 'preflight of a foreign origin'])('is excluded in writing: %s', (what) => {
    expect(excluded.has(what)).toBe(true);
  });
});

describe('a metric that the server writes', () => {
  it.each(Object.values(METRICS))('is read by an alarm or the dashboard: %s', (name) => {
    expect(read.has(name) || dashboards.includes(`\\"${name}\\"`)).toBe(true);
  });

  it('comes with none that the gateway would write for money and nobody reads', () => {
    for (const template of templates) {
      const { DefaultRouteSettings } = template.one('AWS::ApiGatewayV2::Stage').Properties;
      expect(DefaultRouteSettings.DetailedMetricsEnabled).toBeUndefined();
    }
  });
});
