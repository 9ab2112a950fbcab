import { describe, expect, it } from '@jest/globals';
import { checkAccess, warnAboutAccess } from '../../../config/checks/access.ts';
import { temporalPermissions } from '../../../config/define.ts';
import type { AccessRule, IdentityConfig, People } from '../../../config/schema.ts';

const IDENTITY: IdentityConfig = {
  issuers: [
    {
      type: 'oidc',
      issuer: 'https://login.example.com/',
      jwksUri: 'https://login.example.com/jwks.json',
      audience: 'api',
      from: 'authorization',
    },
  ],
  serviceTokens: { secret: 'created-by-stack' },
  temporalCloudRoles: { apiKey: { secret: 'created-by-stack' } },
};

function rule(people: People[], change: Partial<AccessRule> = {}): AccessRule {
  return { name: 'a rule', namespaces: ['orders'], people, allow: ['decode'], ...change };
}

const problems = (access: AccessRule[], identity: IdentityConfig | null = IDENTITY) =>
  checkAccess({ access, identity }).map(({ path }) => path);
const warnings = (
  access: AccessRule[],
  identity: IdentityConfig | null = IDENTITY,
  defaultNamespace: string | null = null,
) => warnAboutAccess({ access, identity, defaultNamespace }).map(({ path, message }) => `${path}: ${message}`);

