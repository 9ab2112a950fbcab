/**
 * What the life of a write key decides: workers that write all day, and whoever reads what they wrote.
 * A model with a seed. It proves and renews keys as `codec/keys/cache/write-keys.ts` does; what it
 * assumes of people and of AWS stands in {@link ASSUMED}.
 */
import { DEFAULT_CACHE_SETTINGS } from '../../codec/keys/cache/data-key-cache.ts';

/** Numbers in 0…1. */
export type Random = () => number;

export const ASSUMED = {
  /** The workers, and the seconds between two payloads of one of them, on average. */
  workers: 50,
  secondsBetween: 60,
  /** Payloads of a history, written within a day by any of the workers. */
  payloads: 100,
  /** Days back from which people open histories. */
  days: 7,
  /** Pages a person opens in the eight hours of one of 21 working days. */
  pagesADay: 20,
  hoursADay: 8,
  workingDays: 21,
  /** Instances that share a page, each with a cache of its own; a browser has as many requests under way. */
  instances: 6,
  /** Milliseconds of a request that finds its data key, with its way there and back, and of a call to KMS. */
  requestMs: 41,
  kmsMs: 20,
  /** Calls of one process to one KMS key side by side. */
  kmsAtOnce: 50,
  /** Dollars for 10,000 calls. */
  kmsPrice: 0.03,
  /** Histories that a worker replays when it starts. */
  replays: 20,
} as const;

const DAY = 86_400;
const TTL = DEFAULT_CACHE_SETTINGS.ttlSeconds;
/** Seconds from one proof of a key that writes to the next. */
const PROOF = TTL * 0.8;

/** What workers wrote: for each payload, in order of time, the second and the data key. */
export interface Written {
  readonly at: Float64Array;
  readonly key: Int32Array;
  readonly made: number;
  readonly proofs: number;
}

/** Writers, each with the key that it writes under. */
class Writers {
  made = 0;
  proofs = 0;
  readonly #life: number;
  readonly #current = new Map<number, { readonly key: number; readonly madeAt: number; provenAt: number }>();

  constructor(life: number) {
    this.#life = life;
  }

  /** @returns the data key under which a worker writes at a second */
  write(worker: number, at: number): number {
    const current = this.#current.get(worker);
    if (current === undefined) return this.#make(worker, at);
    if (at >= current.provenAt + PROOF) {
      this.proofs++;
      current.provenAt = at;
    }
    // The next one is made beside this payload, which nobody lets wait for it.
    if (at >= current.madeAt + this.#life) this.#make(worker, at);
    return current.key;
  }

  #make(worker: number, at: number): number {
    const key = this.made++;
    this.#current.set(worker, { key, madeAt: at, provenAt: at });
    return key;
  }
}

/** A busy namespace: every worker of {@link ASSUMED} writes now and then, for some days. */
export function busy(random: Random, life: number): Written {
  const { workers, secondsBetween, days } = ASSUMED;
  const writers = new Writers(life);
  const [at, key]: [number[], number[]] = [[], []];
  for (let now = 0; now < days * DAY; now += -Math.log(1 - random()) * (secondsBetween / workers)) {
    at.push(now);
    key.push(writers.write(Math.floor(random() * workers), now));
  }
  return { at: Float64Array.from(at), key: Int32Array.from(key), made: writers.made, proofs: writers.proofs };
}

/** A quiet one: every ten minutes one of twenty workers writes an input and its result, for 30 days. @returns data keys made */
export function quiet(random: Random, life: number): number {
  const writers = new Writers(life);
  for (let now = 0; now < 30 * DAY; now += 600)
    for (const payload of [0, 1]) writers.write(Math.floor(random() * 20), now + payload);
  return writers.made;
}

/** The data keys of a history that took a day, some time in the days before. */
export function historyOf(random: Random, { at, key }: Written, days: number = ASSUMED.days): number[] {
  const began = (ASSUMED.days - days + random() * (days - 1)) * DAY;
  const [from, to] = [indexOf(at, began), indexOf(at, began + DAY)];
  return Array.from({ length: ASSUMED.payloads }, () => key[from + Math.floor(random() * (to - from))] as number);
}

function indexOf(at: Float64Array, second: number): number {
  let [low, high] = [0, at.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((at[middle] as number) < second) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Caches of instances: a key is found for as long after its call as the server's default says. */
export class Caches {
  calls = 0;
  readonly #until = new Map<number, number>();

  /** @returns whether KMS had to be asked */
  find(instance: number, key: number, now: number): boolean {
    const name = key * ASSUMED.instances + instance;
    if ((this.#until.get(name) ?? -1) > now) return false;
    this.#until.set(name, now + TTL);
    this.calls++;
    return true;
  }
}

/** Milliseconds until a page is readable that finds nothing cached, each payload a request, on connections that take turns. */
export function pageMs(keys: readonly number[]): number {
  const { instances, requestMs, kmsMs } = ASSUMED;
  const caches = new Caches();
  const free = new Array<number>(instances).fill(0);
  for (const key of keys) {
    const instance = free.indexOf(Math.min(...free));
    free[instance] = (free[instance] as number) + requestMs + (caches.find(instance, key, 0) ? kmsMs : 0);
  }
  return Math.max(...free);
}

/** Milliseconds of one request that brings all payloads, as a command does. */
export function requestMs(distinct: number): number {
  return ASSUMED.requestMs + Math.ceil(distinct / ASSUMED.kmsAtOnce) * ASSUMED.kmsMs;
}

/** Calls to KMS in an hour of a working day, of people who open histories of the days before. */
export function readersHour(random: Random, written: Written, readers: number): number {
  const { pagesADay, hoursADay, instances } = ASSUMED;
  const caches = new Caches();
  const times = Array.from({ length: (readers * pagesADay) / hoursADay }, () => random() * 3600).sort((a, b) => a - b);
  for (const now of times)
    for (const key of historyOf(random, written)) caches.find(Math.floor(random() * instances), key, now);
  return caches.calls;
}

/** Calls to KMS of one worker that starts and replays histories of the last two days at once, nothing cached. */
export function replayCalls(random: Random, written: Written): number {
  const keys = Array.from({ length: ASSUMED.replays }, () => historyOf(random, written, 2)).flat();
  return new Set(keys).size;
}
