import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import type { EnvironmentConfig } from '../../config/environment.ts';
import dev from '../../environments/dev.ts';
import prod from '../../environments/prod.ts';
import { PROJECT_ROOT } from '../../lib/bundle/bundle.ts';
import { findEnvironments } from '../../lib/codec-server-app.ts';
import filledIn from '../support/environments/prod.ts';
import { SynthesizedTemplate, stackOf } from '../support/synthesize.ts';

/** What makes `cdk synth` and `cdk deploy` of the stack fail. */
function errorsOf(config: EnvironmentConfig, name: string): string[] {
  const { metadata } = stackOf(config, name).node;
  return metadata.filter(({ type }) => type === 'aws:cdk:error').map(({ data }) => String(data));
}

describe('the environments', () => {
  it('are the files of a folder that export one by default, named after the files', async () => {
    const found = await findEnvironments(join(PROJECT_ROOT, 'environments'));
    expect(found.map(({ name }) => name)).toEqual(['dev', 'prod']);
    expect(found[0]?.config).toBe(dev);
  });

  it('are found where an earlier version kept them, too', async () => {
    const found = await findEnvironments(
      join(PROJECT_ROOT, 'environments'),
      join(PROJECT_ROOT, 'config'),
      join(PROJECT_ROOT, 'test/support/environments/earlier'),
    );
    expect(found.map(({ name }) => name)).toEqual(['dev', 'prod', 'staging']);
  });

  it('have one file each', async () => {
    const folders = ['environments', 'test/support/environments'].map((folder) => join(PROJECT_ROOT, folder));
    await expect(findEnvironments(...folders)).rejects.toThrow(
      /environments\/prod\.ts and .*are both the environment prod/,
    );
  });
});

describe('an environment with problems', () => {
  it('refuses to be synthesized, with every problem and its place', () => {
    const [error] = errorsOf(prod, 'prod');
    expect(error).toContain('environments/prod.ts cannot be deployed');
    for (const path of ['access[0].namespaces[0]', 'keys.kms[0].namespaces[0]', 'deployment.target.account']) {
      expect(error).toContain(`${path}: `);
    }
  });

  it('is one without token verification', () => {
    expect(errorsOf({ ...dev, identity: null }, 'dev')[0]).toContain('identity: a server on AWS verifies who calls');
  });

  it('is refused by CloudFormation too, where somebody overrides the refusal', () => {
    const template = Template.fromStack(stackOf(prod, 'prod')).toJSON();
    expect(Object.values(template['Resources'])).toEqual([{ Type: 'AWS::CloudFormation::WaitConditionHandle' }]);
    const [assertion] = template['Rules'].Refused.Assertions;
    const [left, right] = assertion.Assert['Fn::Equals'];
    expect(left).not.toBe(right);
    expect(assertion.AssertDescription).toContain('placeholder');
  });
});

describe('an environment without problems', () => {
  it('is a stack of its name, in its account and Region, protected where it says so', () => {
    const stack = stackOf(filledIn, 'prod');
    expect(stack.stackName).toBe('CodecServer-prod');
    expect(stack.environment).toBe('aws://111122223333/eu-central-1');
    expect(stack.terminationProtection).toBe(true);
    expect(stackOf(dev, 'dev').terminationProtection).toBe(false);
    expect(errorsOf(filledIn, 'prod')).toEqual([]);
  });
});

describe('an upgrade', () => {
  /** What a client, a key or a permission refers to: replacing it breaks something outside the stack. */
  const LASTING = [
    'AWS::KMS::Key',
    'AWS::KMS::Alias',
    'AWS::ApiGatewayV2::Api',
    'AWS::ApiGatewayV2::Stage',
    'AWS::ApiGatewayV2::DomainName',
    'AWS::SecretsManager::Secret',
    'AWS::Logs::LogGroup',
    'AWS::IAM::ManagedPolicy',
    'AWS::IAM::Role',
    'AWS::SNS::Topic',
    'AWS::Lambda::Alias',
  ];
  const ids = (template: SynthesizedTemplate, type: string) => Object.keys(template.all(type)).sort();

  it('changes nothing when nothing changed', () => {
    const first = new SynthesizedTemplate(filledIn, 'prod').template.toJSON();
    const second = new SynthesizedTemplate(filledIn, 'prod').template.toJSON();
    expect(second).toEqual(first);
  });

  it('of the code or the settings replaces neither key, API nor domain', async () => {
    const { default: full } = await import('../support/environments/full.ts');
    const before = new SynthesizedTemplate(full, 'prod');
    const after = new SynthesizedTemplate(
      {
        ...full,
        access: [
          ...full.access,
          {
            name: 'more',
            namespaces: ['*'],
            people: [{ email: 'a@b.c', issuer: 'https://login.example.com/' }],
            allow: ['encode'],
          },
        ],
        cors: { origins: ['https://other.example.com'], credentials: false },
        keys: { ...full.keys, kms: [...(full.keys.kms ?? []).toReversed()] },
        deployment: {
          ...full.deployment,
          logs: { ...full.deployment.logs, level: 'DEBUG', retentionDays: 1 },
          throttling: { rate: 1, burst: 1 },
          concurrency: { reserved: null, provisioned: null },
        },
      },
      'prod',
    );
    for (const type of LASTING) expect([type, ids(after, type)]).toEqual([type, ids(before, type)]);
  });

  it('keeps the logical ids that earlier releases deployed', () => {
    const template = new SynthesizedTemplate(filledIn, 'prod');
    expect(ids(template, 'AWS::KMS::Key')).toEqual(['EncryptionKey3A692D6E', 'OperationsKeyD0717C64']);
    expect(ids(template, 'AWS::ApiGatewayV2::Api')).toEqual(['FrontApi91359512']);
    expect(ids(template, 'AWS::Logs::LogGroup')).toContain('AuditGroup8875F069');
  });
});
