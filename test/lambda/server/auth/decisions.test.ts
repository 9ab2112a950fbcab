import { expect, it } from '@jest/globals';
import type { AccessPolicy } from '../../../../lambda/server/auth/policy.ts';
import { decisionsFor } from '../../../../lambda/server/auth/policy.ts';
import { person } from '../../../support/callers.ts';

const ALL = Array.from({ length: 51 }, (_, index) => `namespace-${index}`);

function policyOf(asked: string[], answer: (allowed: boolean) => boolean | Promise<boolean>): AccessPolicy {
  return {
    may: (_caller, _operation, namespace) => {
      asked.push(namespace);
      return answer(namespace !== 'namespace-1');
    },
  } as AccessPolicy;
}

it.each([
  ['at once', (allowed: boolean) => allowed],
  ['once a role is looked up', async (allowed: boolean) => allowed],
])('are made for 50 namespaces of a request and no more, each once: %s', async (_, answer) => {
  const asked: string[] = [];
  const made = new Map<string, 'allowed' | 'denied'>();
  const may = decisionsFor(person('a@acme.com'), 'decode', policyOf(asked, answer), made);
  const first: boolean[] = [];
  for (const namespace of ALL) first.push(await may(namespace));
  expect(first).toEqual(ALL.map((_name, index) => index !== 1 && index !== 50));
  expect(await Promise.all(ALL.map(may))).toEqual(first);
  expect(asked).toEqual(ALL.slice(0, 50));
  expect([...made.keys()]).toEqual(ALL.slice(0, 50));
});

/** Decisions for each of which a role is looked up, which takes a turn. */
function decisionsLookedUp(asked: string[]) {
  const policy = policyOf(asked, async (allowed) => allowed);
  return decisionsFor(person('a@acme.com'), 'decode', policy, new Map());
}

it('are made for no more than 50 where all are asked for at the same moment', async () => {
  const asked: string[] = [];
  const may = decisionsLookedUp(asked);
  const answers = await Promise.all(ALL.map(may));
  expect(answers.filter(Boolean)).toHaveLength(49);
  expect(asked).toEqual(ALL.slice(0, 50));
});

it('are made once for a namespace that is asked for twice while its role is looked up', async () => {
  const asked: string[] = [];
  const may = decisionsLookedUp(asked);
  expect(await Promise.all([may('orders'), may('orders'), may('namespace-1')])).toEqual([true, true, false]);
  expect(asked).toEqual(['orders', 'namespace-1']);
});

it('deny what names no namespace, and a name that none can have, without asking', () => {
  const asked: string[] = [];
  const may = decisionsFor(
    person('a@acme.com'),
    'decode',
    policyOf(asked, (allowed) => allowed),
    new Map(),
  );
  expect([may(undefined), may('x'.repeat(1001)), may('x'.repeat(1000))]).toEqual([false, false, true]);
  expect(asked).toEqual(['x'.repeat(1000)]);
});
