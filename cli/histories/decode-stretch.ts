/** Decodes the payloads of a stretch, and of the messages that are in them, and counts what became of each. */
import { ENCODING, type Payload } from '../../codec/payload.ts';
import { behindCompression, describePayload, isPlain } from '../inspect/describe-payload.ts';
import { walkJson } from './json.ts';
import type { Batcher } from './payload-decoder.ts';
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
function isMessage({ metadata }: Payload): boolean {
  return MESSAGES.has(Buffer.from(metadata[ENCODING] ?? '').toString('latin1'));
}

/** What is in the data of a payload that no key protects; undefined when it carries no mark of a payload. */
export function payloadsInside({ data }: Payload): Rewritable | undefined {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
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

  /** @returns the bytes of the stretch, decoded */
  async decode(stretch: Rewritable, depth = 0): Promise<Buffer> {
    return rendered(stretch, await Promise.all(stretch.payloads.map((found) => this.#payload(found, depth))));
  }

  /** Undefined when nothing is to be written in its place. */
  async #payload({ payload }: FoundPayload, depth: number): Promise<Payload | undefined> {
    this.count.payloads++;
    if (payload === undefined) {
      this.count.close('unreadable');
      return undefined;
    }
    if (isPlain(payload)) return this.#inside(payload, depth);
    const decoded = await this.#batcher.decode(payload);
    if ('closed' in decoded) {
      this.count.close(decoded.closed);
      return undefined;
    }
    const isSame = samePayload(decoded.payload, payload);
    this.#classify(decoded.payload, isSame);
    return (await this.#inside(decoded.payload, depth)) ?? (isSame ? undefined : decoded.payload);
  }

  #classify(payload: Payload, isSame: boolean): void {
    if (isPlain(payload)) {
      if (!isSame) this.count.decoded++;
      return;
    }
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
    const open = isPlain(payload) ? payload : behindCompression(payload);
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
