import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createNamespaceMatcher, matchesNamespace, overlaps } from '../../codec/namespace-pattern.ts';
import { cpuMilliseconds } from '../support/cpu-time.ts';

describe('a namespace pattern', () => {
  it.each([
    ['orders-prod.a1b2c', 'orders-prod.a1b2c', true],
    ['orders-prod.a1b2c', 'orders-prod.a1b2c2', false],
    ['orders-prod.a1b2c', 'Orders-prod.a1b2c', false],
    ['orders-prod.a1b2c', 'orders-prod-a1b2c', false],
    ['orders-*', 'orders-', true],
    ['orders-*', 'orders-prod.a1b2c', true],
    ['orders-*', 'my-orders-prod', false],
    ['*.a1b2c', 'orders.a1b2c', true],
    ['*.a1b2c', 'orders.a1b2c.evil', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*c', 'a--b--c', true],
    ['a*b*c', 'a--c--b', false],
    ['ab*bc', 'abc', false],
    ['*', '', true],
    ['**', 'anything', true],
    ['', '', true],
    ['', 'a', false],
    ['orders-.*', 'orders-x', false],
    ['orders-?', 'orders-x', false],
    ['[a-z]*', 'a', false],
  ])('%j covers %j: %j', (pattern, namespace, expected) => {
    expect(matchesNamespace(pattern, namespace)).toBe(expected);
  });

  it('agrees with a regular expression in which a star is any run of characters', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', '.', '-'), maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 4 }),
        fc.string({ unit: fc.constantFrom('a', 'b', '.', '-'), maxLength: 10 }),
        (pieces, namespace) => {
          const regex = new RegExp(`^${pieces.map((it) => it.replaceAll('.', '\\.')).join('.*')}$`, 's');
          expect(matchesNamespace(pieces.join('*'), namespace)).toBe(regex.test(namespace));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('takes no time to refuse what would make a backtracking matcher hang', () => {
    const refuse = () => expect(matchesNamespace(`${'a*'.repeat(5_000)}b`, 'a'.repeat(50_000))).toBe(false);
    expect(cpuMilliseconds(refuse)).toBeLessThan(3_000);
  });

  it('of several covers what any of them covers, and no pattern covers nothing', () => {
    const covers = createNamespaceMatcher(['billing', 'orders-*']);
    expect([covers('billing'), covers('orders-eu'), covers('payments')]).toEqual([true, true, false]);
    expect(createNamespaceMatcher([])('billing')).toBe(false);
  });

  it('overlaps another exactly when some namespace is covered by both', () => {
    const names = ['', ...'ab', 'aa', 'ab', 'ba', 'bb'];
    for (let length = 3; length <= 6; length++)
      for (let bits = 0; bits < 2 ** length; bits++)
        names.push([...bits.toString(2).padStart(length, '0')].map((bit) => (bit === '0' ? 'a' : 'b')).join(''));
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 3 });
    fc.assert(
      fc.property(pattern, pattern, (a, b) => {
        expect(overlaps(a, b)).toBe(names.some((name) => matchesNamespace(a, name) && matchesNamespace(b, name)));
      }),
      { numRuns: 1000 },
    );
  });
});
