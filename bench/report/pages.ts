/** The parts of pages that are made of results, between two marks: put there, and read again by a test. */
import { cpuMs, cpuRatio, figuresOf, isMet, type Results, shownNumber } from '../figures.ts';
import { medianOf, shareOfProcessor } from '../histories/table.ts';
import type { Provenance } from '../machine.ts';
import { quantile } from '../statistics.ts';
import type { WriteKeyRow } from '../write-keys/table.ts';

/** Pages of the repository by the text that belongs between their marks. */
export function partsOf(results: Results): Readonly<Record<string, string>> {
  return {
    'README.md': speedPart(results),
    'docs/scaling.md': scalingPart(results),
    'docs/operate.md': alarmsPart(results),
    'docs/cost.md': writeKeysPart(results),
    'docs/typescript-worker.md': workerPart(results),
    'docs/histories.md': historiesPart(results),
    'bench/results/README.md': figuresPart(results),
  };
}

const BEGIN = '<!-- figures: written by npm run bench:pages -->';
const END = '<!-- end of figures -->';

/** The text between the marks. @throws Error when the page has none */
export function partOf(page: string): string {
  const [from, to] = marksOf(page);
  return page.slice(from, to);
}

/** The page with another text between its marks. @throws Error when the page has none */
export function withPart(page: string, part: string): string {
  const [from, to] = marksOf(page);
  return page.slice(0, from) + part + page.slice(to);
}

function marksOf(page: string): [from: number, to: number] {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`a page has no ${BEGIN} … ${END}`);
  return [begin + BEGIN.length, end];
}

function measuredOn({ date, commit, machine }: Provenance): string {
  return `${date.slice(0, 10)}, commit ${commit}: ${machine.cpu}, ${machine.cores} cores, ${machine.os.split('-')[0]}, Node ${machine.versions['node']?.slice(1)}`;
}

const RIVALS = [
  ['go', "Go SDK's handler"],
  ['java', "Java's remote data encoder"],
  ['express', 'express with the TypeScript SDK'],
  ['python', 'aiohttp with the Python SDK'],
] as const;
const OURS = [
  ['ours', '**this server**'],
  ['guarded', 'with tokens, rules, audit log and metrics'],
  ['own', 'with its own format'],
] as const;

function speedPart(results: Results): string {
  const { latest, cold } = results;
  const cell = (name: string, workload: string): string =>
    `${shownNumber(cpuRatio(latest, name, 'go', workload))}× (${Number(cpuMs(latest, name, workload).toPrecision(2))} ms)`;
  const init = (name: string): number => quantile(cold.measured[name]?.init ?? [], 0.5);
  return [
    '',
    'CPU per request beside the codec servers that the SDKs and samples offer, in one run, compared with the Go one:',
    '',
    '| | one payload of 300 B | 100 payloads of 1 KB | one payload of 1 MB |',
    '| --- | --- | --- | --- |',
    ...[...OURS, ...RIVALS].map(
      ([name, title]) => `| ${title} | ${['w1', 'w2', 'w3'].map((it) => cell(name, it)).join(' | ')} |`,
    ),
    '',
    `The function's init takes ${shownNumber(init('ours') / init('kms'))} times that of a handler that only loads the KMS client; it loads ${shownNumber(cold.settings.startBytes / 1000)} KB of code.`,
    `Measured ${measuredOn(latest)}.`,
    'All figures, what was aimed at and what was missed: [bench/results](bench/results/README.md).',
    '',
  ].join('\n');
}

function scalingPart({ scale }: Results): string {
  return [
    '',
    `Played ${scale.settings.runs} times with the cold starts that \`bench/cold.ts\` measured (${measuredOn(scale.measuredAt)}).`,
    '',
    '| page | requests | spread (ms) | provisioned | instances | cold starts | KMS calls | JWKS fetches | p50 | p99 |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...scale.rows.map(
      ({ page, requests, spreadMs, provisioned, instances, coldStarts, kmsCalls, jwksFetches, readableMs }) =>
        `| ${[page, requests, spreadMs, provisioned, instances, coldStarts, kmsCalls, jwksFetches, readableMs.p50.toFixed(0), readableMs.p99.toFixed(0)].join(' | ')} |`,
    ),
    '',
  ].join('\n');
}

function alarmsPart({ alarms }: Results): string {
  const { seed, outages, months } = alarms.settings;
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return [
    '',
    `Played with the seed ${seed}: ${outages} outages of half an hour and ${months} months for each team (\`npm run bench:alarms\`).`,
    '',
    '| people | total outage, seen within 15 min | within 30 min | a third of the pages fails, within 30 min | false alarms a month |',
    '| --- | --- | --- | --- | --- |',
    ...alarms.rows.map(
      ({ people, within15, within30, thirdWithin30, falseAlarmsAMonth }) =>
        `| ${[people, percent(within15), percent(within30), percent(thirdWithin30), falseAlarmsAMonth.toFixed(2)].join(' | ')} |`,
    ),
    '',
  ].join('\n');
}

const LIFE: Readonly<Record<number, string>> = { 300: '5 minutes', 3600: '1 hour', 86400: '24 hours, the default' };

