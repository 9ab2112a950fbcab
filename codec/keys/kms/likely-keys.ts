/**
 * Where a payload does not say which of several KMS keys wrapped its data key: the keys in the order in
 * which they opened the last ones. It decides which key is asked first, never which may be asked.
 */
import { BoundedCache } from '../../bounded-cache.ts';
import { Semaphore } from '../../calls/turns.ts';

/** What is known of the payloads of one format in one namespace. */
interface Group {
  /** ARNs of the keys that opened one, the last first. */
  opened: readonly string[];
  /** Until one is found, a single payload searches: its brothers need not search as well. */
  readonly search: Semaphore;
}

/** Groups that are remembered; to forget one costs calls. */
const MOST_GROUPS = 1000;

export class LikelyKeys {
  readonly #groups = new BoundedCache<Group>(MOST_GROUPS);

  /** The group of payloads that look for their keys together. */
  groupOf(format: string, namespace: string | undefined): LikelyKeysGroup {
    const name = namespace === undefined ? format : `${format} ${namespace}`;
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { opened: [], search: new Semaphore(1) };
      this.#groups.set(name, group);
    }
    return new LikelyKeysGroup(group);
  }
}

class LikelyKeysGroup {
  readonly #group: Group;

  constructor(group: Group) {
    this.#group = group;
  }

  /** Runs a search: by itself until one of the group was successful, beside the others from then on. */
  async inTurn<T>(search: () => Promise<T>): Promise<T> {
    if (this.#group.opened.length === 0) {
      const turn = await this.#group.search.run(async () =>
        this.#group.opened.length === 0 ? { found: await search() } : undefined,
      );
      if (turn !== undefined) return turn.found;
    }
    return search();
  }

  /** Takes the likeliest out of what is left to try, if anything is. */
  takeLikeliest<T extends { readonly key: { readonly arn: string } }>(left: T[]): T | undefined {
    const known = this.#group.opened
      .map((arn) => left.findIndex(({ key }) => key.arn === arn))
      .find((index) => index >= 0);
    return left.splice(known ?? 0, 1)[0];
  }

  /** A key opened one. */
  opened(arn: string): void {
    const { opened } = this.#group;
    if (opened[0] !== arn) this.#group.opened = [arn, ...opened.filter((it) => it !== arn)];
  }
}
