import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { temporalPermissions } from '../../../../config/define.ts';
import type { AccessRule, Operation, People } from '../../../../config/schema.ts';
import { IdentityUnavailableError } from '../../../../lambda/server/auth/caller.ts';
import { createAccessPolicy, type NamespaceRole, type RoleDirectory } from '../../../../lambda/server/auth/policy.ts';
import { LOOPBACK_CALLER, person, serviceToken } from '../../../support/callers.ts';

function rule(people: People[], namespaces = ['orders'], allow: Operation[] = ['decode']): AccessRule {
  return { name: 'a rule', namespaces, people, allow };
}

function roles(table: Record<string, NamespaceRole>): RoleDirectory & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    roleOf(email, namespace) {
      asked.push(`${email} ${namespace}`);
      return table[`${email} ${namespace}`];
    },
  };
}

describe('the access policy', () => {
  it('without rules allows nobody anything', () => {
    const policy = createAccessPolicy([]);
    expect(policy.may(LOOPBACK_CALLER, 'decode', 'orders')).toBe(false);
    expect(policy.may(person('a@acme.com'), 'encode', 'orders')).toBe(false);
  });

  it('allows the operations of a rule in its namespaces and no others', () => {
    const policy = createAccessPolicy([rule([{ email: 'a@acme.com' }], ['orders', 'billing-*'])]);
    const caller = person('a@acme.com');
    expect(policy.may(caller, 'decode', 'orders')).toBe(true);
    expect(policy.may(caller, 'decode', 'billing-eu')).toBe(true);
    expect(policy.may(caller, 'decode', 'payments')).toBe(false);
    expect(policy.may(caller, 'encode', 'orders')).toBe(false);
  });

  it.each([['Orders'], ['orders '], [' orders'], ['\u043erders'], ['orders\0'], ['orders.evil'], ['']])(
    'does not take %j for the namespace orders',
    (namespace) => {
      const policy = createAccessPolicy([rule([{ emailDomain: 'acme.com' }])]);
      expect(policy.may(person('a@acme.com'), 'decode', namespace)).toBe(false);
    },
  );

  it('knows a person by email whatever the case of ASCII letters', () => {
    const policy = createAccessPolicy([rule([{ email: 'Alice@acme.com' }])]);
    expect(policy.may(person('alice@ACME.com'), 'decode', 'orders')).toBe(true);
    expect(policy.may(person('alice@acme.co'), 'decode', 'orders')).toBe(false);
    expect(policy.may(person(undefined), 'decode', 'orders')).toBe(false);
  });

  it('knows an international address by exactly its own spelling', () => {
    const policy = createAccessPolicy([rule([{ email: 'j\u00fcrgen@acme.com' }])]);
    expect(policy.may(person('j\u00fcrgen@acme.com'), 'decode', 'orders')).toBe(true);
    expect(policy.may(person('J\u00dcRGEN@acme.com'), 'decode', 'orders')).toBe(false);
    expect(policy.may(person('ju\u0308rgen@acme.com'), 'decode', 'orders')).toBe(false);
  });

  it.each([
    ['alice@acme.com', true],
    ['alice@ACME.COM', true],
    ['alice@sub.acme.com', false],
    ['alice@evilacme.com', false],
    ['alice@acme.com.evil.com', false],
    ['acme.com@evil.com', false],
    ['alice@evil.com@acme.com', false],
    ['alice@a\u0441me.com', false],
    ['alice@acme.com ', false],
    ['alice@acme.com\n', false],
  ])('by the domain acme.com: %j → %j', (email, expected) => {
    const policy = createAccessPolicy([rule([{ emailDomain: 'acme.com' }])]);
    expect(policy.may(person(email), 'decode', 'orders')).toBe(expected);
  });

  it('never lets a domain of the configuration match by Unicode case mapping', () => {
    const policy = createAccessPolicy([rule([{ emailDomain: '\u212aelvin.com' }])]);
    expect(policy.may(person('a@kelvin.com'), 'decode', 'orders')).toBe(false);
  });

  describe('by claim', () => {
    const policy = createAccessPolicy([
      rule([{ claim: 'groups', includes: 'codec-{namespace}' }], ['*']),
      rule([{ claim: 'department', includes: 'payments', issuer: 'https://idp/' }], ['billing']),
    ]);

    it('puts the namespace in place of {namespace}, however often it stands there', () => {
      const doubled = createAccessPolicy([rule([{ claim: 'g', includes: '{namespace}/{namespace}' }], ['*'])]);
      expect(doubled.may(person('a@b.c', { g: ['$&/$&'] }), 'decode', '$&')).toBe(true);
      expect(policy.may(person('a@b.c', { groups: ['x', 'codec-orders'] }), 'decode', 'orders')).toBe(true);
      expect(policy.may(person('a@b.c', { groups: ['x', 'codec-orders'] }), 'decode', 'billing')).toBe(false);
    });

    it('takes an equal text or an array that includes it, and nothing that merely contains it', () => {
      expect(policy.may(person('a@b.c', { groups: 'codec-orders' }), 'decode', 'orders')).toBe(true);
      expect(policy.may(person('a@b.c', { groups: 'x codec-orders' }), 'decode', 'orders')).toBe(false);
      expect(policy.may(person('a@b.c', { groups: { 'codec-orders': true } }), 'decode', 'orders')).toBe(false);
      expect(policy.may(person('a@b.c', { groups: [['codec-orders']] }), 'decode', 'orders')).toBe(false);
    });

    it('believes only the issuer that the rule names', () => {
      expect(policy.may(person('a@b.c', { department: 'payments' }), 'decode', 'billing')).toBe(true);
      expect(policy.may(person('a@b.c', { department: 'payments' }, 'https://other/'), 'decode', 'billing')).toBe(
        false,
      );
    });

    it('sees no inherited property', () => {
      const trick = createAccessPolicy([rule([{ claim: 'constructor', includes: 'x' }])]);
      expect(trick.may(person('a@b.c'), 'decode', 'orders')).toBe(false);
    });
  });

  it("understands Temporal's own permissions claim: admin includes write, write includes read", () => {
    const policy = createAccessPolicy(temporalPermissions({ encode: true }));
    const holder = (...permissions: string[]) => person(undefined, { permissions });
    const may = (operation: Operation, ...permissions: string[]) =>
      policy.may(holder(...permissions), operation, 'orders');
    expect([may('decode', 'orders:read'), may('encode', 'orders:read')]).toEqual([true, false]);
    expect([may('decode', 'orders:write'), may('encode', 'orders:write')]).toEqual([true, true]);
    expect([may('decode', 'orders:admin'), may('encode', 'orders:admin')]).toEqual([true, true]);
    expect([may('decode', 'orders:worker'), may('encode', 'orders:worker')]).toEqual([false, false]);
    expect(may('decode', 'billing:admin', 'temporal-system:admin')).toBe(false);
    expect(
      createAccessPolicy(temporalPermissions({ systemRoles: true })).may(holder('temporal-system:read'), 'decode', 'x'),
    ).toBe(true);
    expect(createAccessPolicy(temporalPermissions()).may(holder('orders:admin'), 'encode', 'orders')).toBe(false);
  });

  it('tells a service token from a person of the same name', () => {
    const policy = createAccessPolicy([rule([{ serviceToken: 'ci' }])]);
    expect(policy.may(serviceToken('ci'), 'decode', 'orders')).toBe(true);
    expect(policy.may(serviceToken('other'), 'decode', 'orders')).toBe(false);
    expect(policy.may({ ...person('a@b.c'), subject: 'ci' }, 'decode', 'orders')).toBe(false);
    const byClaim = createAccessPolicy([rule([{ claim: 'name', includes: 'ci' }])]);
    expect(byClaim.may({ ...serviceToken('ci'), claims: { name: 'ci' } }, 'decode', 'orders')).toBe(false);
  });

  it('counts as anyone on loopback only those that nobody asked on loopback', () => {
    const policy = createAccessPolicy([rule(['anyone-on-loopback'])]);
    expect(policy.may(LOOPBACK_CALLER, 'decode', 'orders')).toBe(true);
    expect(policy.may(person('a@acme.com'), 'decode', 'orders')).toBe(false);
    expect(policy.may(serviceToken('loopback'), 'decode', 'orders')).toBe(false);
  });

  describe('by Temporal Cloud role', () => {
    const readers = rule([{ temporalCloudRole: 'read' }], ['*']);
    const writers = rule([{ temporalCloudRole: 'write' }], ['*'], ['encode']);

    it('takes a role that is at least as high', async () => {
      const directory = roles({ 'a@acme.com orders': 'write', 'b@acme.com orders': 'read' });
      const policy = createAccessPolicy([readers, writers], { roles: directory });
      expect(policy.may(person('a@acme.com'), 'decode', 'orders')).toBe(true);
      expect(policy.may(person('a@acme.com'), 'encode', 'orders')).toBe(true);
      expect(policy.may(person('b@acme.com'), 'encode', 'orders')).toBe(false);
      expect(policy.may(person('c@acme.com'), 'decode', 'orders')).toBe(false);
    });

    it('asks only when no rule allows without asking, wherever that rule stands', () => {
      const directory = roles({});
      const byEmail = rule([{ email: 'a@acme.com' }]);
      for (const order of [
        [readers, byEmail],
        [byEmail, readers],
      ]) {
        expect(createAccessPolicy(order, { roles: directory }).may(person('a@acme.com'), 'decode', 'orders')).toBe(
          true,
        );
      }
      expect(directory.asked).toEqual([]);
    });

    it('never asks about callers without an address that can be compared', () => {
      const directory = roles({ 'a@acme.com orders': 'admin' });
      const policy = createAccessPolicy([readers], { roles: directory });
      for (const caller of [serviceToken('ci'), LOOPBACK_CALLER, person(undefined), person('a@acme.com ')]) {
        expect(policy.may(caller, 'decode', 'orders')).toBe(false);
      }
      expect(directory.asked).toEqual([]);
    });

    it('allows nobody when there is no directory to ask', () => {
      expect(createAccessPolicy([readers]).may(person('a@acme.com'), 'decode', 'orders')).toBe(false);
    });

    it('asks again for every decision, since only the directory knows how long its answer holds', async () => {
      const answers: (NamespaceRole | undefined)[] = ['read', undefined];
      const policy = createAccessPolicy([readers], { roles: { roleOf: async () => answers.shift() } });
      const caller = person('a@acme.com');
      expect(await policy.may(caller, 'decode', 'orders')).toBe(true);
      expect(await policy.may(caller, 'decode', 'orders')).toBe(false);
    });

    it('lets an outage of the directory be an outage', async () => {
      const roleOf = async () => {
        throw new IdentityUnavailableError('cloud-ops', 'no answer');
      };
      const policy = createAccessPolicy([readers], { roles: { roleOf } });
      await expect(policy.may(person('a@acme.com'), 'decode', 'orders')).rejects.toThrow(IdentityUnavailableError);
    });
  });

  it('names the rule to ask for: the first one for people that covers the namespace', () => {
    const policy = createAccessPolicy([
      { ...rule([{ serviceToken: 'ci' }]), name: 'machines' },
      { ...rule([{ email: 'a@acme.com' }], ['billing']), name: 'billing' },
      { ...rule([{ temporalCloudRole: 'read' }]), name: 'orders readers' },
    ]);
    const known = person('a@acme.com');
    expect(policy.ruleToAskFor(known, 'decode', 'orders')).toBe('orders readers');
    expect(policy.ruleToAskFor(known, 'decode', 'payments')).toBeUndefined();
    expect(policy.ruleToAskFor(known, 'encode', 'orders')).toBeUndefined();
  });

  it('names no rule to a stranger, but to people whom some rule knows by email, domain, claim or role', async () => {
    const wanted = { ...rule([{ email: 'owner@acme.com' }]), name: 'the secret project' };
    const by = (people: People, directory?: RoleDirectory) =>
      createAccessPolicy([wanted, rule([people], ['elsewhere'])], directory === undefined ? {} : { roles: directory });
    const asked = (policy: ReturnType<typeof by>, caller = person('m@evil.example')) =>
      policy.ruleToAskFor(caller, 'decode', 'orders');
    expect(asked(by({ emailDomain: 'acme.com' }))).toBeUndefined();
    expect(asked(by({ emailDomain: 'acme.com' }), person('x@acme.com'))).toBe('the secret project');
    const claims = by({ claim: 'permissions', includes: '{namespace}:read' });
    expect(asked(claims, person(undefined, { permissions: ['billing:write'] }))).toBeUndefined();
    expect(asked(claims, person(undefined, { permissions: ['billing:read'] }))).toBe('the secret project');
    const directory = roles({ 'reader@acme.com orders': 'read' });
    expect(asked(by({ temporalCloudRole: 'admin' }, directory), person('reader@acme.com'))).toBe('the secret project');
    expect(asked(by({ temporalCloudRole: 'admin' }, directory))).toBeUndefined();
  });

  it('believes about an email, a domain and a role only the issuer that the rule names', async () => {
    const ours = person('a@acme.com');
    const issuer = ours.issuer ?? '';
    const theirs = { ...ours, issuer: 'https://other.example/' };
    for (const people of [
      { email: 'a@acme.com', issuer },
      { emailDomain: 'acme.com', issuer },
      { temporalCloudRole: 'read', issuer },
    ] as const) {
      const policy = createAccessPolicy([rule([people])], { roles: roles({ 'a@acme.com orders': 'admin' }) });
      expect(await policy.may(ours, 'decode', 'orders')).toBe(true);
      expect(await policy.may(theirs, 'decode', 'orders')).toBe(false);
    }
  });

  it('decides alike for thousands of namespaces, remembered or not', () => {
    const policy = createAccessPolicy([rule([{ emailDomain: 'acme.com' }], ['team-*'])]);
    const caller = person('a@acme.com');
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 3_000; i++) {
        expect(policy.may(caller, 'decode', `team-${i}`)).toBe(true);
        expect(policy.may(caller, 'decode', `other-${i}`)).toBe(false);
      }
    }
  });
});

