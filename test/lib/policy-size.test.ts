/** What a team with many namespaces deploys: policies within what AWS takes, and rights that are the same as ever. */
import { describe, expect, it } from '@jest/globals';
import { AccountRootPrincipal, type ManagedPolicy, PolicyStatement, Role, User } from 'aws-cdk-lib/aws-iam';
import { checkDeployment } from '../../config/checks/deployment.ts';
import { policiesOfWorkers } from '../../config/checks/policies.ts';
import type { EnvironmentConfig } from '../../config/environment.ts';
import type { CodecServerStack } from '../../lib/codec-server-stack.ts';
import { charactersOf } from '../../lib/policy-size.ts';
import { OLD_KEY } from '../support/environments/full.ts';
import prod from '../support/environments/prod.ts';
import { SynthesizedTemplate, stackOf } from '../support/synthesize.ts';

/** The quotas, as https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html has them, and of KMS and S3. */
const QUOTAS: Readonly<Record<string, readonly [property: string, most: number]>> = {
  'AWS::IAM::ManagedPolicy': ['PolicyDocument', 6144],
  'AWS::IAM::Policy': ['PolicyDocument', 10_240],
  'AWS::IAM::Role': ['AssumeRolePolicyDocument', 2048],
  'AWS::KMS::Key': ['KeyPolicy', 32_768],
  'AWS::S3::BucketPolicy': ['PolicyDocument', 20_480],
};

const names = (count: number) =>
  Array.from({ length: count }, (_, index) => `payments-production-${String(index).padStart(4, '0')}.a1b2c`);

/** Production with `count` namespaces: in one entry, with foreign formats that name them again, or in buckets as well. */
function withNamespaces(count: number, more: Partial<EnvironmentConfig> = {}): EnvironmentConfig {
  const namespaces = names(count);
  const { access, keys } = prod;
  return {
    ...prod,
    access: access.map((rule) => ({ ...rule, namespaces })),
    keys: { ...keys, kms: [{ namespaces, write: 'created-by-stack' }] },
    ...more,
  };
}

const FORMS: readonly (readonly [string, EnvironmentConfig])[] = [
  ['in one entry', withNamespaces(150)],
  [
    'with an old key that unwraps for other codecs too',
    withNamespaces(150, {
      keys: {
        ...prod.keys,
        kms: [
          {
            namespaces: names(150),
            write: 'created-by-stack',
            read: [OLD_KEY],
            foreignFormats: ['temporal-cloud-proxy', 'stdgo'],
          },
        ],
      },
    }),
  ],
  [
    'with their payloads in the bucket of the stack',
    withNamespaces(150, {
      storage: { buckets: [{ bucket: 'created-by-stack', namespaces: names(150), write: true }] },
    }),
  ],
];

/** Every allowed pair of action and resource or namespace, however it is spread over statements. */
function rightsOf(template: SynthesizedTemplate, type: string, prefix: string): string[] {
  const policies = Object.entries(template.all(type)).filter(([id]) => id.startsWith(prefix));
  const statements = policies.flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
  const sids = policies.map(([, { Properties }]) =>
    Properties.PolicyDocument.Statement.map(({ Sid }: { Sid: string }) => Sid),
  );
  for (const ids of sids) {
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9]+$/);
  }
  return statements.flatMap(({ Action, Condition }) =>
    [Action]
      .flat()
      .flatMap((action: string) =>
        Object.values(Condition ?? {}).flatMap((keys) =>
          Object.entries(keys as object).flatMap(([key, values]) =>
            [values].flat().map((value) => `${action} ${key} ${value}`),
          ),
        ),
      ),
  );
}

