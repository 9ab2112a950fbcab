import { describe, expect, it } from '@jest/globals';
import { nearest } from '../../config/problem.ts';

describe('what was most likely meant', () => {
  const FIELDS = ['access', 'identity', 'failures', 'keys', 'onDelete'];

  it.each([
    ['acess', 'access'],
    ['accses', 'access'],
    ['ondelete', 'onDelete'],
    ['falures', 'failures'],
    ['key', 'keys'],
  ])('%s: %s', (typed, meant) => {
    expect(nearest(typed, FIELDS)).toBe(meant);
  });

  it.each(['rules', 'cors', 'x', ''])('nothing, of %j', (typed) => {
    expect(nearest(typed, FIELDS)).toBeUndefined();
  });
});
