/** Decodes the payloads of a stretch, and of the messages that are in them, and counts what became of each. */
import { asBuffer, encodingOf, type Payload } from '../../codec/payload.ts';
import { behindCompression, describePayload, isPlain } from '../inspect/describe-payload.ts';
import { type Stretch, walkJson } from './json.ts';
import type { Batcher, Decoded } from './payload-decoder.ts';
import {
  type FoundPayload,
  holdsJsonInText,
  holdsWireInBase64,
  mayHoldMarks,
  type Rewritable,
  wireMarkers,
} from './rewritable.ts';
import { walkWire } from './wire.ts';

// Payloads inside payloads. Temporal's server and its SDKs keep whole messages in one: a signal with
// start by a workflow, a schedule's action, the input of a batch.

/** Payloads in payloads in payloads: more is nothing that anybody writes. */
export const MAX_NESTED = 8;

const JSON_KEY = Buffer.from('"encoding"');
const METADATA_KEY = Buffer.from('etadata"');
/** Encodings whose data is a message that Temporal itself wrote; what is in any other is the user's own. */
const MESSAGES: ReadonlySet<string> = new Set(['binary/protobuf', 'json/protobuf']);

/** Whether the data of a payload is a message of Temporal's, in which payloads are decoded, too. */
function isMessage(payload: Payload): boolean {
  return MESSAGES.has(encodingOf(payload) ?? '');
}

/** What is in the data of a payload that no key protects; undefined when it carries no mark of a payload. */
export function payloadsInside({ data }: Payload): Rewritable | undefined {
  const bytes = asBuffer(data);
  if (!mayHoldMarks(bytes)) return undefined;
  const mayBeJson = bytes.includes(JSON_KEY) && bytes.includes(METADATA_KEY);
  const mayBeText = holdsJsonInText(bytes) || holdsWireInBase64(bytes);
  const mayBeWire = wireMarkers(bytes).length > 0;
  if (!mayBeJson && !mayBeWire && !mayBeText) return undefined;
  const inside = (mayBeWire ? walkWire(bytes) : undefined) ?? walkJson(bytes);
  if (inside === undefined || (inside.payloads.length === 0 && inside.notUnderstood.length === 0 && mayBeWire))
    return mayBeWire || mayBeJson ? { raw: bytes, payloads: [], notUnderstood: [''], render: () => bytes } : undefined;
  return inside.payloads.length === 0 && inside.notUnderstood.length === 0 ? undefined : inside;
}

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

  /** @returns the bytes of the stretches, decoded, one after another */
  async decode(stretches: readonly Stretch[], depth = 0): Promise<Buffer> {
    const found = stretches.flatMap((it) => (Buffer.isBuffer(it) ? [] : it.payloads));
    const replaced = await this.#payloads(found, depth);
    let at = 0;
    const parts = stretches.map((it) => {
      if (Buffer.isBuffer(it)) return it;
      const from = at;
      at += it.payloads.length;
      return rendered(it, replaced.slice(from, at));
    });
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** Undefined where nothing is to be written in the place of a payload. */
  async #payloads(found: readonly FoundPayload[], depth: number): Promise<(Payload | undefined)[]> {
    this.count.payloads += found.length;
    const closed = found.map(({ payload }) => payload).filter((it) => it !== undefined && !isPlain(it));
    const decoded = await this.#batcher.decode(closed as Payload[]);
    let next = 0;
    let waits = false;
    const replaced = found.map(({ payload }) => {
      if (payload === undefined) {
        this.count.close('unreadable');
        return undefined;
      }
      const one = this.#opened(payload, payload === closed[next] ? decoded[next++] : undefined, depth);
      if (one instanceof Promise) waits = true;
      return one;
    });
    return waits ? await Promise.all(replaced) : (replaced as (Payload | undefined)[]);
  }

  /**
   * A payload that was decoded, or needed no decoding, and what is inside of it.
   *
   * @returns a promise only where something inside is decoded
   */
  #opened(
    payload: Payload,
    decoded: Decoded | undefined,
    depth: number,
  ): Payload | undefined | Promise<Payload | undefined> {
    if (decoded === undefined) return this.#inside(payload, isPlain(payload), depth);
    if ('closed' in decoded) {
      this.count.close(decoded.closed);
      return undefined;
    }
    const isSame = samePayload(decoded.payload, payload);
    const isOpen = isPlain(decoded.payload);
    if (!isOpen) this.#classify(decoded.payload, isSame);
    else if (!isSame) this.count.decoded++;
    const otherwise = isSame ? undefined : decoded.payload;
    const inside = this.#inside(decoded.payload, isOpen, depth);
    return inside === undefined ? otherwise : inside.then((it) => it ?? otherwise);
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

  /**
   * Looks into a payload.
   *
   * @param isOpen whether {@link isPlain} says so
   * @returns undefined, or a promise of it, when nothing inside was decoded
   */
  #inside(payload: Payload, isOpen: boolean, depth: number): undefined | Promise<Payload | undefined> {
    const open = isOpen ? payload : behindCompression(payload);
    const inside = open === undefined ? undefined : payloadsInside(open);
    if (open === undefined || inside === undefined) return undefined;
    if (depth === MAX_NESTED) {
      this.count.notUnderstood++;
      return undefined;
    }
    this.count.notUnderstood += inside.notUnderstood.length;
    if (isMessage(open)) return this.#message(open, inside, depth + 1);
    // The user's own data stays as it is, and what is closed in it is told.
    for (const { payload: found } of inside.payloads)
      if (found !== undefined && describePayload(found).kind === 'encrypted') this.count.close('inside plain data');
    return undefined;
  }

  async #message(message: Payload, inside: Rewritable, depth: number): Promise<Payload | undefined> {
    const data = await this.decode([{ ...inside, document: 0 }], depth);
    return data === inside.raw ? undefined : { ...message, data };
  }
}

function rendered(stretch: Rewritable, replaced: readonly (Payload | undefined)[]): Buffer {
  return replaced.every((it) => it === undefined) ? stretch.raw : stretch.render(replaced);
}

function samePayload(a: Payload, b: Payload): boolean {
  if (a === b) return true;
  if (a.data.length !== b.data.length || Buffer.compare(a.data, b.data) !== 0) return false;
  const names = Object.keys(a.metadata);
  if (names.length !== Object.keys(b.metadata).length) return false;
  return names.every((name) => {
    const [one, other] = [a.metadata[name], b.metadata[name]];
    return one !== undefined && other !== undefined && Buffer.compare(one, other) === 0;
  });
}
