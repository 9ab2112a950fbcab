/** The tables of docs/workers.md, from the results of each language's run and of `npm run bench:workers`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Calls, WorkerBench } from '../../../bench/workers-result.ts';
import type { LanguageResults } from './results.ts';
import { ALL_ROWS } from './row-names.ts';

/** The parts of the page that are written, by what stands in their marks. */
export type Part = 'languages' | 'costs';

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

/** Microseconds and calls of every library that was measured. */
export function costsTable({ languages }: WorkerBench): string {
  const names = COLUMNS.filter((name) => languages[name] !== undefined);
  const row = (title: string, cell: (name: string) => string) => `| ${title} | ${names.map(cell).join(' | ')} |`;
  const time = (name: string, direction: 'encode' | 'decode'): string => {
    const { library, sample } = languages[name]?.microseconds ?? {};
    if (library === undefined || sample === undefined) return '';
    const ratio = library[direction] / sample[direction];
    return `${twoDigits(library[direction])} µs, ${twoDigits(ratio)} times the sample's`;
  };
  const calls = (name: string, keys: 'oneDataKey' | 'manyDataKeys'): string => {
    const { write, read, again }: Calls = languages[name]?.calls[keys] ?? { write: NaN, read: NaN, again: NaN };
    return `${write}, ${read}, ${again}`;
  };
  const measured = names.map((name) => {
    const { machine, commit, date = '' } = languages[name] ?? {};
    return `${name} on ${date.slice(0, 10)}, commit ${commit}, ${machine?.cpu}, ${machine?.cores} cores`;
  });
  return `\n${[
    `| | ${names.join(' | ')} |`,
    `|---|${names.map(() => '---').join('|')}|`,
    row('encode a payload of 300 bytes', (name) => time(name, 'encode')),
    row('decode it', (name) => time(name, 'decode')),
    row('calls to KMS for 1,000 payloads under one data key: written, read, read again', (it) =>
      calls(it, 'oneDataKey'),
    ),
    row('… under 1,000 data keys', (it) => calls(it, 'manyDataKeys')),
  ].join('\n')}\n\nMeasured by \`npm run bench:workers\`: ${measured.join('; ')}.\n`;
}

/** The page with this text between the marks of a part. @throws Error when the page has none */
export function withPart(page: string, part: Part, text: string): string {
  const [from, to] = [`<!-- ${part}: written by npm run docs:workers -->`, `<!-- end of ${part} -->`];
  const begin = page.indexOf(from);
  const end = page.indexOf(to);
  if (begin < 0 || end < begin) throw new Error(`the page has no ${from} … ${to}`);
  return page.slice(0, begin + from.length) + text + page.slice(end);
}

/** The page with all its parts from the results that are kept. */
export function withResults(page: string): string {
  const bench = JSON.parse(readFileSync(join(import.meta.dirname, '../../../bench/results/workers.json'), 'utf8'));
  const table = withPart(page, 'languages', languagesTable(readLanguageResults()));
  return withPart(table, 'costs', costsTable(bench as WorkerBench));
}

/** Two digits that count, without an exponent. */
function twoDigits(value: number): string {
  return String(Number(value.toPrecision(2)));
}
