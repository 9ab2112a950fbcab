import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { languagesTable, readLanguageResults, withResults } from '../e2e/languages/page.ts';
import { ALL_ROWS } from '../e2e/languages/row-names.ts';

const page = readFileSync(new URL('../../docs/workers.md', import.meta.url), 'utf8');
const results = readLanguageResults();

describe('docs/workers.md', () => {
  it('shows the results that are kept', () => {
    expect(withResults(page)).toBe(page);
  });

  it('says of a row without a result that it was not run, and of a failed one that it failed', () => {
    const [row = ''] = ALL_ROWS;
    const run = { language: 'Go', sdk: 'Go SDK 1', date: '2026-11-27', cells: [{ row, passed: false, note: '' }] };
    const lines = languagesTable([run]).split('\n');
    expect(lines.find((line) => line.startsWith(`| ${row} |`))).toBe(
      `| ${row} | **no** | not run | not run | not run |`,
    );
    expect(lines.find((line) => line.startsWith(`| ${ALL_ROWS[1]} |`))).toContain('| not run | not run |');
  });

  it.each(results.map((result) => [result.language, result] as const))(
    'knows every row that %s has run',
    (_, { cells }) => {
      expect(cells.map(({ row }) => row).filter((row) => !ALL_ROWS.includes(row))).toEqual([]);
    },
  );
});
