import { describe, expect, it } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { type Policy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Tracing } from 'aws-cdk-lib/aws-lambda';
import dev from '../../environments/dev.ts';
import { CodecServer } from '../../lib/codec-server.ts';
import type { CodecServerProps } from '../../lib/codec-server-props.ts';
import type { CodecServerStack } from '../../lib/codec-server-stack.ts';
import { keyStatements } from '../../lib/key-permissions.ts';
import full, { FOREIGN_KEY, IMPORTED_SECRET, OLD_KEY, ROLE } from '../support/environments/full.ts';
import prod from '../support/environments/prod.ts';
import { SynthesizedTemplate, stackOf } from '../support/synthesize.ts';

const templates = {
  dev: new SynthesizedTemplate(dev),
  prod: new SynthesizedTemplate(prod, 'prod'),
  full: new SynthesizedTemplate(full, 'full'),
};

const keyOf = (template: SynthesizedTemplate) => template.arnOf('AWS::KMS::Key', 'Encryption');
const ownLog = (template: SynthesizedTemplate) => ({
  Sid: 'OwnLog',
  Effect: 'Allow',
  Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  Resource: template.arnOf('AWS::Logs::LogGroup', 'CodecLogs'),
});
const namespaces = (operator: string, names: string[]) => ({
  [operator]: { 'kms:EncryptionContext:temporal-namespace': names },
});

