import { describe, expect, it } from '@jest/globals';
import dev from '../../environments/dev.ts';
import full from '../support/environments/full.ts';
import prod from '../support/environments/prod.ts';
import signIn from '../support/environments/sign-in.ts';
import { SynthesizedTemplate } from '../support/synthesize.ts';

const templates = {
  dev: new SynthesizedTemplate(dev),
  prod: new SynthesizedTemplate(prod, 'prod'),
  full: new SynthesizedTemplate(full, 'full'),
};

describe('the audit log', () => {
  it('is a group of its own that the function can neither write nor delete', () => {
    for (const template of Object.values(templates)) {
      const group = template.idOf('AWS::Logs::LogGroup', 'AuditGroup');
      expect(JSON.stringify(template.statementsOf('CodecRole'))).not.toContain(group);
      const statements = template.statementsOf('AuditForwarderRole');
      expect(statements['AuditLines']).toEqual({
        Sid: 'AuditLines',
        Effect: 'Allow',
        Action: 'logs:PutLogEvents',
        Resource: { 'Fn::GetAtt': [group, 'Arn'] },
      });
      expect(Object.keys(statements)).toEqual(['AuditLines', 'OwnLog']);
    }
  });

  it('gets the function’s lines that are marked as audit', () => {
    expect(templates.prod.one('AWS::Logs::SubscriptionFilter').Properties).toEqual({
      LogGroupName: { Ref: templates.prod.idOf('AWS::Logs::LogGroup', 'CodecLogs') },
      FilterName: 'audit',
      FilterPattern: '{ $.type = "audit" }',
      DestinationArn: templates.prod.arnOf('AWS::Lambda::Function', 'AuditForwarder'),
    });
  });

  it('is kept for longer than other logs, and outlives the stack in production', () => {
    expect(templates.prod.one('AWS::Logs::LogGroup', 'AuditGroup')).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: { RetentionInDays: 400 },
    });
    expect(templates.prod.one('AWS::Logs::LogGroup', 'CodecLogs').Properties.RetentionInDays).toBe(30);
    expect(templates.dev.one('AWS::Logs::LogGroup', 'AuditGroup')).toMatchObject({
      DeletionPolicy: 'Delete',
      Properties: { RetentionInDays: 30 },
    });
  });
});

describe('logs and secrets', () => {
  it('are never kept without end', () => {
    for (const template of Object.values(templates)) {
      const groups = Object.values(template.all('AWS::Logs::LogGroup'));
      expect(groups).toHaveLength(4);
      for (const { Properties } of groups) expect(Properties.RetentionInDays).toBeGreaterThan(0);
    }
  });

  it('are encrypted with a key of the team’s own where the environment says so', () => {
    const key = templates.prod.arnOf('AWS::KMS::Key', 'Operations');
    for (const { Properties } of Object.values(templates.prod.all('AWS::Logs::LogGroup'))) {
      expect(Properties.KmsKeyId).toEqual(key);
    }
    expect(templates.full.one('AWS::SecretsManager::Secret', 'SecretsServiceTokens').Properties.KmsKeyId).toEqual(
      templates.full.arnOf('AWS::KMS::Key', 'Operations'),
    );
    for (const { Properties } of Object.values(templates.dev.all('AWS::Logs::LogGroup'))) {
      expect(Properties.KmsKeyId).toBeUndefined();
    }
  });

  it('come with nothing secret in the template', () => {
    const secrets = Object.values(templates.full.all('AWS::SecretsManager::Secret'));
    expect(secrets.map(({ Properties }) => Properties.SecretString)).toEqual(['{"tokens":[]}', 'put the API key here']);
    for (const secret of secrets) expect(secret.DeletionPolicy).toBe('Retain');
    expect(templates.dev.all('AWS::SecretsManager::Secret')).toEqual({});
  });
});

describe('alarms', () => {
  it('each say what to do, and tell the topic when they come and when they go', () => {
    const topic = { Ref: templates.full.idOf('AWS::SNS::Topic') };
    const alarms = Object.values(templates.full.all('AWS::CloudWatch::Alarm'));
    expect(alarms).toHaveLength(11);
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
    expect(template.one('AWS::CloudWatch::Alarm', 'AlarmsProviderUnavailable').Properties).toMatchObject({
      MetricName: 'ProviderUnavailable',
      Dimensions: [{ Name: 'Environment', Value: 'sign-in' }],
      Period: 300,
    });
    const body = (it: SynthesizedTemplate) => JSON.stringify(it.one('AWS::CloudWatch::Dashboard').Properties);
    expect(body(template)).toContain('ProviderUnavailable');
    expect(body(templates.full)).not.toContain('ProviderUnavailable');
  });

  it('tell when a key is disabled or scheduled for deletion', () => {
    const { EventPattern, Targets } = templates.prod.one('AWS::Events::Rule').Properties;
    expect(EventPattern.detail.eventName).toEqual(['DisableKey', 'ScheduleKeyDeletion']);
    expect(EventPattern.detail.requestParameters.keyId[0]).toEqual(templates.prod.arnOf('AWS::KMS::Key', 'Encryption'));
    expect(Targets[0].Arn).toEqual({ Ref: templates.prod.idOf('AWS::SNS::Topic') });
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

  it('are not there where the environment wants none', () => {
    expect(templates.dev.all('AWS::CloudWatch::Alarm')).toEqual({});
    expect(templates.dev.all('AWS::SNS::Topic')).toEqual({});
  });
});
