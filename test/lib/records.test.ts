import { describe, expect, it } from '@jest/globals';
import dev from '../../environments/dev.ts';
import full from '../support/environments/full.ts';
import prod from '../support/environments/prod.ts';
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
      const unnamed = statements['undefined'];
      expect(unnamed).toMatchObject({ Resource: template.arnOf('AWS::SQS::Queue') });
      const underKey = template === templates.dev ? [] : ['UndeliveredKey'];
      expect(Object.keys(statements)).toEqual(['AuditLines', 'OwnLog', ...underKey, 'undefined']);
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
      DeletionPolicy: 'RetainExceptOnCreate',
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
    for (const secret of secrets) expect(secret.DeletionPolicy).toBe('RetainExceptOnCreate');
    expect(templates.dev.all('AWS::SecretsManager::Secret')).toEqual({});
  });
});

describe('what outlives the stack', () => {
  it('goes with a first deployment that fails, so that the second finds its names free', () => {
    const kept = ['AWS::KMS::Key', 'AWS::SecretsManager::Secret', 'AWS::Logs::LogGroup', 'AWS::SQS::Queue'];
    for (const type of kept) {
      for (const [id, resource] of Object.entries(templates.full.all(type))) {
        if (id.startsWith('AuditForwarderLogs')) continue;
        expect([id, resource.DeletionPolicy, resource.UpdateReplacePolicy]).toEqual([
          id,
          'RetainExceptOnCreate',
          'Retain',
        ]);
      }
      for (const resource of Object.values(templates.dev.all(type))) expect(resource.DeletionPolicy).toBe('Delete');
    }
  });
});

describe('a delivery of audit lines that fails', () => {
  it('is tried twice more, and then kept for two weeks in an encrypted queue', () => {
    for (const template of Object.values(templates)) {
      const queue = template.idOf('AWS::SQS::Queue');
      expect(template.one('AWS::Lambda::EventInvokeConfig').Properties).toMatchObject({
        MaximumRetryAttempts: 2,
        DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [queue, 'Arn'] } } },
      });
      expect(template.one('AWS::SQS::Queue').Properties.MessageRetentionPeriod).toBe(14 * 86_400);
    }
    expect(templates.prod.one('AWS::SQS::Queue').Properties.KmsMasterKeyId).toEqual(
      templates.prod.arnOf('AWS::KMS::Key', 'Operations'),
    );
    expect(templates.dev.one('AWS::SQS::Queue').Properties.SqsManagedSseEnabled).toBe(true);
  });
});