describe('what the function may do', () => {
  it('is, where its app has it traced, to write any trace, which cdk-nag takes: X-Ray knows no resources', () => {
    const { deployment: _, ...config } = dev;
    const accepted = (functionProps: CodecServerProps['functionProps']) => {
      const code = Code.fromInline('exports.handler = 1');
      const props = { name: 'dev', config, code, ...(functionProps && { functionProps }) };
      const server = new CodecServer(new Stack(new App(), 'Stack'), 'Server', props);
      return JSON.stringify(server.node.findChild('Codec').node.findChild('Role').node.metadata);
    };
    expect(accepted({ tracing: Tracing.ACTIVE })).toContain('AwsSolutions-IAM5[Resource::*]');
    expect(accepted({ tracing: Tracing.DISABLED })).not.toContain('IAM5');
    expect(accepted(undefined)).not.toContain('IAM5');
  });

  it('is, in development, to write its log, and to make and unwrap data keys that are bound to a namespace', () => {
    expect(templates.dev.statementsOf('CodecRole')).toEqual({
      OwnLog: ownLog(templates.dev),
      Read0: {
        Sid: 'Read0',
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: keyOf(templates.dev),
        Condition: namespaces('StringLike', ['*']),
      },
      Write0: {
        Sid: 'Write0',
        Effect: 'Allow',
        Action: 'kms:GenerateDataKey',
        Resource: keyOf(templates.dev),
        Condition: namespaces('StringLike', ['*']),
      },
    });
  });

  it('is for a namespace with characters that IAM reads as more than themselves, and for no neighbor of it', () => {
    const write = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const kms = [
      { namespaces: ['ord?rs', `\${aws:username}`, 'dev-*'], write, read: [], foreignFormats: ['stdgo' as const] },
    ];
    const names = [`ord\${?}rs`, `\${$}{aws:username}`, 'dev-*'];
    const conditions = keyStatements({ entries: kms, createdKeyArn: undefined }).map((it) => it.toJSON().Condition);
    const foreign = { StringLike: { 'kms:EncryptionContext:namespace': names } };
    expect(conditions).toEqual([namespaces('StringLike', names), foreign, namespaces('StringLike', names)]);
  });

  it('is, in production, to make and unwrap data keys of exactly the namespaces that are named', () => {
    expect(templates.prod.statementsOf('CodecRole')).toEqual({
      OwnLog: ownLog(templates.prod),
      Read0: {
        Sid: 'Read0',
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: keyOf(templates.prod),
        Condition: namespaces('StringEquals', ['orders-prod.a1b2c', 'billing-prod.a1b2c']),
      },
      Write0: {
        Sid: 'Write0',
        Effect: 'Allow',
        Action: 'kms:GenerateDataKey',
        Resource: keyOf(templates.prod),
        Condition: namespaces('StringEquals', ['orders-prod.a1b2c', 'billing-prod.a1b2c']),
      },
    });
  });

  it('is no more than each entry of the configuration says, where everything is used', () => {
    const template = templates.full;
    const serviceTokens = { Ref: template.idOf('AWS::SecretsManager::Secret', 'SecretsServiceTokens') };
    const cloudApiKey = { Ref: template.idOf('AWS::SecretsManager::Secret', 'SecretsCloudApiKey') };
    expect(template.statementsOf('CodecRole')).toEqual({
      OwnLog: ownLog(template),
      Read0: {
        Sid: 'Read0',
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: [keyOf(template), FOREIGN_KEY],
        Condition: namespaces('StringLike', ['orders-*.a1b2c']),
      },
      Write0: {
        Sid: 'Write0',
        Effect: 'Allow',
        Action: 'kms:GenerateDataKey',
        Resource: keyOf(template),
        Condition: namespaces('StringLike', ['orders-*.a1b2c']),
      },
      AssumeRole1: { Sid: 'AssumeRole1', Effect: 'Allow', Action: 'sts:AssumeRole', Resource: ROLE },
      Read2: {
        Sid: 'Read2',
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: OLD_KEY,
        Condition: namespaces('StringEquals', ['archive.a1b2c']),
      },
      ReadForeign2A: {
        Sid: 'ReadForeign2A',
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: OLD_KEY,
        Condition: {
          StringLike: { 'kms:EncryptionContext:namespace': ['archive.a1b2c'] },
          StringEquals: { 'kms:EncryptionContext:purpose': 'encryption-key-auth' },
        },
      },
      ReadForeign2B: {
        Sid: 'ReadForeign2B',
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: OLD_KEY,
        Condition: { 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['aws-crypto-public-key'] } },
      },
      ReadForeign2C: {
        Sid: 'ReadForeign2C',
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: OLD_KEY,
        Condition: {
          'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['aws-crypto-public-key', 'signature'] },
        },
      },
      ReadForeign2D: {
        Sid: 'ReadForeign2D',
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: OLD_KEY,
        Condition: {
          StringEquals: { 'kms:EncryptionContext:tenant': 'blue' },
          'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['tenant'] },
        },
      },
      Secrets: {
        Sid: 'Secrets',
        Effect: 'Allow',
        Action: 'secretsmanager:GetSecretValue',
        Resource: [serviceTokens, cloudApiKey, IMPORTED_SECRET],
      },
      SecretsKey: {
        Sid: 'SecretsKey',
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: template.arnOf('AWS::KMS::Key', 'Operations'),
        Condition: { StringEquals: { 'kms:EncryptionContext:SecretARN': [serviceTokens, cloudApiKey] } },
      },
    });
  });

  it('is granted by these statements alone: no managed policy, nobody but Lambda in the role', () => {
    for (const template of Object.values(templates)) {
      for (const { Properties } of Object.values(template.all('AWS::IAM::Role'))) {
        expect(Properties.ManagedPolicyArns).toBeUndefined();
        expect(Properties.Policies).toBeUndefined();
        expect(Properties.AssumeRolePolicyDocument.Statement).toEqual([
          { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } },
        ]);
      }
    }
  });

  it('is never for every resource, nor a family of actions', () => {
    for (const template of Object.values(templates)) {
      for (const type of ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy']) {
        for (const { Properties } of Object.values(template.all(type))) {
          for (const { Action, Resource } of Properties.PolicyDocument.Statement) {
            expect(JSON.stringify([Action, Resource])).not.toContain('*');
          }
        }
      }
    }
  });
});