function writeKeysPart({ 'write-keys': { settings, rows } }: Results): string {
  const { seed, assumed, readers } = settings;
  const line = (what: string, of: (row: WriteKeyRow) => string): string => `| ${what} | ${rows.map(of).join(' | ')} |`;
  const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
  const dollars = (value: number): string => `$${value.toFixed(2)}`;
  return [
    '',
    `Played with the seed ${seed} (\`npm run bench:write-keys\`): ${assumed.workers} workers that write a payload every ${assumed.secondsBetween} seconds each, and histories of`,
    `${assumed.payloads} payloads that took a day among them.`,
    '',
    `| one data key writes for | ${rows.map(({ lifeSeconds }) => LIFE[lifeSeconds]).join(' | ')} |`,
    `| --- | ${rows.map(() => '---').join(' | ')} |`,
    line('data keys that the workers make in a day', (row) => whole(row.madeADay)),
    line('the same where one of 20 workers writes two payloads every ten minutes, in 30 days', (row) =>
      whole(row.madeByQuiet),
    ),
    line('data keys behind a page: the calls of a server with one cache', (row) => whole(row.keysAPage)),
    line('one request for the whole page', (row) => `${whole(row.requestMs)} ms`),
    line(
      `a request for each payload, ${assumed.instances} at a time, each on an instance with a cache of its own`,
      (row) => `${whole(row.pageMs)} ms`,
    ),
    ...readers.map((people, index) =>
      line(`KMS a month, ${whole(people)} readers`, (row) => dollars(row.readersAMonth[index] ?? Number.NaN)),
    ),
    line('KMS a month, the workers', (row) => dollars(row.workersAMonth)),
    line(`calls of a worker that starts and replays ${assumed.replays} histories`, (row) => whole(row.replayCalls)),
    '',
  ].join('\n');
}

function workerPart({ worker }: Results): string {
  const { measured, settings } = worker;
  const sizes = [...new Set(measured.map(({ size }) => size))];
  const names = [...new Set(measured.map(({ name }) => name))];
  const cell = (name: string, size: number): string => {
    const row = measured.find((it) => it.name === name && it.size === size);
    return `${shownNumber(row?.encode ?? Number.NaN)} / ${shownNumber(row?.decode ?? Number.NaN)}, ${row?.bytes.toLocaleString('en-US')} B`;
  };
  return [
    '',
    `Microseconds to encode / decode one payload a call, and what is stored of it; medians of ${settings.rounds} rounds in which all took turns (\`npm run bench:worker\`).`,
    `Measured ${measuredOn(worker)}.`,
    ...(settings.load > worker.machine.cores
      ? [
          `The machine was busy (load ${settings.load.toFixed(0)}): only the ratios mean something, and the microseconds are too many.`,
        ]
      : []),
    '',
    `| | ${sizes.map((size) => `${size.toLocaleString('en-US')} B`).join(' | ')} |`,
    `| --- | ${sizes.map(() => '---').join(' | ')} |`,
    ...names.map((name) => `| ${name} | ${sizes.map((size) => cell(name, size)).join(' | ')} |`),
    '',
  ].join('\n');
}

function historiesPart({ histories }: Results): string {
  const { settings, rows } = histories;
  const share = shareOfProcessor(histories);
  return [
    '',
    `Whole runs of the command, from start to end; medians of ${settings.rounds} rounds (\`npm run bench:histories\`). Payloads have 100 to 200 B`,
    `of text, under ${settings.dataKeys} data keys. The server is one process on the same machine, and ${settings.delayMs} ms away.`,
    `Measured ${measuredOn(histories)}.`,
    ...(share < 0.8
      ? [
          `The machine was busy: a command with local keys had the processor for ${Math.round(share * 100)} % of its time, so seconds are too`,
          'many, and those of the processor count.',
        ]
      : []),
    '',
    '| input | | payloads | requests | seconds | of the processor: command | server | memory |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map((row) => {
      const seconds = (of: 'wallMs' | 'clientMs' | 'serverMs') => (medianOf(row, of) / 1000).toFixed(2);
      const isRemote = row.way !== 'local keys';
      const counts = [medianOf(row, 'payloads').toLocaleString('en-US'), isRemote ? medianOf(row, 'requests') : ''];
      const times = [seconds('wallMs'), seconds('clientMs'), isRemote ? seconds('serverMs') : ''];
      return `| ${[row.input, row.way, ...counts, ...times, `${medianOf(row, 'peakMiB')} MiB`].join(' | ')} |`;
    }),
    '',
  ].join('\n');
}

function figuresPart(results: Results): string {
  return [
    '',
    `Measured ${measuredOn(results.latest)}.`,
    '',
    '| figure | measured | aim | |',
    '| --- | --- | --- | --- |',
    ...figuresOf(results).map((figure) => {
      const { what, measured, unit, aim, atLeast } = figure;
      const space = unit === '×' || unit === '' ? '' : ' ';
      return `| ${what} | ${shownNumber(measured)}${space}${unit} | ${atLeast ? 'at least' : 'at most'} ${shownNumber(aim)}${space}${unit} | ${isMet(figure) ? 'reached' : '**missed**'} |`;
    }),
    '',
  ].join('\n');
}
