/** A document of whatever form, as it streams by: JSON or protobuf, told apart by how it begins. */
import { type Stretch, stretchOf } from './json.ts';
import { type JsonPiece, JsonScanner } from './json-scanner.ts';
import { UnreadableDocumentError } from './rewritable.ts';
import { WireCursor, walkWire } from './wire.ts';

/** What a document turned out to be. */
export interface DocumentReport {
  form: 'json' | 'protobuf' | 'empty';
  /** Documents one after another; 1 for protobuf. */
  documents: number;
  /** Places outside of every payload that carry the mark of one. */
  notUnderstood: string[];
}

/** Bytes of one field at the top of a protobuf document: a whole history, which has 50 MB at most. */
const MAX_FIELD = 256 * 1024 * 1024;

/**
 * Reads a document.
 *
 * @param report filled in while it is read; final when the stretches have ended
 * @returns the stretches that each chunk brings, in lists: a promise for each stretch would take longer than reading it
 * @throws UnreadableDocumentError when it is neither JSON nor protobuf
 */
export async function* stretchesOf(chunks: AsyncIterable<Buffer>, report: DocumentReport): AsyncGenerator<Stretch[]> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  let form: 'json' | 'protobuf' | undefined;
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    form = formOf(head, false);
    if (form !== undefined || head.length > 1024 * 1024) break;
  }
  form ??= formOf(head, true);
  const rest = { [Symbol.asyncIterator]: () => iterator };
  if (form === 'json') yield* jsonStretches(head, rest, report);
  else if (form === 'protobuf') yield* wireStretches(head, rest, report);
  else if (head.length > 0) yield [head];
}

const BOM = Buffer.from('\ufeff');

/**
 * By the first bytes that are not white space.
 *
 * @param isWhole whether nothing follows
 * @returns undefined as long as what follows may tell, and for nothing but white space
 */
function formOf(head: Buffer, isWhole: boolean): 'json' | 'protobuf' | undefined {
  if (!isWhole && head.length < BOM.length) return undefined;
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff))
    throw new UnreadableDocumentError('it is UTF-16, as PowerShell writes it: save it as UTF-8');
  const start = head.subarray(0, 3).equals(BOM) ? 3 : 0;
  let at = skipSpace(head, start);
  const first = head[at];
  if (first === undefined) return undefined;
  if (first !== 0x7b && first !== 0x5b) return start === 0 && head[0] === 0x0a ? 'protobuf' : 'json';
  // Protobuf may begin with a line feed and a length that reads as a bracket: what follows tells.
  if (head[0] !== 0x0a) return 'json';
  at = skipSpace(head, at + 1);
  const second = head[at];
  if (second === undefined) return isWhole ? 'json' : undefined;
  const follows = first === 0x7b ? '"}' : '"{[]tfn-0123456789';
  return follows.includes(String.fromCharCode(second)) ? 'json' : 'protobuf';
}

function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

async function* jsonStretches(
  head: Buffer,
  rest: AsyncIterable<Buffer>,
  report: DocumentReport,
): AsyncGenerator<Stretch[]> {
  report.form = 'json';
  const scanner = new JsonScanner();
  const noted = (pieces: readonly JsonPiece[]) => pieces.map((piece) => noteIn(report, stretchOf(piece)));
  const hasBom = head.subarray(0, 3).equals(BOM);
  if (hasBom) yield [head.subarray(0, 3)];
  yield noted(scanner.push(hasBom ? head.subarray(3) : head));
  for await (const chunk of rest) yield noted(scanner.push(chunk));
  yield noted(scanner.end());
  report.documents = scanner.documents;
  report.notUnderstood.push(...scanner.notUnderstood);
}

function noteIn(report: DocumentReport, stretch: Stretch): Stretch {
  if (!Buffer.isBuffer(stretch)) report.notUnderstood.push(...stretch.notUnderstood);
  return stretch;
}

/** Field by field at the top of the message: one history of an export, or one event of a history. */
async function* wireStretches(
  head: Buffer,
  rest: AsyncIterable<Buffer>,
  report: DocumentReport,
): AsyncGenerator<Stretch[]> {
  report.form = 'protobuf';
  report.documents = 1;
  const counts = new Map<number, number>();
  let bytes = head;
  const whole = (): Stretch[] => {
    const stretches: Stretch[] = [];
    let start = 0;
    for (;;) {
      const cursor = new WireCursor(bytes).at(start, bytes.length);
      if (cursor.done || !cursor.field()) break;
      const nth = counts.get(cursor.number) ?? 0;
      counts.set(cursor.number, nth + 1);
      const field = bytes.subarray(start, cursor.offset);
      const inside = walkWire(field, '', nth);
      if (inside === undefined) throw new UnreadableDocumentError('it is neither JSON nor protobuf');
      report.notUnderstood.push(...inside.notUnderstood);
      stretches.push(inside.payloads.length === 0 ? field : { ...inside, document: 0 });
      start = cursor.offset;
    }
    bytes = bytes.subarray(start);
    return stretches;
  };
  // A field of megabytes comes in many pieces: put together when it is all there, not at each of them.
  let waiting: Buffer[] = [];
  let needed = 0;
  yield whole();
  for await (const chunk of rest) {
    waiting.push(chunk);
    const have = bytes.length + waiting.reduce((sum, it) => sum + it.length, 0);
    if (have > MAX_FIELD)
      throw new UnreadableDocumentError('it is not protobuf that Temporal writes: a field is too long');
    if (have < needed) continue;
    bytes = Buffer.concat([bytes, ...waiting]);
    waiting = [];
    yield whole();
    needed = Math.min(fieldLength(bytes), MAX_FIELD + 1);
    if (needed > MAX_FIELD)
      throw new UnreadableDocumentError('it is not protobuf that Temporal writes: a field is too long');
  }
  if (waiting.length > 0) bytes = Buffer.concat([bytes, ...waiting]);
  yield whole();
  if (bytes.length > 0) throw new UnreadableDocumentError('it is neither JSON nor protobuf, or is cut off');
}

/** Bytes from here to the end of the length-delimited field that begins here, as far as can be seen. */
function fieldLength(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length && at < 5 && (bytes[at] as number) >= 0x80) at++;
  let length = 0;
  let factor = 1;
  for (let i = at + 1; i < bytes.length && i < at + 11; i++) {
    const byte = bytes[i] as number;
    length += (byte & 0x7f) * factor;
    if (byte < 0x80) return i + 1 + length;
    factor *= 128;
  }
  return 0;
}