describe('with a keyring in a secret', () => {
  const keyringSecret = { secret: 'created-by-stack', namespaces: ['orders-dev.a1b2c'] } as const;
  const template = new SynthesizedTemplate({ ...dev, keys: { ...dev.keys, kms: null, keyringSecret } });
  const keyring = { Ref: template.idOf('AWS::SecretsManager::Secret', 'SecretsKeyring') };
  const readIt = { Sid: 'Secrets', Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: keyring };

  it('the function reads that secret, and uses no key of KMS', () => {
    expect(template.statementsOf('CodecRole')).toEqual({ OwnLog: ownLog(template), Secrets: readIt });
    expect(template.all('AWS::KMS::Key')).toEqual({});
  });

  it('the managed policy for workers is to read that secret, and nothing else', () => {
    const id = template.idOf('AWS::IAM::ManagedPolicy');
    expect(id).toMatch(/^KeyringWorkersPolicy/);
    expect(template.one('AWS::IAM::ManagedPolicy').Properties.PolicyDocument.Statement).toEqual([readIt]);
    expect(template.template.findOutputs('KeyringWorkerPolicyArn')).toMatchObject({
      KeyringWorkerPolicyArn: { Value: { Ref: id } },
    });
  });

  it('beside other secrets it is that secret alone, with the key that encrypts it through Secrets Manager alone', () => {
    const keys = { ...full.keys, keyringSecret: { secret: 'created-by-stack', namespaces: ['tiny.a1b2c'] } as const };
    const beside = new SynthesizedTemplate({ ...full, keys }, 'full');
    const secret = { Ref: beside.idOf('AWS::SecretsManager::Secret', 'SecretsKeyring') };
    const { Statement } = beside.one('AWS::IAM::ManagedPolicy', 'KeyringWorkers').Properties.PolicyDocument;
    expect(Statement.slice(0, 2)).toEqual([
      { ...readIt, Resource: secret },
      {
        Sid: 'SecretsKey',
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: beside.arnOf('AWS::KMS::Key', 'Operations'),
        Condition: { StringEquals: { 'kms:EncryptionContext:SecretARN': [secret] } },
      },
    ]);
  });

  it('grantWorker gives it to a worker of its namespaces, and to no other', () => {
    const keys = { ...prod.keys, keyringSecret: { secret: 'created-by-stack', namespaces: ['tiny.a1b2c'] } as const };
    const stack = stackOf({ ...prod, keys }, 'prod') as CodecServerStack;
    const sidsOf = (id: string, ...names: string[]) => {
      const role = new Role(stack, id, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
      stack.codecServer.grantWorker(role, names);
      const policy = role.node.findChild('DefaultPolicy') as Policy;
      return (stack.resolve(policy.document) as { Statement: { Sid: string }[] }).Statement.map(({ Sid }) => Sid);
    };
    expect(sidsOf('Tiny', 'tiny.a1b2c')).toContain('Secrets');
    expect(sidsOf('Orders', 'orders-prod.a1b2c')).not.toContain('Secrets');
    expect(sidsOf('Both', 'tiny.a1b2c', 'orders-prod.a1b2c')).toEqual(expect.arrayContaining(['Secrets', 'Write0']));
    expect(() => sidsOf('Nobody', 'other.a1b2c')).toThrow('no key serves other.a1b2c');
  });

  it('changes no logical id of what was there', () => {
    const before = new SynthesizedTemplate(dev);
    const after = new SynthesizedTemplate({ ...dev, keys: { ...dev.keys, keyringSecret } });
    // A version of the function is named by what is in it.
    const ids = (it: SynthesizedTemplate) =>
      Object.keys(it.template.toJSON()['Resources'] as object).filter((id) => !id.includes('CurrentVersion'));
    expect(ids(after)).toEqual(expect.arrayContaining(ids(before)));
    expect(ids(before).filter((it) => it.includes('Keyring'))).toEqual([]);
  });
});

describe('what workers may do with the managed policy', () => {
  it('is to write and read exactly the namespaces of the environment', () => {
    const { Properties } = templates.prod.one('AWS::IAM::ManagedPolicy', 'Workers');
    const Condition = namespaces('StringEquals', ['orders-prod.a1b2c', 'billing-prod.a1b2c']);
    const Resource = keyOf(templates.prod);
    expect(Properties.PolicyDocument.Statement).toEqual([
      { Sid: 'Read0', Effect: 'Allow', Action: 'kms:Decrypt', Resource, Condition },
      { Sid: 'Write0', Effect: 'Allow', Action: 'kms:GenerateDataKey', Resource, Condition },
    ]);
    expect(Properties.Roles).toBeUndefined();
  });
});

describe('what workers of one entry of keys may do with the managed policy of that entry', () => {
  it('is to write and read its namespaces, and those of no other entry', () => {
    const all = Object.entries(templates.full.all('AWS::IAM::ManagedPolicy'));
    expect(all).toHaveLength(4);
    const textOf = (index: number) =>
      JSON.stringify(all.filter(([id]) => id.startsWith(`WorkersEntry${index}`)).map(([, policy]) => policy));
    expect(textOf(0)).toContain('orders-*.a1b2c');
    expect(textOf(0)).not.toMatch(/archive|sts:AssumeRole/);
    expect(textOf(1)).toContain('sts:AssumeRole');
    expect(textOf(1)).not.toMatch(/kms:|archive|orders/);
    expect(textOf(2)).toContain('archive.a1b2c');
    expect(textOf(2)).not.toMatch(/kms:GenerateDataKey|orders/);
  });

  it('is the one policy where there is one entry', () => {
    expect(Object.keys(templates.prod.all('AWS::IAM::ManagedPolicy'))).toHaveLength(1);
  });
});

describe('the key of the payloads', () => {
  it('rotates, waits for 30 days before it goes, and has an alias of its environment', () => {
    for (const [name, template] of Object.entries(templates)) {
      expect(template.one('AWS::KMS::Key', 'Encryption').Properties).toMatchObject({
        EnableKeyRotation: true,
        PendingWindowInDays: 30,
      });
      expect(template.one('AWS::KMS::Alias', 'Encryption').Properties).toEqual({
        AliasName: `alias/codec-server/${name}`,
        TargetKeyId: keyOf(template),
      });
    }
  });

  it('outlives the stack in production', () => {
    for (const template of [templates.prod, templates.full]) {
      for (const prefix of ['Encryption', 'Operations']) {
        expect(template.one('AWS::KMS::Key', prefix)).toMatchObject({
          // A first deployment that is rolled back leaves no orphan; whatever has been deployed stays.
          DeletionPolicy: 'RetainExceptOnCreate',
          UpdateReplacePolicy: 'Retain',
        });
      }
    }
    expect(templates.dev.one('AWS::KMS::Key', 'Encryption').DeletionPolicy).toBe('Delete');
  });

  it('is governed by the account’s IAM, and used by nobody without naming a namespace', () => {
    const { Statement } = templates.prod.one('AWS::KMS::Key', 'Encryption').Properties.KeyPolicy;
    expect(Statement).toEqual([
      {
        Effect: 'Allow',
        Action: 'kms:*',
        Principal: { AWS: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::111122223333:root']] } },
        Resource: '*',
      },
      {
        Sid: 'EveryUseNamesItsNamespace',
        Effect: 'Deny',
        Action: ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
        Principal: { AWS: '*' },
        Resource: '*',
        Condition: { Null: { 'kms:EncryptionContext:temporal-namespace': 'true' } },
      },
    ]);
  });

  it('is not made where every key is an existing one', () => {
    const template = new SynthesizedTemplate({
      ...dev,
      keys: { ...dev.keys, kms: [{ namespaces: ['*'], write: FOREIGN_KEY }] },
    });
    expect(template.all('AWS::KMS::Key')).toEqual({});
    expect(template.statementsOf('CodecRole')).toMatchObject({ Read0: { Resource: FOREIGN_KEY } });
    expect(template.one('AWS::Lambda::Function', 'Codec').Properties.Environment.Variables).toEqual({
      LOG_LEVEL: 'DEBUG',
    });
  });
});
