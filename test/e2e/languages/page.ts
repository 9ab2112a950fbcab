/** The table of docs/workers.md, from the results of each language's run. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LanguageResults } from './results.ts';
import { ALL_ROWS } from './row-names.ts';

const BEGIN = '<!-- table of languages: written by npm run docs:workers -->';
const END = '<!-- end of the table of languages -->';

/** Where the results stand that the page shows. */
export const resultsFolder = join(import.meta.dirname, 'results');

/** Languages of the table, in its order; one without results has run nothing. */
export const COLUMNS = ['Go', 'Python', 'Java', '.NET'] as const;

/** The results that are kept. */
export function readLanguageResults(folder: string = resultsFolder): LanguageResults[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as LanguageResults);
}

/** The table, with what was run and when below it. */
export function languagesTable(results: readonly LanguageResults[]): string {
  const columns = COLUMNS.map((name) => results.find(({ language }) => language === name));
  const rows = ALL_ROWS.map((row) => `| ${row} | ${columns.map((column) => cellOf(column, row)).join(' | ')} |`);
  const run = COLUMNS.flatMap((name, i) => {
    const column = columns[i];
    return column === undefined ? [`${name} not run`] : [`${column.sdk} on ${column.date}`];
  });
  const head = [`| | ${COLUMNS.join(' | ')} |`, `|---|${COLUMNS.map(() => '---').join('|')}|`];
  return `\n${[...head, ...rows].join('\n')}\n\nRun: ${run.join('; ')}.\n`;
}

function cellOf(results: LanguageResults | undefined, row: string): string {
  const cell = results?.cells.find((it) => it.row === row);
  if (cell === undefined) return 'not run';
  if (!cell.passed) return '**no**';
  return cell.note === '' ? 'yes' : `yes: ${cell.note}`;
}

/** The page with this table between its marks. @throws Error when the page has none */
export function withTable(page: string, table: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page has no ${BEGIN} … ${END}`);
  return page.slice(0, begin + BEGIN.length) + table + page.slice(end);
}
