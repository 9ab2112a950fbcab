/**
 * Requests and answers of Temporal's API as protobuf, by the numbers of their fields: the few that are
 * needed. Answers are kept as bytes, so that what this program does not know is searched for payloads, too.
 */
import { varint, WireCursor } from '../histories/wire.ts';

/** A field of a message to be written; what is undefined or empty is left out, as proto3 does. */
export type Field = readonly [number: number, value: string | number | boolean | Uint8Array | undefined];

/** Writes a message. */
export function message(...fields: readonly Field[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const [number, value] of fields) {
    if (value === undefined || value === '' || value === 0 || value === false) continue;
    if (typeof value === 'number' || typeof value === 'boolean') parts.push(varint(number * 8), varint(Number(value)));
    else {
      const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
      parts.push(varint(number * 8 + 2), varint(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

/** An answer of the server is not what its API says. The message is one sentence. */
export class MalformedAnswerError extends Error {
  override readonly name = 'MalformedAnswerError';
}

/** The fields of a message that was received. */
export class Message {
  readonly #bytes = new Map<number, Buffer[]>();
  readonly #numbers = new Map<number, number>();

  /** @throws MalformedAnswerError */
  constructor(bytes: Buffer) {
    const cursor = new WireCursor(bytes);
    while (!cursor.done) {
      if (!cursor.field()) throw new MalformedAnswerError('An answer of the server is not protobuf.');
      if (cursor.wireType === 0) this.#numbers.set(cursor.number, cursor.value);
      if (cursor.wireType !== 2) continue;
      const list = this.#bytes.get(cursor.number) ?? [];
      list.push(bytes.subarray(cursor.contentStart, cursor.contentEnd));
      this.#bytes.set(cursor.number, list);
    }
  }

  /** Every value of a repeated field. */
  all(number: number): readonly Buffer[] {
    return this.#bytes.get(number) ?? [];
  }

  /** Empty where there is none. */
  bytes(number: number): Buffer {
    return this.#bytes.get(number)?.at(-1) ?? Buffer.alloc(0);
  }

  has(number: number): boolean {
    return this.#bytes.has(number);
  }

  text(number: number): string {
    return this.bytes(number).toString('utf8');
  }

  number(number: number): number {
    return this.#numbers.get(number) ?? 0;
  }

  message(number: number): Message {
    return new Message(this.bytes(number));
  }

  /** A `google.protobuf.Timestamp` or `Duration` in milliseconds; undefined where there is none. */
  milliseconds(number: number): number | undefined {
    if (!this.has(number)) return undefined;
    const value = this.message(number);
    return value.number(1) * 1000 + Math.floor(value.number(2) / 1e6);
  }
}
