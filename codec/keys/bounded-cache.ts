/**
 * A map that forgets: the least recently used entry when it is full, and every entry some time after
 * it was put in, however often it is used. What it forgets it hands to `onDrop`, exactly once.
 */
export class BoundedCache<V> {
  readonly #entries = new Map<string, { readonly value: V; readonly expires: number }>();
  readonly #maxEntries: number;
  readonly #ttl: number;
  readonly #onDrop: (value: V) => void;
  #evicted = 0;
  #expired = 0;

  /**
   * @param maxEntries entries kept; 0 keeps none
   * @param ttl milliseconds from {@link set} on
   */
  constructor(maxEntries: number, ttl: number, onDrop: (value: V) => void = () => {}) {
    this.#maxEntries = maxEntries;
    this.#ttl = ttl;
    this.#onDrop = onDrop;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Entries dropped because it was full. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Entries dropped because their time was over. */
  get expired(): number {
    return this.#expired;
  }

  get(key: string, now: number): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.expires <= now) {
      this.#expired++;
      this.#onDrop(entry.value);
      return undefined;
    }
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Puts an entry in; what was there under the same key is dropped. */
  set(key: string, value: V, now: number, ttl = this.#ttl): void {
    this.delete(key);
    this.#entries.set(key, { value, expires: now + ttl });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries) break;
      this.#evicted++;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#onDrop(entry.value);
  }

  /** Drops what has expired by now. */
  sweep(now: number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.expires > now) continue;
      this.#expired++;
      this.delete(key);
    }
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.delete(key);
  }
}
