/**
 * How many outages the alarm on requests that were not served sees, and how often it is wrong: plays
 * outages and months of ordinary mistakes for teams of several sizes, with a seed, and writes the table
 * of docs/operate.md (`npm run bench:pages` puts it there).
 *
 * usage: node bench/alarms.ts [--outages 4000] [--months 200] [--seed 1]
 */
import { writeFileSync } from 'node:fs';
import { NOT_SERVED } from '../lib/alarms/watches.ts';
import { runnerOptions } from '../scripts/runner-options.ts';
import { alarmMinutes, MISTAKES, ordinaryDay, TEAM, work } from './alarms/model.ts';
import type { AlarmRow } from './figures.ts';
import { seededRandom } from './statistics.ts';

const USAGE = `
Usage: npm run bench:alarms [-- options]

  --outages NUMBER   outages played for each team (default: 4000)
  --months NUMBER    months of ordinary work played for each team (default: 200)
  --seed NUMBER      the same seed, the same table (default: 1)
  --help
`;
const { values: options } = runnerOptions(USAGE, {
  options: {
    outages: { type: 'string', default: '4000' },
    months: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
  },
});
const [outages, months, seed] = [Number(options.outages), Number(options.months), Number(options.seed)];

const TEAMS = [3, 5, 10, 100];
/** Of the pages: all of them, and those of one namespace among three. */
const SHARES = { total: 1, third: 1 / 3 };
/** Work before the outage begins, so that the window is full of requests that were served. */
const BEFORE = 60;
const LONGEST = 30;
/** Minutes that CloudWatch takes to see a minute's requests. */
const INGESTION = 1;

const random = seededRandom(seed);

/** Minutes from the beginning of an outage to the alarm, or undefined for none within half an hour. */
function minutesToAlarm(people: number, share: number): number | undefined {
  const arrivals = work(random, people, BEFORE + LONGEST, { from: BEFORE, share });
  const during = arrivals.filter(({ at }) => at < BEFORE + LONGEST);
  const at = alarmMinutes(during).find((minute) => minute > BEFORE && minute + INGESTION <= BEFORE + LONGEST);
  return at === undefined ? undefined : at + INGESTION - BEFORE;
}

function seenWithin(minutes: number, played: readonly (number | undefined)[]): number {
  return played.filter((at) => at !== undefined && at <= minutes).length / played.length;
}

const rows: AlarmRow[] = TEAMS.map((people) => {
  const total = Array.from({ length: outages }, () => minutesToAlarm(people, SHARES.total));
  const third = Array.from({ length: outages }, () => minutesToAlarm(people, SHARES.third));
  let falseAlarms = 0;
  for (let day = 0; day < months * MISTAKES.days; day++)
    falseAlarms += alarmMinutes(ordinaryDay(random, people)).length;
  return {
    people,
    within15: seenWithin(15, total),
    within30: seenWithin(30, total),
    thirdWithin30: seenWithin(30, third),
    falseAlarmsAMonth: falseAlarms / months,
  };
});
const result = { settings: { seed, outages, months, alarm: NOT_SERVED, team: TEAM, mistakes: MISTAKES }, rows };
writeFileSync(new URL('./results/alarms.json', import.meta.url), `${JSON.stringify(result, null, 1)}\n`);
for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