describe('the check of access rules', () => {
  it('has nothing against rules of every kind', () => {
    const access = [
      rule([{ email: 'alice@example.com' }, { emailDomain: 'example.com' }, { serviceToken: 'ci' }]),
      rule([{ claim: 'groups', includes: '{namespace}', issuer: 'https://login.example.com/' }], { name: 'b' }),
      rule([{ temporalCloudRole: 'read' }], { name: 'c' }),
      ...temporalPermissions({ encode: true }),
    ];
    expect(problems(access)).toEqual([]);
    expect(warnings(access)).toEqual([]);
  });

  it.each([
    ['alice'],
    ['alice@'],
    ['Alice <alice@example.com>'],
    ['alice@example.com '],
    ['*@example.com,b@example.com'],
  ])('refuses %j as an email address', (email) => {
    expect(problems([rule([{ email }])])).toEqual(['access[0].people[0].email']);
  });

  it.each([['@example.com'], ['*.example.com'], ['*'], ['com'], ['example.com.'], ['b\u00fccher.de'], ['a b.com']])(
    'refuses %j as a domain',
    (emailDomain) => {
      expect(problems([rule([{ emailDomain }])])).toEqual(['access[0].people[0].emailDomain']);
    },
  );

  it('refuses people whom nothing could ever prove', () => {
    const bare = { ...IDENTITY, serviceTokens: null, temporalCloudRoles: null };
    const people: People[] = [
      { serviceToken: 'ci' },
      { temporalCloudRole: 'read' },
      { claim: 'a', includes: 'b', issuer: 'https://login.example.com' },
    ];
    expect(problems([rule(people)], bare)).toEqual([
      'access[0].people[0].serviceToken',
      'access[0].people[1].temporalCloudRole',
      'access[0].people[2].issuer',
    ]);
  });

  it('refuses names twice', () => {
    const people: People[] = [{ email: 'a@example.com' }];
    expect(problems([rule(people), rule(people)])).toEqual(['access[1].name']);
  });

  it('warns when there is no rule', () => {
    expect(warnings([])).toEqual(['access: there is no rule, so nobody may decode anything.']);
  });

  it('warns about a default namespace that no rule covers, such as a name that is cut short', () => {
    const team = rule([{ serviceToken: 'ci' }], { namespaces: ['orders-prod.a1b2c', 'billing-*'] });
    expect(warnings([team], IDENTITY, 'orders-prod')).toEqual([
      'defaultNamespace: no rule covers orders-prod, so nobody may decode or encode there: write it in full, as in the rules.',
    ]);
    for (const covered of ['orders-prod.a1b2c', 'billing-prod.a1b2c', null])
      expect(warnings([team], IDENTITY, covered)).toEqual([]);
  });

  it('warns about a rule that nobody can match', () => {
    expect(warnings([rule([])])).toEqual([expect.stringContaining('access[0].people: is empty')]);
    expect(warnings([rule([{ email: 'a@b.cd' }], { allow: [] })])).toEqual([
      expect.stringContaining('allow: is empty'),
    ]);
    expect(warnings([rule(['anyone-on-loopback'])])).toEqual([expect.stringContaining('matches nobody')]);
    expect(warnings([rule([{ email: 'a@b.cd' }])], null)).toEqual([expect.stringContaining('matches nobody')]);
    expect(warnings([rule(['anyone-on-loopback'])], null)).toEqual([]);
    expect(warnings([rule([{ email: 'a@b.cd' }])], { ...IDENTITY, issuers: [] })).toEqual([
      expect.stringContaining('there is no issuer'),
    ]);
  });

  it.each([['gmail.com'], ['GMAIL.com'], ['outlook.com'], ['proton.me'], ['qq.com']])(
    'warns about everybody at the public mail provider %s',
    (emailDomain) => {
      expect(warnings([rule([{ emailDomain }])])).toEqual([expect.stringContaining('anybody can have an address')]);
    },
  );

  it('warns about encode granted to a crowd', () => {
    const allow = ['decode', 'encode'] as const;
    expect(warnings([rule([{ emailDomain: 'example.com' }], { allow })])).toEqual([
      expect.stringContaining('may encode'),
    ]);
    expect(warnings([rule([{ temporalCloudRole: 'read' }], { allow })])).toEqual([
      expect.stringContaining('may encode'),
    ]);
    expect(warnings([rule([{ temporalCloudRole: 'write' }, { email: 'a@b.cd' }], { allow })])).toEqual([]);
  });

  it('wants an issuer for every kind of people where several issuers say who they are', () => {
    const cloud = { type: 'temporal-cloud' as const };
    const [first] = IDENTITY.issuers;
    const roles = { apiKey: { file: 'key' } };
    const two = { ...IDENTITY, issuers: [...IDENTITY.issuers, cloud], temporalCloudRoles: roles };
    const again = { ...IDENTITY, issuers: [first, first] as IdentityConfig['issuers'], temporalCloudRoles: roles };
    for (const people of [
      { email: 'a@b.cd' },
      { emailDomain: 'b.cd' },
      { claim: 'sub', includes: 'x' },
      { temporalCloudRole: 'read' },
    ] as const) {
      const found = (identity: IdentityConfig, issuer?: string) =>
        checkAccess({ access: [rule([issuer === undefined ? people : { ...people, issuer }])], identity });
      expect(found(two)).toEqual([
        {
          path: 'access[0].people[0]',
          message: expect.stringMatching(/^several issuers .*name the one that is meant/),
        },
      ]);
      expect(found(two, 'https://login.tmprl.cloud/')).toEqual([]);
      expect(found(two, 'https://login.tmprl.cloud')).toHaveLength(1);
      expect(found(again)).toEqual([]);
    }
  });

  it('counts the issuer of the sign-in among those who say who people are', () => {
    const signIn = { issuer: 'https://sign-in.example/' } as NonNullable<IdentityConfig['signIn']>;
    const found = (people: Parameters<typeof rule>[0]) =>
      checkAccess({ access: [rule(people)], identity: { ...IDENTITY, signIn } });
    expect(found([{ email: 'a@b.cd' }])).toEqual([
      { path: 'access[0].people[0]', message: expect.stringMatching(/^several issuers .*sign-in\.example/) },
    ]);
    expect(found([{ email: 'a@b.cd', issuer: signIn.issuer }])).toEqual([]);
  });

  it('warns about a claim that everybody has', () => {
    expect(warnings([rule([{ claim: 'aud', includes: 'api' }], { allow: ['encode'] })])).toEqual([
      expect.stringContaining('lets all of them in, and encode'),
    ]);
    const two = { ...IDENTITY, issuers: [...IDENTITY.issuers, { type: 'temporal-cloud' as const }] };
    expect(warnings([rule([{ claim: 'team', includes: 'x', issuer: 'https://login.tmprl.cloud/' }])], two)).toEqual([
      expect.stringContaining('Temporal Cloud issues tokens to every customer'),
    ]);
  });

  it('warns about an issuer of which any token will do', () => {
    const [issuer] = IDENTITY.issuers;
    const open = { ...IDENTITY, issuers: [{ ...issuer, audience: null }] } as IdentityConfig;
    expect(warnings([rule([{ email: 'a@b.cd' }])], open)).toEqual([
      expect.stringContaining('any audience is accepted'),
    ]);
  });
});
