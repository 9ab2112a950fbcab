import { describe, expect, it } from '@jest/globals';
import { checkDeployment } from '../../../config/checks/deployment.ts';
import type { DeploymentConfig, EnvironmentConfig } from '../../../config/environment.ts';
import dev from '../../../environments/dev.ts';
import prod from '../../../environments/prod.ts';

function problemsOf(changes: Partial<EnvironmentConfig>): string[] {
  return checkDeployment({ ...dev, ...changes }).map(({ path }) => path);
}

function problemsOfDeployment(changes: Partial<DeploymentConfig>): string[] {
  return problemsOf({ deployment: { ...dev.deployment, ...changes } });
}

describe('the development environment as it comes', () => {
  it('may be deployed with nothing edited', () => {
    expect(checkDeployment(dev)).toEqual([]);
  });

  it('lets nobody in', () => {
    expect(dev.access).toEqual([]);
    expect(dev.identity?.issuers).toEqual([{ type: 'temporal-cloud' }]);
  });
});

describe('the form of a deployment', () => {
  it.each<[object, string]>([
    [{ onDelete: 'retian' }, 'deployment.onDelete'],
    [{ onDelete: undefined }, 'deployment.onDelete'],
    [{ onDeletion: 'retain' }, 'deployment.onDeletion'],
    [{ terminationProtection: 'false' }, 'deployment.terminationProtection'],
    [{ logs: { ...dev.deployment.logs, level: 'debug' } }, 'deployment.logs.level'],
    [{ logs: { ...dev.deployment.logs, encryption: 'none' } }, 'deployment.logs.encryption'],
    [{ throttling: { rate: '100', burst: 300 } }, 'deployment.throttling.rate'],
    [{ target: { account: 111122223333, region: 'eu-central-1' } }, 'deployment.target.account'],
    [{ alarms: { topic: null, denails: 5 } }, 'deployment.alarms.denails'],
    [{ tags: { team: 1 } }, 'deployment.tags.team'],
    [{ tags: ['x'] }, 'deployment.tags'],
    [{ helpUrl: 5 }, 'deployment.helpUrl'],
  ])('is not %j', (changes, path) => {
    expect(problemsOfDeployment(changes)).toEqual([path]);
  });

  it('is not empty', () => {
    expect(problemsOf({ deployment: {} as DeploymentConfig })).toContain('deployment.onDelete');
  });
});

describe('the production environment as it comes', () => {
  it('is refused for each of its placeholders, by name', () => {
    expect(checkDeployment(prod)).toEqual([
      { path: 'access[0].namespaces[0]', message: expect.stringContaining('<namespace>') },
      { path: 'access[0].people[0].emailDomain', message: expect.stringContaining('<your-company.com>') },
      { path: 'keys.kms[0].namespaces[0]', message: expect.stringContaining('<namespace>') },
      { path: 'deployment.target.account', message: expect.stringContaining('<AWS account id>') },
      { path: 'deployment.target.region', message: expect.stringContaining('<AWS Region>') },
    ]);
  });

  it('keeps its key, its secrets and its logs when the stack is deleted', () => {
    expect(prod.deployment).toMatchObject({ onDelete: 'retain', terminationProtection: true });
  });
});

