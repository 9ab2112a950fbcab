import { describe, expect, it } from '@jest/globals';
import { exponentOfGrowth, quantile, seededRandom, spreadOf } from '../../bench/statistics.ts';

describe('statistics of the benchmark', () => {
  it('interpolates quantiles between the values around them', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4, 5], 0.99)).toBeCloseTo(4.96);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('gives the median with the values furthest from it', () => {
    expect(spreadOf([3, 9, 1])).toEqual({ median: 3, min: 1, max: 9 });
  });

  it('finds the exponent by which a cost grows', () => {
    const xs = [1, 10, 100, 1000];
    expect(exponentOfGrowth(xs.map((x) => ({ x, y: 7 * x })))).toBeCloseTo(1);
    expect(exponentOfGrowth(xs.map((x) => ({ x, y: 3 * x * x })))).toBeCloseTo(2);
  });

  it('repeats the same random numbers for the same seed', () => {
    const first = seededRandom(1);
    const second = seededRandom(1);
    const other = seededRandom(2);
    const values = [first(), first()];
    expect([second(), second()]).toEqual(values);
    expect([other(), other()]).not.toEqual(values);
  });
});
