/** What is kept for a while, within a bound that no stranger moves: the one such map of the code. */
import { ageOf } from './calls/clock.ts';

interface Entry<V> {
  readonly value: V;
  /** When it was put in, and how many milliseconds it has from then on. */
  since: number;
  ttl: number;
  used: boolean;
}

/**
 * A map that forgets: an entry that was not used for long when it is full, and every entry some time
 * after it was put in, however often it is used. What it forgets it hands to `onDrop`, exactly once.
 * Where nothing grows old, no time is given to any of its methods.
 *
 * Of the entries, in the order in which they came, the first is dropped that was not used since the
 * last time round (the second-chance rule): nearly the least recently used, and a use costs a mark
 * instead of moving the entry.
 */
export class BoundedCache<V, K = string> {
  readonly #entries = new Map<K, Entry<V>>();
  readonly #maxEntries: number;
  readonly #ttl: number;
  readonly #onDrop: (value: V) => void;

  /**
   * @param maxEntries entries kept; 0 keeps none
   * @param ttl milliseconds from {@link set} on; default: for ever
   */
  constructor(maxEntries: number, ttl = Number.POSITIVE_INFINITY, onDrop: (value: V) => void = () => {}) {
    this.#maxEntries = maxEntries;
    this.#ttl = ttl;
    this.#onDrop = onDrop;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K, now = 0): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (ageOf(entry.since, now) >= entry.ttl) {
      this.delete(key);
      return undefined;
    }
    entry.used = true;
    return entry.value;
  }

  /** Puts an entry in; what was there under the same key is dropped. */
  set(key: K, value: V, now = 0, ttl = this.#ttl): void {
    this.delete(key);
    if (this.#entries.size >= this.#maxEntries) this.#makeRoom();
    this.#entries.set(key, { value, since: now, ttl, used: false });
    if (this.#entries.size > this.#maxEntries) this.delete(key);
  }

  /** Gives an entry its whole time again, if it is still the one that is meant. */
  extend(key: K, value: V, now: number): void {
    const entry = this.#entries.get(key);
    if (entry?.value !== value) return;
    entry.since = now;
    entry.ttl = this.#ttl;
  }

  /** Drops an entry, if it is still the one that is meant. */
  remove(key: K, value: V): void {
    if (this.#entries.get(key)?.value === value) this.delete(key);
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#onDrop(entry.value);
  }

  /** Goes round at most twice: who is spared the first time has no mark the second. */
  #makeRoom(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size < this.#maxEntries) return;
      if (entry.used) {
        entry.used = false;
        this.#entries.delete(key);
        this.#entries.set(key, entry);
      } else {
        this.delete(key);
      }
    }
  }

  /** Drops what has expired by now. */
  sweep(now: number): void {
    for (const [key, entry] of this.#entries) {
      if (ageOf(entry.since, now) >= entry.ttl) this.delete(key);
    }
  }

  /** What is kept, past its time or not. */
  *values(): Generator<V> {
    for (const { value } of this.#entries.values()) yield value;
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.delete(key);
  }
}
