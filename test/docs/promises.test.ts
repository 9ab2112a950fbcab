/** The tables of promises and of attacks: every test they name exists, and no page promises another bound. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..', '..');
/** Pages whose times and amounts are not promises of the server's, each with what they are. */
const OTHER_PAGES: Readonly<Record<string, string>> = {
  compatibility: 'what was measured with each client',
  configure: 'the range of each setting, which the check of a configuration holds',
  cost: 'prices, and what was measured',
  dependencies: 'the size of other people’s code',
  deploy: 'what the two environments that come with the project configure',
  'external-storage': 'what Lambda and S3 take, and what was measured',
  fuzz: 'how long the suites run',
  network: 'what AWS takes, and what to try on AWS',
  scaling: 'what AWS takes, and what was measured',
  soak: 'what was measured',
  'typescript-worker': 'what was measured in workers',
  workers: 'what was measured in workers',
};
const PAGES = readdirSync(join(ROOT, 'docs'))
  .filter((file) => file.endsWith('.md'))
  .map((file) => file.slice(0, -'.md'.length))
  .filter((page) => OTHER_PAGES[page] === undefined);

interface Row {
  readonly promise: string;
  readonly bound: string;
  readonly test: string;
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Whether a cell such as `` `test/a.test.ts`: a title `` names a test that exists. */
function namesATest(cell: string): boolean {
  const [, path = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(cell) ?? [];
  return title !== '' && existsSync(join(ROOT, path)) && read(path).includes(title);
}

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

/** The names of amounts that a page can bound, in one number and one unit each. */
const AMOUNT = /\b([0-9][0-9,.]*) (bytes|characters|KB|KiB|MB|MiB|GiB|data keys|messages|namespaces|places)\b/g;
const BYTES: Readonly<Record<string, number>> = {
  bytes: 1,
  KB: 1_000,
  KiB: 1_024,
  MB: 1_000_000,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};

interface Bound {
  readonly text: string;
  /** The same for the same time or amount, however it is written. */
  readonly value: string;
}

/** The times and amounts that a text states. */
function boundsIn(text: string): Bound[] {
  // What a command, a configuration or a measurement says is not a promise; "once a second", "an hour of cost" are
  // rates, and a second page is none. A key has 32 bytes and a proof 43 characters, no more and no less.
  const prose = text
    .replace(/^```.*?^```/gms, '')
    .replace(/<!-- figures.*?<!-- end of figures -->/gs, '')
    .replace(/\b(?:once|twice|\d+|requests|pages|calls) an? (?:second|minute|day)/gi, '')
    .replace(/\b(?:32 bytes|32 characters|43 characters)\b/g, '')
    .replace(/\ba second (?=[A-Za-z]+)(?!of|at|or|and|without)/g, '');
  const times = [...prose.matchAll(DURATION)].map(([found, amount = '', unit = '']) => {
    const number = WORDS[amount.toLowerCase()] ?? Number(amount.replaceAll(',', ''));
    return { text: found, value: `${number * (SECONDS[unit.toLowerCase()] ?? Number.NaN)} seconds` };
  });
  const amounts = [...prose.matchAll(AMOUNT)].map(([found, amount = '', unit = '']) => {
    const number = Number(amount.replaceAll(',', ''));
    const bytes = BYTES[unit];
    return { text: found, value: bytes === undefined ? `${number} ${unit}` : `${number * bytes} bytes` };
  });
  return [...times, ...amounts];
}

const rows = rowsOf(read('docs/security.md'));

describe('the table of promises', () => {
  it('has rows, each with a promise, a bound and a test, and no promise twice', () => {
    expect(rows.length).toBeGreaterThanOrEqual(15);
    for (const row of rows) expect(Object.values(row).every((cell) => cell !== '')).toBe(true);
    expect(new Set(rows.map(({ promise }) => promise)).size).toBe(rows.length);
  });

  it.each(rows.map((row) => [row.promise, row.test] as const))('names a test that exists: %s', (_, test) => {
    expect(namesATest(test) ? 'exists' : `no such test: ${test}`).toBe('exists');
  });

  it('is for pages that exist', () => {
    for (const page of Object.keys(OTHER_PAGES)) expect(existsSync(join(ROOT, `docs/${page}.md`))).toBe(true);
  });

  const promised = new Set(rows.flatMap(({ bound }) => boundsIn(bound).map(({ value }) => value)));
  const unknownIn = (text: string) => boundsIn(text).filter(({ value }) => !promised.has(value));

  it.each(PAGES)('holds every time and amount that docs/%s.md states', (page) => {
    const text = read(`docs/${page}.md`);
    const outside = page === 'security' ? text.replace(/^## Promises\n.*?(?=^## )/ms, '') : text;
    expect(unknownIn(outside).map((bound) => bound.text)).toEqual([]);
  });

  it.each([
    'A token is believed for 7 minutes after that.',
    'It ends within ninety seconds, or after 90 seconds.',
    'The server keeps 20 MiB of it.',
    'A request touches at most 51 namespaces.',
  ])('finds a bound that is not in it: %s', (sentence) => {
    expect(unknownIn(`${read('docs/keys.md')}\n${sentence}`)).toHaveLength(1);
  });
});

describe('the table of attacks', () => {
  const attacks = read('test/attack/README.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (attack|---) /.test(line))
    .map((line) => line.slice(1, -1).split('|'));

  it.each(attacks.map(([attack = '', test = '', where = '']) => [attack.trim(), test.trim(), where.trim()] as const))(
    'names a test that exists, and where it runs: %s',
    (_, test, where) => {
      expect(namesATest(test) ? 'exists' : `no such test: ${test}`).toBe('exists');
      expect(where).toMatch(/^(both|the local server|the function|the pipeline, which both run|no server)/);
    },
  );
});
