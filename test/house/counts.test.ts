import { describe, expect, it } from '@jest/globals';
import { exportsForTests, linesOf, passagesTwice, sources } from './counts.ts';

describe('the house', () => {
  it('has no file over 400 lines, which nobody reads in one go', () => {
    expect(sources.filter((file) => linesOf(file) > 400)).toEqual([]);
  });

  it('says nothing twice: a passage that stands in two places is changed in one', () => {
    expect(passagesTwice()).toEqual([]);
  });

  it('exports nothing for tests alone, but for a reason that is written down', () => {
    const { unused, gone } = exportsForTests();
    expect([...unused].filter(([, reason]) => reason === undefined)).toEqual([]);
    expect(gone).toEqual([]);
  });
});
