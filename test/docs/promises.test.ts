/** The table of promises in docs/security.md: every test it names exists, and no page promises another time. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..', '..');
/** The pages that say how long something holds or lasts. Others speak of costs, or of Temporal's own limits. */
const PAGES = ['access', 'keys', 'sign-in', 'security', 'rotate-keys', 'operate'];

interface Row {
  readonly promise: string;
  readonly bound: string;
  readonly test: string;
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

function rowsOf(page: string): Row[] {
  const section = page.split(/^## /m).find((part) => part.startsWith('Promises\n')) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| promise '))
    .map((line) => {
      const [promise = '', bound = '', test = ''] = line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim());
      return { promise, bound, test };
    });
}

const WORDS: Readonly<Record<string, number>> = {
  a: 1,
  an: 1,
  one: 1,
  two: 2,
  three: 3,
  five: 5,
  eight: 8,
  ten: 10,
  twelve: 12,
  fifteen: 15,
  thirty: 30,
  sixty: 60,
};
const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, second: 1, minute: 60, hour: 3600, day: 86_400 };
const DURATION = new RegExp(
  `\\b([0-9][0-9,.]*|${Object.keys(WORDS).join('|')})[ -](ms|s|second|minute|hour|day)s?\\b`,
  'gi',
);

/** The times that a text states, in seconds. */
function timesIn(text: string): { readonly text: string; readonly seconds: number }[] {
  // What a command or a configuration says is not a promise; "once a second", "an hour of cost" are rates.
  const prose = text
    .replace(/^```.*?^```/gms, '')
    .replace(/\b(?:once|twice|\d+|requests|pages) an? (?:second|minute|day)/gi, '');
  return [...prose.matchAll(DURATION)].map(([found, amount = '', unit = '']) => {
    const number = WORDS[amount.toLowerCase()] ?? Number(amount.replaceAll(',', ''));
    return { text: found, seconds: number * (SECONDS[unit.toLowerCase()] ?? Number.NaN) };
  });
}

const rows = rowsOf(read('docs/security.md'));

describe('the table of promises', () => {
  it('has rows, each with a promise, a bound and a test, and no promise twice', () => {
    expect(rows.length).toBeGreaterThanOrEqual(15);
    for (const row of rows) expect(Object.values(row).every((cell) => cell !== '')).toBe(true);
    expect(new Set(rows.map(({ promise }) => promise)).size).toBe(rows.length);
  });

  it.each(rows.map((row) => [row.promise, row.test] as const))('names a test that exists: %s', (_, test) => {
    const [, path = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(test) ?? [];
    expect(title).not.toBe('');
    expect(existsSync(join(ROOT, path)) && read(path).includes(title) ? 'exists' : `no such test: ${test}`).toBe(
      'exists',
    );
  });

  it.each(PAGES)('holds every time that docs/%s.md states', (page) => {
    const promised = new Set(rows.flatMap(({ bound }) => timesIn(bound).map(({ seconds }) => seconds)));
    const text = read(`docs/${page}.md`);
    const outside = page === 'security' ? text.replace(/^## Promises\n.*?(?=^## )/ms, '') : text;
    const unknown = timesIn(outside).filter(({ seconds }) => !promised.has(seconds));
    expect(unknown.map((time) => time.text)).toEqual([]);
  });
});
