import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { weighed } from '../../bench/alarms/model.ts';
import { warnAboutKeyWatch } from '../../config/checks/deployment.ts';
import dev from '../../environments/dev.ts';
import { NOT_SERVED } from '../../lib/alarms/watches.ts';
import full, { FOREIGN_KEY, KEY_BEHIND_ROLE } from '../support/environments/full.ts';
import prod from '../support/environments/prod.ts';
import signIn from '../support/environments/sign-in.ts';
import { SynthesizedTemplate, stackOf } from '../support/synthesize.ts';

interface Statement {
  readonly Principal: unknown;
  readonly Action: string | readonly string[];
  readonly Condition?: unknown;
}

const templates = {
  dev: new SynthesizedTemplate(dev),
  prod: new SynthesizedTemplate(prod, 'prod'),
  full: new SynthesizedTemplate(full, 'full'),
};

describe('alarms', () => {
  it('each say what to do, and tell the topic when they come and when they go', () => {
    const topic = { Ref: templates.full.idOf('AWS::SNS::Topic') };
    const alarms = Object.values(templates.full.all('AWS::CloudWatch::Alarm'));
    expect(alarms).toHaveLength(14);
    for (const { Properties } of alarms) {
      expect(Properties).toMatchObject({
        AlarmActions: [topic],
        OKActions: [topic],
        TreatMissingData: 'notBreaching',
        AlarmDescription: expect.stringMatching(/^Codec server, full: .{40,}/),
      });
    }
  });

  it('watch the environment’s own metrics and thresholds', () => {
    const alarm = (prefix: string) => templates.full.one('AWS::CloudWatch::Alarm', prefix).Properties;
    expect(alarm('AlarmsDenials')).toMatchObject({
      Namespace: 'TemporalCodecServer',
      MetricName: 'PayloadsDenied',
      Dimensions: [{ Name: 'Environment', Value: 'full' }],
      Threshold: 50,
      Period: 300,
    });
    expect(alarm('AlarmsLatency')).toMatchObject({ ExtendedStatistic: 'p99', Threshold: 2000 });
    expect(alarm('AlarmsKeyDisabled')).toMatchObject({ MetricName: 'KeyDisabled', Threshold: 1 });
  });

  it('tell when nobody can sign in, where people do', () => {
    const template = new SynthesizedTemplate(signIn, 'sign-in');
    const { Metrics } = template.one('AWS::CloudWatch::Alarm', 'AlarmsProviderUnavailable').Properties;
    const read = Metrics.flatMap(
      (it: { MetricStat?: { Metric: { MetricName: string } } }) => it.MetricStat?.Metric.MetricName ?? [],
    );
    expect(read).toEqual(['ProviderUnavailable', 'ProviderRefused']);
    const body = (it: SynthesizedTemplate) => JSON.stringify(it.one('AWS::CloudWatch::Dashboard').Properties);
    expect(body(template)).toContain('ProviderUnavailable');
    expect(body(templates.full)).not.toContain('ProviderUnavailable');
  });

  it('end with the address of their row in the runbook, which is there', () => {
    const page = readFileSync(new URL('../../docs/operate.md', import.meta.url), 'utf8');
    const signingIn = new SynthesizedTemplate(signIn, 'sign-in');
    const texts = [templates.full, signingIn].flatMap((template) =>
      Object.values(template.all('AWS::CloudWatch::Alarm')).map(({ Properties }) =>
        String(Properties.AlarmDescription),
      ),
    );
    for (const text of texts) {
      const [, anchor] = / docs\/operate\.md#([a-z-]+)$/.exec(text) ?? [];
      expect(page).toContain(`| <a id="${anchor}"></a>\``);
    }
    const alarms = { topic: 'created-by-stack', runbookUrl: 'https://wiki.example.com/codec' } as const;
    const own = new SynthesizedTemplate({ ...prod, deployment: { ...prod.deployment, alarms } }, 'prod');
    const { AlarmDescription } = own.one('AWS::CloudWatch::Alarm', 'AlarmsNotServed').Properties;
    expect(AlarmDescription).toMatch(/ https:\/\/wiki\.example\.com\/codec#not-served$/);
  });

  it('weigh what was not served with its share, over half an hour', () => {
    const { Metrics, Threshold, EvaluationPeriods } = templates.full.one(
      'AWS::CloudWatch::Alarm',
      'AlarmsNotServed',
    ).Properties;
    expect([Threshold, EvaluationPeriods]).toEqual([NOT_SERVED.threshold, 1]);
    const values: Record<string, number> = { NotServed: 20, Served: 60, '5xx': 15, 'ThrottledByGateway-full': 5 };
    let [formula] = Metrics.map((it: { Expression?: string }) => it.Expression).filter(Boolean);
    for (const { Id, MetricStat } of Metrics) {
      if (MetricStat === undefined) continue;
      expect([MetricStat.Period, MetricStat.Stat]).toEqual([NOT_SERVED.windowMinutes * 60, 'Sum']);
      formula = formula.replaceAll(`FILL(${Id}, 0)`, String(values[MetricStat.Metric.MetricName]));
    }
    const js = formula.replace(/^IF\((.*) > 0, (.*), 0\)$/, '($1) > 0 ? $2 : 0');
    expect(new Function(`return ${js}`)()).toBe(weighed(40, 100));
  });

  it('tell when a key is disabled or scheduled for deletion, in a sentence that says where to look', () => {
    const { EventPattern, Targets } = templates.prod.one('AWS::Events::Rule').Properties;
    expect(EventPattern.detail.eventName).toEqual(['DisableKey', 'ScheduleKeyDeletion']);
    expect(EventPattern.detail.requestParameters.keyId[0]).toEqual(templates.prod.arnOf('AWS::KMS::Key', 'Encryption'));
    expect(Targets[0].Arn).toEqual({ Ref: templates.prod.idOf('AWS::SNS::Topic') });
    expect(Targets[0].InputTransformer.InputTemplate).toMatch(
      /^"Codec server, prod: <detail-userIdentity-arn> called <detail-eventName> for the key .* docs\/operate\.md#key-watch"$/,
    );
  });

  it('watch the keys that are in the stack’s own account and Region, and warn of the others', () => {
    const { EventPattern } = templates.full.one('AWS::Events::Rule').Properties;
    const watched = JSON.stringify(EventPattern.detail.requestParameters.keyId);
    expect(watched).toContain(templates.full.idOf('AWS::KMS::Key', 'Encryption'));
    for (const foreign of [FOREIGN_KEY, KEY_BEHIND_ROLE]) expect(watched).not.toContain(foreign);
    expect(warnAboutKeyWatch(full).map(({ path }) => path)).toEqual([
      'keys.kms[0].read[0]',
      'keys.kms[1].write',
      'keys.kms[2].read[0]',
    ]);
    const warnings = stackOf(full, 'full')
      .node.findAll()
      .flatMap(({ node }) => node.metadata)
      .filter(({ type }) => type === 'aws:cdk:warning');
    expect(warnings).toHaveLength(3);
    expect(warnAboutKeyWatch(dev)).toEqual([]);
  });

  it('are, for a key of another Region, the same as the page has somebody put beside that key', () => {
    const page = readFileSync(new URL('../../docs/keys.md', import.meta.url), 'utf8');
    const [, pattern = ''] = /put-rule [\s\S]*?--event-pattern \\\s+'([^']+)'/.exec(page) ?? [];
    const { EventPattern } = templates.prod.one('AWS::Events::Rule').Properties;
    const { requestParameters, ...detail } = EventPattern.detail;
    expect(JSON.parse(pattern)).toMatchObject({ ...EventPattern, detail });
    const [ofPage, ofStack] = [JSON.parse(pattern).detail.requestParameters, requestParameters];
    expect([Object.keys(ofPage), ofPage.keyId.length]).toEqual([Object.keys(ofStack), 2]);
  });

  it('reach the encrypted topic from EventBridge, which supports no condition, by the statement that the CDK adds', () => {
    const statements = (template: SynthesizedTemplate, type: string, prefix: string, policy: string) =>
      (template.one(type, prefix).Properties[policy].Statement as Statement[]).filter(({ Principal }) =>
        JSON.stringify(Principal).includes('events.amazonaws.com'),
      );
    const onKey = statements(templates.prod, 'AWS::KMS::Key', 'Operations', 'KeyPolicy');
    expect(onKey.flatMap(({ Action }) => Action)).toEqual(
      expect.arrayContaining(['kms:Decrypt', 'kms:GenerateDataKey*']),
    );
    const onTopic = statements(templates.prod, 'AWS::SNS::TopicPolicy', '', 'PolicyDocument');
    expect(onTopic.flatMap(({ Action }) => Action)).toEqual(['sns:Publish']);
    for (const { Condition } of [...onKey, ...onTopic]) expect(Condition).toBeUndefined();
  });

  it('reach an encrypted topic, to which services of AWS alone publish, for this account', () => {
    expect(templates.prod.one('AWS::SNS::Topic').Properties.KmsMasterKeyId).toEqual(
      templates.prod.arnOf('AWS::KMS::Key', 'Operations'),
    );
    for (const statement of templates.prod.one('AWS::SNS::TopicPolicy').Properties.PolicyDocument.Statement) {
      if (statement.Effect === 'Deny')
        expect(statement.Condition).toEqual({ Bool: { 'aws:SecureTransport': 'false' } });
      else expect(statement.Principal.Service).toBeDefined();
    }
  });

  it('ask a canary where the environment wants one, and take its silence for an outage', () => {
    const alarms = { topic: 'created-by-stack', canary: true } as const;
    const template = new SynthesizedTemplate({ ...prod, deployment: { ...prod.deployment, alarms } }, 'prod');
    expect(template.one('AWS::Events::Rule', 'AlarmsCanarySchedule').Properties).toMatchObject({
      ScheduleExpression: 'rate(6 minutes)',
      Targets: [{ Arn: { Ref: template.idOf('AWS::Lambda::Alias', 'CodecLive') }, Input: '{"codecServer":"canary"}' }],
    });
    const alarm = template.one('AWS::CloudWatch::Alarm', 'AlarmsCanary').Properties;
    expect(alarm).toMatchObject({
      MetricName: 'CanaryFailed',
      Period: 360,
      EvaluationPeriods: 2,
      TreatMissingData: 'breaching',
      AlarmDescription: expect.stringMatching(/ docs\/operate\.md#canary$/),
    });
    expect(Object.keys(templates.prod.all('AWS::Events::Rule'))).toHaveLength(1);
  });

  it('are not there where the environment wants none', () => {
    expect(templates.dev.all('AWS::CloudWatch::Alarm')).toEqual({});
    expect(templates.dev.all('AWS::SNS::Topic')).toEqual({});
  });
});
