/** The form of the result on whole histories, and the figures that a page shows of it. */
import type { Figure } from '../figures.ts';
import type { Provenance } from '../machine.ts';
import { quantile } from '../statistics.ts';

/** One input, decoded in one way. Milliseconds from start to end of the process, and of the processor. */
export interface HistoryRow {
  readonly input: string;
  readonly way: string;
  readonly bytes: number;
  readonly rounds: readonly {
    readonly wallMs: number;
    readonly clientMs: number;
    readonly serverMs: number;
    readonly peakMiB: number;
    readonly requests: number;
    readonly payloads: number;
  }[];
}

/** `bench/results/histories.json`. */
export interface HistoryTable extends Provenance {
  readonly settings: Readonly<
    Record<'events' | 'histories' | 'largeBytes' | 'rounds' | 'delayMs' | 'dataKeys', number>
  >;
  readonly rows: readonly HistoryRow[];
}

/** The median over the rounds. */
export function medianOf({ rounds }: HistoryRow, of: keyof HistoryRow['rounds'][number]): number {
  return quantile(
    rounds.map((round) => round[of]),
    0.5,
  );
}

/**
 * How much of its time a command with local keys had the processor: it waits for nothing else, so what is missing is what
 * the machine did besides.
 */
export function shareOfProcessor({ rows }: HistoryTable): number {
  const local = rows.filter(({ way, rounds }) => way === 'local keys' && rounds.length > 1);
  const sum = (of: 'wallMs' | 'clientMs') => local.reduce((total, row) => total + medianOf(row, of), 0);
  return sum('clientMs') / sum('wallMs');
}

/** What is aimed at where people wait. */
export function historyFigures({ rows, settings: { delayMs } }: HistoryTable): Figure[] {
  const remote = rows.filter(({ way, input }) => way !== 'local keys' && !input.startsWith('nothing'));
  const long = remote[0];
  const [longer, large] = rows.filter(({ way }) => way === 'local keys').slice(-2);
  return [
    ...remote.map((row) => ({
      what: `decode of ${row.input}, at a server ${delayMs} ms away`,
      measured: medianOf(row, 'wallMs') / 1000,
      unit: 's' as const,
      aim: 1,
    })),
    {
      what: `requests for ${long?.input}`,
      measured: long === undefined ? Number.NaN : medianOf(long, 'requests'),
      unit: '',
      aim: 14,
    },
    {
      what: `memory at most for ${large?.input}, of that for ${longer?.input}`,
      measured:
        (large?.rounds[0]?.peakMiB ?? Number.NaN) / (longer === undefined ? Number.NaN : medianOf(longer, 'peakMiB')),
      unit: '×',
      aim: 1.2,
    },
  ];
}
