/** A result as Markdown tables. */
import { REFERENCE } from '../contestants.ts';
import { figure, type Result, type Round, ratio } from '../result.ts';
import type { Spread } from '../statistics.ts';

export function renderTables(result: Result): string {
  const { machine } = result;
  return [
    '# Benchmark result',
    '',
    `${result.date}, commit ${result.commit}. ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.os}.`,
    Object.entries(machine.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join('; '),
    '',
    `Settings: ${JSON.stringify(result.settings)}. Every figure is a median over the rounds, with the lowest and highest behind it.`,
    '',
    '## CPU per request',
    '',
    'Milliseconds of user and system time of the server process, and the ratio to the Go rival in the same round.',
    '',
    ...table(
      result,
      result.workloads.map(({ name }) => name),
      (name, workload) => {
        const cpu = figure(result, name, workload, cpuPerRequest);
        if (cpu === undefined) return '';
        const relative = ratio(result, name, REFERENCE, workload, cpuPerRequest);
        return `${spread(cpu)}${relative === undefined ? '' : ` · **${number(relative.median)}×**`}`;
      },
    ),
    '',
    '## Latency',
    '',
    'Milliseconds: of a page from the first preflight to the last answer (p50 / p99), of its requests (p99), and of an export request (p50 / p99) with the share of its wall time that the server computes. Only of those that speak HTTP.',
    '',
    ...latencies(result),
    '',
    '## Memory',
    '',
    'MiB resident after the last round of each workload.',
    '',
    ...table(
      result,
      result.workloads.map(({ name }) => name),
      (name, workload) => {
        const rounds = result.measurements.find((it) => it.contestant === name && it.workload === workload)?.rounds;
        const last = rounds?.at(-1);
        return last === undefined ? '' : `${Math.round(last.rssMiB)}`;
      },
    ),
    '',
    ...result.workloads.map(({ name, title }) => `- **${name}**: ${title}`),
    '',
    ...absences(result),
  ].join('\n');
}

const cpuPerRequest = (round: Round): number => round.cpuMsPerRequest;

function table(
  result: Result,
  columns: readonly string[],
  cell: (contestant: string, workload: string) => string,
): string[] {
  return [
    `| | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '---').join('|')}|`,
    ...result.contestants
      .filter(({ absent }) => absent === undefined)
      .map(({ name, title }) => `| ${name}: ${title} | ${columns.map((column) => cell(name, column)).join(' | ')} |`),
  ];
}

function latencies(result: Result): string[] {
  const value = (name: string, workload: string, of: (round: Round) => number | undefined): string =>
    number(figure(result, name, workload, of)?.median);
  const speakHttp = result.contestants.filter(({ name }) =>
    result.measurements.some(({ contestant, rounds }) => contestant === name && rounds.some(({ latency }) => latency)),
  );
  const shown = { ...result, contestants: speakHttp };
  return table(shown, ['page', 'page request', 'export', 'server share'], (name, column) => {
    if (column === 'page')
      return `${value(name, 'page', (it) => it.page?.p50)} / ${value(name, 'page', (it) => it.page?.p99)}`;
    if (column === 'page request') return value(name, 'page', (it) => it.latency?.p99);
    if (column === 'export')
      return `${value(name, 'export', (it) => it.latency?.p50)} / ${value(name, 'export', (it) => it.latency?.p99)}`;
    const share = figure(result, name, 'export', (it) => it.cpuMs / it.wallMs);
    return share === undefined ? '–' : `${Math.round(share.median * 100)} %`;
  });
}

/** What could not be measured is said, never left out in silence. */
function absences(result: Result): string[] {
  const absent = result.contestants.filter((it) => it.absent !== undefined);
  if (absent.length === 0) return ['Every contestant was measured.', ''];
  return [
    'Not measured:',
    '',
    ...absent.map(({ name, title, absent: reason }) => `- ${name} (${title}): ${reason}`),
    '',
  ];
}

function spread({ median, min, max }: Spread): string {
  return `${number(median)} (${number(min)}–${number(max)})`;
}

/** Three significant digits. */
function number(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
