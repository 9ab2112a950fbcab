/** The table of write-key lives: plays the model for each, always with the same seed. */
import { mean, seededRandom } from '../statistics.ts';
import { ASSUMED, busy, historyOf, pageMs, quiet, readersHour, replayCalls, requestMs, type Written } from './model.ts';

/** Seconds: as long as a key is cached for reading, an hour, and the default. */
export const LIVES = [300, 3600, 86_400];
export const READERS = [10, 100, 1000];
/** Pages played for the means. */
const PAGES = 200;

/** What one life of write keys costs. Counts are means. */
export interface WriteKeyRow {
  readonly lifeSeconds: number;
  /** Data keys that the workers make in a day, and in the quiet namespace in 30 days. */
  readonly madeADay: number;
  readonly madeByQuiet: number;
  /** Distinct data keys behind a page, which are the calls of a server with one cache. */
  readonly keysAPage: number;
  /** Until the page is readable: a request for each payload, and one for all. */
  readonly pageMs: number;
  readonly requestMs: number;
  /** Dollars a month for KMS calls of readers, by {@link READERS}, and of the workers. */
  readonly readersAMonth: readonly number[];
  readonly workersAMonth: number;
  /** Calls of one worker that starts and replays. */
  readonly replayCalls: number;
}

export interface WriteKeyTable {
  readonly settings: { readonly seed: number; readonly assumed: typeof ASSUMED; readonly readers: readonly number[] };
  readonly rows: readonly WriteKeyRow[];
}

/** Plays everything. The same seed gives the same table. */
export function play(seed: number): WriteKeyTable {
  return { settings: { seed, assumed: ASSUMED, readers: READERS }, rows: LIVES.map((life) => rowOf(seed, life)) };
}

const price = (calls: number): number => (calls / 10_000) * ASSUMED.kmsPrice;

/** Plays one life. */
export function rowOf(seed: number, life: number): WriteKeyRow {
  const random = seededRandom(seed);
  const written: Written = busy(random, life);
  const { days, hoursADay, workingDays } = ASSUMED;
  const pages = Array.from({ length: PAGES }, () => historyOf(random, written));
  const distinct = pages.map((keys) => new Set(keys).size);
  return {
    lifeSeconds: life,
    madeADay: written.made / days,
    madeByQuiet: quiet(random, life),
    keysAPage: mean(distinct),
    pageMs: mean(pages.map(pageMs)),
    requestMs: mean(distinct.map(requestMs)),
    readersAMonth: READERS.map((readers) => price(readersHour(random, written, readers)) * hoursADay * workingDays),
    workersAMonth: (price(written.made + written.proofs) / days) * 30,
    replayCalls: mean(Array.from({ length: 20 }, () => replayCalls(random, written))),
  };
}
