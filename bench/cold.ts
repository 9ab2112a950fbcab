/**
 * Cold starts: the function in a fresh process under a Runtime API, beside two floors in the same rounds. KMS and the token issuer are stand-ins that take 20 ms to answer.
 * The time in which others had the processor is taken off, so that a busy machine says about the same as one at rest.
 *
 * usage: node bench/cold.ts [--quick] [--rounds N] [--out NAME]
 */
import { writeFileSync } from 'node:fs';
import { runnerOptions } from '../scripts/runner-options.ts';
import { type ColdContestant, prepareCold } from './cold/contestants.ts';
import { type Invoked, startInstance } from './cold/instance.ts';
import { machine } from './machine.ts';
import { memoryOf, waitedMsOf } from './process.ts';
import { quantile, type Spread, spreadOf } from './statistics.ts';

const USAGE = `
Usage: npm run bench:cold [-- options]

  --quick            fewer rounds, for a look, kept under another name
  --rounds NUMBER    how often everyone is measured
  --out NAME         write the result to bench/results/NAME.json
  --help
`;
const { values: options } = runnerOptions(USAGE, {
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, out: { type: 'string' } },
});
const rounds = Number(options.rounds ?? (options.quick ? 5 : 25));
const WARM_REQUESTS = 50;

/** Milliseconds, and MiB. */
interface Measured {
  readonly init: number[];
  /** The first request, which fetches what the init did not. */
  readonly first: number[];
  readonly initAndFirst: number[];
  /** The median of many requests after it. */
  readonly warm: number[];
  /** A request that needs a data key the instance has not seen. */
  readonly newKey: number[];
  readonly rssMiB: number[];
}

const prepared = await prepareCold();
try {
  const measured = new Map<string, Measured>();
  for (let round = 0; round <= rounds; round++)
    for (const contestant of prepared.contestants) {
      const figures = await coldStart(contestant);
      if (round === 0) continue;
      const all = measured.get(contestant.name) ?? empty();
      for (const name of Object.keys(all) as (keyof Measured)[]) all[name].push(figures[name]);
      measured.set(contestant.name, all);
    }
  const result = {
    ...(await machine()),
    settings: { rounds, warmRequests: WARM_REQUESTS, standInMs: prepared.standInMs, startBytes: prepared.startBytes },
    contestants: prepared.contestants.map(({ name, title }) => ({ name, title })),
    measured: Object.fromEntries(measured),
    summary: Object.fromEntries([...measured].map(([name, it]) => [name, summary(it)])),
  };
  const out = options.out ?? (options.quick ? 'scratch-cold' : 'cold');
  writeFileSync(new URL(`./results/${out}.json`, import.meta.url), `${JSON.stringify(result, null, 1)}\n`);
  process.stdout.write(table(result.contestants, measured, prepared.startBytes));
} finally {
  await prepared.close();
}

async function coldStart({
  code,
  variables,
  event,
  freshEvents,
}: ColdContestant): Promise<Record<keyof Measured, number>> {
  const { instance, invoke } = await startInstance(code, variables);
  try {
    const pid = instance.processId ?? Number.NaN;
    const waitedInInit = waitedMsOf(pid);
    const init = (instance.initMs ?? Number.NaN) - waitedInInit;
    const answered = await invoke(event);
    const first = answered.ms - (waitedMsOf(pid) - waitedInInit);
    const warm: number[] = [];
    for (let i = 0; i < WARM_REQUESTS; i++) warm.push((await invoke(event)).ms);
    const newKeys: Invoked[] = [];
    for (const fresh of freshEvents) newKeys.push(await invoke(fresh));
    return {
      init,
      first,
      initAndFirst: init + first,
      warm: quantile(warm, 0.5),
      newKey: quantile(
        newKeys.map(({ ms }) => ms),
        0.5,
      ),
      rssMiB: memoryOf(pid).rss,
    };
  } finally {
    await instance.end();
  }
}

function empty(): Measured {
  return { init: [], first: [], initAndFirst: [], warm: [], newKey: [], rssMiB: [] };
}

function summary(measured: Measured): Record<keyof Measured, Spread> {
  const entries = Object.entries(measured).map(([name, values]) => [name, spreadOf(values)]);
  return Object.fromEntries(entries) as Record<keyof Measured, Spread>;
}

function table(
  contestants: readonly { readonly name: string; readonly title: string }[],
  measured: ReadonlyMap<string, Measured>,
  startBytes: number,
): string {
  const median = (name: string, figure: keyof Measured): number => quantile(measured.get(name)?.[figure] ?? [], 0.5);
  const cell = (name: string, figure: keyof Measured): string => {
    const values = measured.get(name)?.[figure] ?? [];
    if (values.every(Number.isNaN)) return '–';
    return `${median(name, figure).toFixed(1)} (p90 ${quantile(values, 0.9).toFixed(1)})`;
  };
  return [
    '| | init | first request | init + first | warm | new data key | RSS MiB |',
    '|---|---|---|---|---|---|---|',
    ...contestants.map(
      ({ name, title }) =>
        `| ${title} | ${(['init', 'first', 'initAndFirst', 'warm', 'newKey', 'rssMiB'] as const).map((it) => cell(name, it)).join(' | ')} |`,
    ),
    '',
    `init ${(median('ours', 'init') / median('kms', 'init')).toFixed(3)} times that of the client-kms floor`,
    `init + first request ${(median('ours', 'initAndFirst') - median('kms', 'initAndFirst')).toFixed(1)} ms more than the client-kms floor`,
    `loaded at the start: ${startBytes} bytes`,
    '',
  ].join('\n');
}
