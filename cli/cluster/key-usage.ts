/** Which keys are needed, by what, and until when; and what keeps that from being a proof. */
import type { Rewritable } from '../histories/rewritable.ts';
import type { PayloadDescription } from '../inspect/describe-payload.ts';
import { examineStretch } from '../inspect/examine.ts';

/** What the payloads of one thing need. Plain data, so that it can be kept in a file. */
export interface Needs {
  /** Payloads by key, and of these the ones that no other key opens; and when the newest was written, if that is known. */
  readonly keys: Record<string, { payloads: number; only: number; newest: number }>;
  /** Why nothing is proven of some payloads: a sentence, and how many there are. */
  readonly unclear: Record<string, number>;
  payloads: number;
}

export function noNeeds(): Needs {
  // Names that payloads choose: none of them is special.
  return { keys: Object.create(null), unclear: Object.create(null), payloads: 0 };
}

/** Names that stand for a key that the payload does not name. */
const UNNAMED = /^(?:a KMS key it does not name|static\/\(empty id\))$/;

/**
 * Adds what a stretch of bytes needs.
 *
 * @param at milliseconds since 1970 at which it was written; 0 when that is not known
 */
export function addStretch(needs: Needs, stretch: Rewritable | undefined, at: number): void {
  if (stretch === undefined) {
    unclear(needs, 'is not protobuf');
    return;
  }
  const notUnderstood: string[] = [...stretch.notUnderstood];
  needs.payloads += examineStretch(stretch, '', notUnderstood, (_place, description) =>
    addPayload(needs, description, at),
  );
  if (notUnderstood.length > 0)
    unclear(needs, 'with the mark of a payload in a form that is not known here', notUnderstood.length);
}

/** Adds what one payload needs. */
export function addPayload(needs: Needs, { kind, keys, layers }: PayloadDescription, at: number): void {
  switch (kind) {
    case 'unknown':
      unclear(needs, `of the encoding ${layers.at(-1) ?? ''}, which is not known here`);
      return;
    case 'unreadable':
      unclear(needs, 'unreadable: of a format that they claim and are not of');
      return;
    case 'reference':
      unclear(needs, 'in external storage, which was not read');
      return;
    case 'plain':
    case 'compressed':
      return;
    case 'encrypted':
      for (const key of new Set(keys)) {
        if (UNNAMED.test(key)) unclear(needs, `under ${key}`);
        const need = needs.keys[key] ?? { payloads: 0, only: 0, newest: 0 };
        needs.keys[key] = need;
        need.payloads++;
        if (keys.length === 1) need.only++;
        need.newest = Math.max(need.newest, at);
      }
  }
}

export function unclear(needs: Needs, why: string, payloads = 1): void {
  needs.unclear[why] = (needs.unclear[why] ?? 0) + payloads;
}

/** Kinds of things in which payloads are. */
export type PlaceKind =
  | 'open workflow'
  | 'closed workflow'
  | 'system workflow'
  | 'schedule'
  | 'activity'
  | 'Nexus operation'
  | 'worker deployment'
  | 'Nexus endpoint'
  | 'export';

/** One thing that was looked at. */
export interface NeedyPlace {
  readonly kind: PlaceKind;
  /** Milliseconds since 1970 when it is deleted by itself; undefined as long as it is there. */
  readonly until: number | undefined;
  /** Its name, for examples. */
  readonly name: string;
}

/** What is known of one key. */
export interface KeyReport {
  readonly key: string;
  readonly payloads: number;
  /** Payloads that no other key opens. */
  readonly only: number;
  /** Things that need it, by kind. */
  readonly places: Readonly<Partial<Record<PlaceKind, number>>>;
  /** A few of them by name. */
  readonly examples: readonly string[];
  readonly newestWrite: string | undefined;
  /** ISO date, or `open` while there is something that does not go by itself; undefined when not needed. */
  readonly neededUntil: string | undefined;
}

interface Count {
  payloads: number;
  only: number;
  newest: number;
  until: number;
  readonly places: Partial<Record<PlaceKind, number>>;
  readonly examples: string[];
}

const EXAMPLES = 5;

/** Everything that was looked at, put together by key. */
export class KeyNeeds {
  readonly #keys = new Map<string, Count>();
  readonly #unclear = new Map<string, number>();
  readonly #places = new Map<PlaceKind, number>();
  payloads = 0;

  /** @param isNew false for what continues a place that was added before */
  add({ kind, until, name }: NeedyPlace, needs: Needs): void {
    this.#places.set(kind, (this.#places.get(kind) ?? 0) + 1);
    this.payloads += needs.payloads;
    for (const [why, payloads] of Object.entries(needs.unclear))
      this.#unclear.set(why, (this.#unclear.get(why) ?? 0) + payloads);
    for (const [key, { payloads, only, newest }] of Object.entries(needs.keys)) {
      const count = this.#keys.get(key) ?? { payloads: 0, only: 0, newest: 0, until: 0, places: {}, examples: [] };
      count.payloads += payloads;
      count.only += only;
      count.newest = Math.max(count.newest, newest);
      if (only > 0) {
        count.until = Math.max(count.until, until ?? Number.POSITIVE_INFINITY);
        count.places[kind] = (count.places[kind] ?? 0) + 1;
        if (count.examples.length < EXAMPLES) count.examples.push(`${kind} ${name}`);
      }
      this.#keys.set(key, count);
    }
  }

  /** Things that were looked at, by kind. */
  get places(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#places);
  }

  /** What is missing from a proof, a sentence each. */
  get unclear(): string[] {
    return [...this.#unclear].map(([why, payloads]) => `${payloads} ${payloads === 1 ? 'payload' : 'payloads'} ${why}`);
  }

  /** Most needed first. */
  reports(): KeyReport[] {
    return [...this.#keys]
      .map(([key, { payloads, only, newest, until, places, examples }]) => ({
        key,
        payloads,
        only,
        places,
        examples,
        newestWrite: newest === 0 ? undefined : new Date(newest).toISOString(),
        neededUntil: only === 0 ? undefined : Number.isFinite(until) ? new Date(until).toISOString() : 'open',
      }))
      .sort((a, b) => b.payloads - a.payloads || (a.key < b.key ? -1 : 1));
  }
}

/** Why a name that somebody typed names no key as payloads do; undefined when it may. */
export function whyNoKey(name: string): string | undefined {
  if (/(?:^|:)alias\//.test(name))
    return `${name} may be another key tomorrow: give the ARN of the key that the alias stands for`;
  if (name.includes('/') || keyId(name) !== undefined) return undefined;
  return `${JSON.stringify(name)} is not a key as inspect names it: such as codec-server/${name}, static/${name}, or an ARN`;
}

/** Whether two names are of one KMS key, or are one name. Replicas of a multi-Region key are one key. */
export function isSameKeyName(a: string, b: string): boolean {
  return a === b || (keyId(a) !== undefined && keyId(a) === keyId(b));
}

function keyId(name: string): string | undefined {
  return /(?:^|:key\/)((?:mrk-)?[0-9a-f-]{32,36})$/.exec(name)?.[1];
}
