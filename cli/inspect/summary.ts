import type { PayloadDescription } from './describe-payload.ts';

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
  readonly kinds: Readonly<Record<PayloadDescription['kind'], number>>;
  /** Most needed first. */
  readonly keys: readonly KeyCount[];
}

export function summarize(descriptions: readonly PayloadDescription[]): Summary {
  const kinds = { encrypted: 0, compressed: 0, plain: 0, unreadable: 0 };
  const counts = new Map<string, { payloads: number; only: number; formats: Set<string>; namespaces: Set<string> }>();
  for (const { kind, keys, layers, namespace } of descriptions) {
    kinds[kind]++;
    const distinct = new Set(keys);
    for (const key of distinct) {
      const count = counts.get(key) ?? { payloads: 0, only: 0, formats: new Set(), namespaces: new Set() };
      count.payloads++;
      if (distinct.size === 1) count.only++;
      count.formats.add(layers.at(-2) ?? '');
      if (namespace !== undefined) count.namespaces.add(namespace);
      counts.set(key, count);
    }
  }
  const keys = [...counts].map(([key, { payloads, only, formats, namespaces }]) => ({
    key,
    payloads,
    onlyThisKey: only,
    formats: [...formats].sort(),
    namespaces: [...namespaces].sort(),
  }));
  keys.sort((a, b) => b.payloads - a.payloads || (a.key < b.key ? -1 : 1));
  return { payloads: descriptions.length, kinds, keys };
}
