import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { figuresOf, isMet, readResults, shownNumber } from '../../bench/figures.ts';
import { partOf, partsOf, withPart } from '../../bench/report/pages.ts';

const results = readResults();
const root = new URL('../../', import.meta.url);

describe('the figures that pages state', () => {
  it.each(Object.entries(partsOf(results)))('are those of the committed results: %s', (page, part) => {
    expect(partOf(readFileSync(new URL(page, root), 'utf8'))).toBe(part);
  });

  it('are all numbers, of results in which everyone was measured over five rounds or more', () => {
    expect(figuresOf(results).filter(({ measured }) => !Number.isFinite(measured))).toEqual([]);
    expect(results.latest.contestants.filter(({ absent }) => absent !== undefined)).toEqual([]);
    for (const { rounds } of results.latest.measurements) expect(rounds.length).toBeGreaterThanOrEqual(5);
  });

  it('name the commit, the day and the machine that they were measured on', () => {
    for (const { date, commit, machine } of [
      results.latest,
      results.message,
      results.cold,
      results.linear,
      results.memory,
    ]) {
      expect(date).toMatch(/^20\d\d-\d\d-\d\dT/);
      expect(commit).toMatch(/^[0-9a-f]{7,}/);
      expect(machine.cores).toBeGreaterThan(0);
    }
  });
});

describe('a figure', () => {
  it('is judged as it is shown, so that nobody reads 1 and "missed"', () => {
    const figure = { what: 'something', unit: '×', aim: 1 } as const;
    expect(isMet({ ...figure, measured: 1.004 })).toBe(true);
    expect(isMet({ ...figure, measured: 1.006 })).toBe(false);
    expect(isMet({ ...figure, measured: 1.006, atLeast: true })).toBe(true);
    expect(shownNumber(348.511)).toBe('349');
  });

  it('is put between the marks of a page, and a page without marks is refused', () => {
    const page = 'before <!-- figures: written by npm run bench:pages -->old<!-- end of figures --> after';
    expect(partOf(withPart(page, 'new'))).toBe('new');
    expect(withPart(page, 'new')).toMatch(/^before .* after$/);
    expect(() => partOf('no marks')).toThrow('a page has no <!-- figures');
  });
});