describe('a deployment', () => {
  it('is refused without token verification', () => {
    expect(problemsOf({ identity: null })).toEqual(['identity']);
    expect(problemsOf({ identity: { issuers: [], serviceTokens: null } })).toEqual(['identity.issuers']);
  });

  it('may verify service tokens alone', () => {
    expect(problemsOf({ identity: { issuers: [], serviceTokens: { secret: 'created-by-stack' } } })).toEqual([]);
  });

  it('is refused with what only exists on a machine of one’s own', () => {
    expect(
      problemsOf({
        identity: { issuers: [], serviceTokens: { file: 'tokens.json' } },
        access: [{ name: 'me', namespaces: ['*'], people: ['anyone-on-loopback'], allow: ['decode'] }],
        keys: { keyring: { file: 'keyring.json' }, kms: null, staticKeys: { samplesTestKey: true } },
      }),
    ).toEqual(['identity.serviceTokens.file', 'access[0].people', 'keys.keyring', 'keys.staticKeys']);
  });

  it('is refused without any key', () => {
    expect(problemsOf({ keys: { keyring: null, kms: null, staticKeys: null } })).toEqual(['keys.kms']);
  });

  it('names keys, secrets and roles by ARN', () => {
    const key = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const secret = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:tokens-AbCdEf';
    const kms = (changes: object) => ({
      keys: { ...dev.keys, kms: [{ namespaces: ['*'], write: key, ...changes }] },
    });
    expect(problemsOf(kms({ read: [key.replace('key/', 'key/mrk-')] }))).toEqual([]);
    expect(problemsOf(kms({ write: 'alias/codec' }))).toEqual(['keys.kms[0].write']);
    expect(problemsOf(kms({ write: null, read: [key, secret] }))).toEqual(['keys.kms[0].read[1]']);
    expect(problemsOf(kms({ assumeRole: 'arn:aws:iam::111122223333:user/someone' }))).toEqual([
      'keys.kms[0].assumeRole',
    ]);
    expect(problemsOf({ keys: { ...dev.keys, staticKeys: { secret: { arn: secret } } } })).toEqual([]);
    expect(problemsOf({ keys: { ...dev.keys, staticKeys: { secret: { arn: 'tokens' } } } })).toEqual([
      'keys.staticKeys.secret.arn',
    ]);
  });

  it('says that an alias can be moved where a key must be named', () => {
    const write = 'arn:aws:kms:eu-central-1:111122223333:alias/codec';
    const [problem] = checkDeployment({ ...dev, keys: { ...dev.keys, kms: [{ namespaces: ['*'], write }] } });
    expect(problem?.message).toContain('alias can be moved');
  });

  it('fits what Lambda and CloudWatch Logs accept', () => {
    expect(problemsOf({ limits: { bodyBytes: 6_000_000 } })).toEqual(['limits.bodyBytes']);
    expect(problemsOfDeployment({ logs: { ...dev.deployment.logs, retentionDays: 8 } })).toEqual([
      'deployment.logs.retentionDays',
    ]);
    expect(problemsOfDeployment({ concurrency: { reserved: 5, provisioned: 10 } })).toEqual([
      'deployment.concurrency.provisioned',
    ]);
    expect(problemsOfDeployment({ concurrency: { reserved: 0, provisioned: null } })).toEqual([
      'deployment.concurrency.reserved',
    ]);
    expect(problemsOfDeployment({ throttling: { rate: 0, burst: 1 } })).toEqual(['deployment.throttling.rate']);
  });

  it('has a certificate of its own Region', () => {
    const domain = {
      name: 'codec.example.com',
      certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/1234abcd-12ab-34cd-56ef-1234567890ab',
      hostedZone: null,
      keepDefaultEndpoint: false,
    };
    const target = { account: '111122223333', region: 'us-east-1' };
    expect(problemsOfDeployment({ domain, target })).toEqual([]);
    expect(problemsOfDeployment({ domain, target: { ...target, region: 'eu-central-1' } })).toEqual([
      'deployment.domain.certificateArn',
    ]);
    expect(problemsOfDeployment({ domain: { ...domain, name: 'https://codec.example.com' } })).toEqual([
      'deployment.domain.name',
    ]);
  });

  it('tells every problem at once', () => {
    expect(
      problemsOf({
        identity: null,
        limits: { bodyBytes: 9_000_000 },
        deployment: { ...dev.deployment, target: { account: 'prod', region: 'Frankfurt' } },
      }),
    ).toEqual(['identity', 'limits.bodyBytes', 'deployment.target.account', 'deployment.target.region']);
  });
});