describe.each(FORMS)('150 namespaces %s', (_, config) => {
  const template = new SynthesizedTemplate(config, 'prod');

  it('are accepted, and every policy is within its quota', () => {
    expect(checkDeployment(config)).toEqual([]);
    for (const [type, [property, most]] of Object.entries(QUOTAS))
      for (const { Properties } of Object.values(template.all(type)))
        expect(charactersOf(Properties[property])).toBeLessThanOrEqual(most);
  });

  it('are each served by the function and allowed to workers, for writing and reading', () => {
    const ofFunction = [
      ...rightsOf(template, 'AWS::IAM::Policy', 'CodecRole'),
      ...rightsOf(template, 'AWS::IAM::ManagedPolicy', 'CodecRole'),
    ];
    const ofWorkers = rightsOf(template, 'AWS::IAM::ManagedPolicy', 'WorkersPolicy');
    for (const rights of [ofFunction, ofWorkers])
      for (const name of names(150))
        for (const action of ['kms:Decrypt', 'kms:GenerateDataKey'])
          expect(rights).toContain(`${action} kms:EncryptionContext:temporal-namespace ${name}`);
  });

  it('have an output for each policy that is to be attached', () => {
    const outputs = Object.keys(template.template.toJSON()['Outputs']).filter((id) =>
      /^WorkerPolicyArn(Part\d+)?$/.test(id),
    );
    const policies = Object.keys(template.all('AWS::IAM::ManagedPolicy')).filter((id) =>
      id.startsWith('WorkersPolicy'),
    );
    expect(outputs).toHaveLength(policies.length);
    // What check-config counts is never less.
    expect(policies.length).toBeLessThanOrEqual(policiesOfWorkers(config));
    expect(policiesOfWorkers(config)).toBeLessThanOrEqual(10);
  });
});

describe('a policy that AWS would refuse', () => {
  it('is named by check-config before anything is synthesized, with the fix', () => {
    expect(checkDeployment(withNamespaces(500))).toEqual([]);
    const kms = names(150).map((name) => ({ namespaces: [name], write: 'created-by-stack' as const }));
    expect(checkDeployment(withNamespaces(150, { keys: { ...prod.keys, kms } }))).toEqual([
      { path: 'keys.kms', message: expect.stringContaining('put namespaces of one key into one entry') },
    ]);
    expect(checkDeployment(withNamespaces(2000))).toEqual([
      {
        path: 'keys.kms',
        message: expect.stringMatching(
          /^the rights for 2000 namespaces need about \d+ managed policies, and IAM attaches 10 /,
        ),
      },
    ]);
  });

  it('fails synthesis with its size and the fix, where an app adds statements of its own', () => {
    const stack = stackOf(prod, 'prod') as CodecServerStack;
    const [policy] = stack.codecServer.workerPolicies as [ManagedPolicy];
    policy.addStatements(
      new PolicyStatement({
        actions: ['s3:GetObject'],
        resources: names(150).map((name) => `arn:aws:s3:::bucket/${name}/*`),
      }),
    );
    const [problem] = stack.codecServer.node.validate();
    expect(problem).toMatch(
      /Workers\/Policy.* has a policy of about \d+ characters, and AWS takes 6144: name fewer namespaces/,
    );
  });

  it('fails synthesis where a worker’s imported role would get it, which the CDK does not split', () => {
    const stack = stackOf(withNamespaces(150), 'prod') as CodecServerStack;
    const arn = 'arn:aws:iam::111122223333:role/worker';
    // The role of the function is split by the CDK when all is synthesized.
    const problems = () => stack.codecServer.node.validate().filter((it) => !it.includes('/Codec/Role/'));
    const few = Role.fromRoleArn(stack, 'FewNamespaces', arn);
    stack.codecServer.grantWorker(few, names(20));
    expect(problems()).toEqual([]);
    stack.codecServer.grantWorker(Role.fromRoleArn(stack, 'ManyNamespaces', arn), names(150));
    expect(problems()).toEqual([
      expect.stringMatching(/ManyNamespaces\/Policy.* has a policy of about \d+ characters, and AWS takes 10240/),
    ]);
  });

  it('does not come about in silence: a role that the app may not change is named in a warning, and no other', () => {
    const stack = stackOf(prod, 'prod') as CodecServerStack;
    const [namespace = ''] = prod.keys.kms?.[0]?.namespaces ?? [];
    const warnings = () => stack.codecServer.node.metadata.filter(({ type }) => type === 'aws:cdk:warning');
    const arn = 'arn:aws:iam::111122223333:role/worker';
    const role = new Role(stack, 'Made', { assumedBy: new AccountRootPrincipal() });
    for (const worker of [role, new User(stack, 'User'), Role.fromRoleArn(stack, 'Imported', arn)])
      stack.codecServer.grantWorker(worker, [namespace]);
    expect(warnings()).toEqual([]);
    stack.codecServer.grantWorker(Role.fromRoleArn(stack, 'Fixed', arn, { mutable: false }), [namespace]);
    const said = warnings().map(({ data }) => data);
    expect(said).toEqual([expect.stringContaining(`the worker of ${namespace} got no rights`)]);
  });
});
