import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BoundedCache } from '../../codec/bounded-cache.ts';

describe('a bounded cache', () => {
  it('keeps what is used when others only come and go', () => {
    const cache = new BoundedCache<number>(10, 1000);
    for (let i = 0; i < 5; i++) cache.set(`used ${i}`, i, 0);
    for (let i = 0; i < 1000; i++) {
      for (let at = 0; at < 5; at++) expect(cache.get(`used ${at}`, 0)).toBe(at);
      cache.set(`once ${i}`, i, 0);
    }
    expect(cache.size).toBe(10);
  });

  it('lets a new entry in even when every other was just used', () => {
    const cache = new BoundedCache<number>(3, 1000);
    for (const key of ['a', 'b', 'c']) cache.set(key, 1, 0);
    for (const key of ['a', 'b', 'c']) cache.get(key, 0);
    cache.set('d', 2, 0);
    expect(cache.get('d', 0)).toBe(2);
    expect(cache.size).toBe(3);
  });

  it('gives nothing that was put in before the clock was set back', () => {
    const dropped: string[] = [];
    const cache = new BoundedCache<string>(3, 1000, (value) => dropped.push(value));
    for (const key of ['a', 'b', 'c']) cache.set(key, key, 5000);
    cache.extend('b', 'b', 6000);
    expect([cache.get('a', 4999), cache.get('b', 5999), cache.get('c', 5000)]).toEqual([undefined, undefined, 'c']);
    cache.sweep(0);
    expect(dropped).toEqual(['a', 'b', 'c']);
  });

  it('keeps for ever what is put in without a time, and gives a value the time that it was put in with', () => {
    const cache = new BoundedCache<number>(3);
    cache.set('for ever', 1);
    cache.set('for a while', 2, 100, 10);
    expect([cache.get('for ever', Number.MAX_VALUE), cache.get('for a while', 109)]).toEqual([1, 2]);
    expect([...cache.values()]).toEqual([1, 2]);
    expect(cache.get('for a while', 110)).toBeUndefined();
    expect([...cache.values()]).toEqual([1]);
  });

  it('drops each value exactly once, keeps no more than it may and nothing past its time', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('set' as const), key: fc.constantFrom('a', 'b', 'c', 'd', 'e') }),
      fc.record({ do: fc.constant('get' as const), key: fc.constantFrom('a', 'b', 'c', 'd', 'e') }),
      fc.record({ do: fc.constantFrom('pass' as const, 'sweep' as const, 'clear' as const), key: fc.constant('') }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), fc.array(step, { maxLength: 60 }), (maxEntries, steps) => {
        const dropped: number[] = [];
        const cache = new BoundedCache<number>(maxEntries, 10, (value) => dropped.push(value));
        const born = new Map<number, number>();
        let now = 0;
        for (const [value, { do: what, key }] of steps.entries()) {
          if (what === 'set') {
            born.set(value, now);
            cache.set(key, value, now);
          } else if (what === 'get') {
            const found = cache.get(key, now);
            if (found !== undefined) expect(now - (born.get(found) ?? Number.NaN)).toBeLessThan(10);
          } else if (what === 'pass') now += 3;
          else if (what === 'sweep') cache.sweep(now);
          else cache.clear();
          expect(cache.size).toBeLessThanOrEqual(maxEntries);
        }
        cache.clear();
        expect(dropped.toSorted((a, b) => a - b)).toEqual([...born.keys()]);
      }),
    );
  });
});