describe('laws of the access policy', () => {
  const namespace = fc.constantFrom('orders', 'orders-eu', 'billing', 'payments.a1b2c');
  const pattern = fc.constantFrom('orders', 'orders*', '*', '*.a1b2c', 'billing', '');
  const email = fc.constantFrom('a@acme.com', 'b@acme.com', 'c@evil.com');
  const people: fc.Arbitrary<People> = fc.oneof(
    email.map((it) => ({ email: it })),
    fc.constantFrom({ emailDomain: 'acme.com' }, { emailDomain: 'evil.com' }),
    fc.constantFrom({ claim: 'groups', includes: '{namespace}' }, { claim: 'groups', includes: 'admins' }),
    fc.constantFrom<NamespaceRole>('read', 'write', 'admin').map((it) => ({ temporalCloudRole: it })),
    fc.constantFrom({ serviceToken: 'ci' }),
    fc.constant('anyone-on-loopback' as const),
  );
  const aRule: fc.Arbitrary<AccessRule> = fc.record({
    name: fc.string(),
    namespaces: fc.array(pattern, { maxLength: 3 }),
    people: fc.array(people, { maxLength: 3 }),
    allow: fc.subarray<Operation>(['decode', 'encode']),
  });
  const caller = fc.oneof(
    fc
      .tuple(email, fc.subarray(['orders', 'admins', 'billing']))
      .map(([address, groups]) => person(address, { groups })),
    fc.constantFrom(serviceToken('ci'), serviceToken('other'), LOOPBACK_CALLER),
  );
  const operation = fc.constantFrom<Operation>('decode', 'encode');
  const directory = roles({
    'a@acme.com orders': 'admin',
    'b@acme.com billing': 'write',
    'c@evil.com orders-eu': 'read',
  });
  const decide = (rules: readonly AccessRule[], ...question: [ReturnType<typeof person>, Operation, string]) =>
    createAccessPolicy(rules, { roles: directory }).may(...question);
  const rules = fc.array(aRule, { maxLength: 6 });
  const runs = { numRuns: 1000 };

  it('no rule, no right', () => {
    fc.assert(fc.property(caller, operation, namespace, (who, what, where) => decide([], who, what, where) === false));
  });

  it('adding a rule never removes a right', () => {
    fc.assert(
      fc.property(rules, aRule, fc.nat(6), caller, operation, namespace, (before, added, at, who, what, where) => {
        if (decide(before, who, what, where)) {
          expect(decide(before.toSpliced(at, 0, added), who, what, where)).toBe(true);
        }
      }),
      runs,
    );
  });

  it('removing a rule never adds a right', () => {
    fc.assert(
      fc.property(rules, fc.nat(6), caller, operation, namespace, (before, at, who, what, where) => {
        if (decide(before.toSpliced(at, 1), who, what, where)) expect(decide(before, who, what, where)).toBe(true);
      }),
      runs,
    );
  });

  it('the order of rules, and of people within them, changes nothing', () => {
    const shuffled = rules.chain((it) =>
      fc.tuple(fc.constant(it), fc.shuffledSubarray(it, { minLength: it.length, maxLength: it.length })),
    );
    fc.assert(
      fc.property(shuffled, caller, operation, namespace, ([before, after], who, what, where) => {
        const turned = after.map((it) => ({ ...it, people: it.people.toReversed() }));
        expect(decide(turned, who, what, where)).toBe(decide(before, who, what, where));
      }),
      runs,
    );
  });

  it('a right comes from a single rule', () => {
    fc.assert(
      fc.property(rules, caller, operation, namespace, (all, who, what, where) => {
        expect(decide(all, who, what, where)).toBe(all.some((one) => decide([one], who, what, where)));
      }),
      runs,
    );
  });

  it('a remembered decision is the decision', () => {
    fc.assert(
      fc.property(rules, caller, fc.array(fc.tuple(operation, namespace), { minLength: 2 }), (all, who, questions) => {
        const policy = createAccessPolicy(all, { roles: directory });
        for (const [what, where] of [...questions, ...questions]) {
          expect(policy.may(who, what, where)).toBe(decide(all, { ...who }, what, where));
        }
      }),
      runs,
    );
  });
});
