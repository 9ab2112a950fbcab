import type { PayloadDescription, PayloadKind } from './describe-payload.ts';

/** How often a key is needed. */
export interface KeyCount {
  readonly key: string;
  /** Payloads that this key opens, alone or beside others. */
  readonly payloads: number;
  /** Of these, payloads that no other key opens: what is lost without it. */
  readonly onlyThisKey: number;
  readonly formats: readonly string[];
  readonly namespaces: readonly string[];
}

/** Which keys a history still needs. */
export interface Summary {
  readonly payloads: number;
  readonly kinds: Readonly<Record<PayloadKind, number>>;
  /** Encodings that nobody here knows. */
  readonly unknownEncodings: readonly string[];
  /** Most needed first. */
  readonly keys: readonly KeyCount[];
}

/** Counts payloads as they come, so that there may be any number of them. */
export class Tally {
  readonly #kinds = { encrypted: 0, compressed: 0, plain: 0, reference: 0, unknown: 0, unreadable: 0 };
  readonly #unknown = new Map<string, number>();
  readonly #keys = new Map<string, { payloads: number; only: number; formats: Set<string>; namespaces: Set<string> }>();

  add({ kind, keys, layers, namespace }: PayloadDescription): void {
    this.#kinds[kind]++;
    if (kind === 'unknown') {
      const encoding = layers.at(-1) ?? '';
      this.#unknown.set(encoding, (this.#unknown.get(encoding) ?? 0) + 1);
    }
    const distinct = new Set(keys);
    for (const key of distinct) {
      const count = this.#keys.get(key) ?? { payloads: 0, only: 0, formats: new Set(), namespaces: new Set() };
      count.payloads++;
      if (distinct.size === 1) count.only++;
      count.formats.add(layers.at(-2) ?? '');
      if (namespace !== undefined) count.namespaces.add(namespace);
      this.#keys.set(key, count);
    }
  }

  /** The counts so far. */
  summary(): Summary {
    const keys = [...this.#keys].map(([key, { payloads, only, formats, namespaces }]) => ({
      key,
      payloads,
      onlyThisKey: only,
      formats: [...formats].sort(),
      namespaces: [...namespaces].sort(),
    }));
    keys.sort((a, b) => b.payloads - a.payloads || (a.key < b.key ? -1 : 1));
    const payloads = Object.values(this.#kinds).reduce((sum, count) => sum + count, 0);
    const unknownEncodings = [...this.#unknown.keys()].sort();
    return { payloads, kinds: { ...this.#kinds }, unknownEncodings, keys };
  }
}
