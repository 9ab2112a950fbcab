/** Decodes the payloads of a stretch, and of the messages that are in them, and counts what became of each. */
import type { Payload } from '../../codec/payload.ts';
import { behindCompression, describePayload, isPlain } from '../inspect/describe-payload.ts';
import type { Batcher } from './batcher.ts';
import { isMessage, MAX_NESTED, payloadsInside } from './nested.ts';
import type { FoundPayload, Rewritable } from './rewritable.ts';

/** What became of all payloads. */
export class DecodeCount {
  payloads = 0;
  decoded = 0;
  /** Payloads that stay closed, by reason. */
  readonly closed = new Map<string, number>();
  /** Encodings that nobody here knows, and how many payloads have them. */
  readonly unknown = new Map<string, number>();
  /** References to external storage that were not followed. */
  references = 0;
  /** Places with the mark of a payload in a form that is not known. */
  notUnderstood = 0;

  /** Payloads that are not readable now. */
  get left(): number {
    return [...this.closed.values()].reduce((sum, count) => sum + count, 0) + this.references;
  }

  close(reason: string): void {
    this.closed.set(reason, (this.closed.get(reason) ?? 0) + 1);
  }
}

/** Decodes with one batcher, into one count. */
export class StretchDecoder {
  readonly #batcher: Batcher;
  readonly count: DecodeCount;

  constructor(batcher: Batcher, count: DecodeCount) {
    this.#batcher = batcher;
    this.count = count;
  }

  /** @returns the bytes of the stretch, decoded */
  async decode(stretch: Rewritable, depth = 0): Promise<Buffer> {
    const replaced = await Promise.all(stretch.payloads.map((found) => this.#payload(found, depth)));
    return replaced.every((it) => it === undefined) ? stretch.raw : stretch.render(replaced);
  }

  /** Undefined when nothing is to be written in its place. */
  async #payload({ payload }: FoundPayload, depth: number): Promise<Payload | undefined> {
    this.count.payloads++;
    if (payload === undefined) {
      this.count.close('unreadable');
      return undefined;
    }
    if (isPlain(payload)) return await this.#inside(payload, depth);
    const decoded = await this.#batcher.decode(payload);
    if ('closed' in decoded) {
      this.count.close(decoded.closed);
      return undefined;
    }
    const isSame = samePayload(decoded.payload, payload);
    this.#classify(decoded.payload, isSame);
    const inside = await this.#inside(decoded.payload, depth);
    return inside ?? (isSame ? undefined : decoded.payload);
  }

  #classify(payload: Payload, isSame: boolean): void {
    const { kind, format, layers } = describePayload(payload);
    switch (kind) {
      case 'encrypted':
        this.count.close(isSame ? `still ${format}` : `${format} inside what was decoded`);
        return;
      case 'unreadable':
        this.count.close('unreadable');
        return;
      case 'reference':
        this.count.references++;
        return;
      case 'unknown': {
        const encoding = layers.at(-1) ?? '';
        this.count.unknown.set(encoding, (this.count.unknown.get(encoding) ?? 0) + 1);
        if (!isSame) this.count.decoded++;
        return;
      }
      case 'compressed':
      case 'plain':
        if (!isSame) this.count.decoded++;
    }
  }

  /** Looks into a payload that is open. @returns it with what was decoded inside, or undefined when nothing was */
  async #inside(payload: Payload, depth: number): Promise<Payload | undefined> {
    const open = behindCompression(payload);
    const inside = open === undefined ? undefined : payloadsInside(open);
    if (open === undefined || inside === undefined) return undefined;
    if (depth === MAX_NESTED) {
      this.count.notUnderstood++;
      return undefined;
    }
    this.count.notUnderstood += inside.notUnderstood.length;
    if (!isMessage(open)) {
      // The user's own data stays as it is, and what is closed in it is told.
      for (const { payload: found } of inside.payloads)
        if (found !== undefined && describePayload(found).kind === 'encrypted') this.count.close('inside plain data');
      return undefined;
    }
    const data = await this.decode(inside, depth + 1);
    return data === inside.raw ? undefined : { ...open, data };
  }
}

function samePayload(a: Payload, b: Payload): boolean {
  if (a === b) return true;
  const names = Object.keys(a.metadata);
  if (names.length !== Object.keys(b.metadata).length || Buffer.compare(a.data, b.data) !== 0) return false;
  return names.every((name) => {
    const [one, other] = [a.metadata[name], b.metadata[name]];
    return one !== undefined && other !== undefined && Buffer.compare(one, other) === 0;
  });
}
