/**
 * A cursor over the bytes of a JSON text (RFC 8259). It makes no values: what a caller does not want
 * is checked and skipped without allocating anything, so that no text costs more than a walk along
 * it. `JSON.parse` turns 16 MB of brackets into a gigabyte of objects, and takes seconds.
 */
import { standsAt } from '../../../codec/payload.ts';
import { decodeBase64 } from './base64.ts';
import { HttpError } from './message.ts';

/** Arrays and objects nested in one another; no client nests deeper than five. */
const MAX_DEPTH = 64;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
/** `"` */
export const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const UPPER_E = 0x45;
/** `[` */
export const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
/** `{` */
export const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
const LOWER_U = 0x75;

/** What follows a backslash, apart from `u`: `"` `\\` `/` `b` `f` `n` `r` `t`. */
const SHORT_ESCAPES = Buffer.from('"\\/bfnrt');

const IS_LATIN1 = /^[\0-\u00ff]*$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Every method throws a {@link HttpError} (400) where the text is not JSON. */
export class JsonCursor {
  readonly #bytes: Buffer;
  #at = 0;
  #depth = 0;

  /** @param bytes valid UTF-8 */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Skips white space and gives the byte there without taking it; -1 at the end. */
  peek(): number {
    const bytes = this.#bytes;
    for (;;) {
      const byte = bytes[this.#at];
      if (byte === undefined) return -1;
      if (byte > SPACE || (byte !== SPACE && byte !== LINE_FEED && byte !== CARRIAGE_RETURN && byte !== TAB))
        return byte;
      this.#at++;
    }
  }

  /** Steps into the object or array here. @param bracket the one that opens it */
  enter(bracket: typeof OPEN_BRACE | typeof OPEN_BRACKET): void {
    if (this.peek() !== bracket) throw this.#unexpected();
    if (++this.#depth > MAX_DEPTH)
      throw new HttpError(400, `The body is nested deeper than ${MAX_DEPTH} arrays and objects`);
    this.#at++;
  }

  /**
   * The next key of the object; the cursor then stands before its value.
   *
   * @param first whether nothing of the object was read yet
   * @returns undefined when the object is over, and left
   */
  nextKey(first: boolean): string | undefined {
    if (!this.nextElement(first, CLOSE_BRACE)) return undefined;
    if (this.peek() !== QUOTE) throw this.#unexpected();
    const key = this.text();
    if (this.peek() !== COLON) throw this.#unexpected();
    this.#at++;
    return key;
  }

  /**
   * Steps to the next element of the array.
   *
   * @param first whether nothing of the array was read yet
   * @returns false when the array is over, and left
   */
  nextElement(first: boolean, close = CLOSE_BRACKET): boolean {
    const byte = this.peek();
    if (byte === close) {
      this.#at++;
      this.#depth--;
      return false;
    }
    if (first) return true;
    if (byte !== COMMA) throw this.#unexpected();
    this.#at++;
    // A comma promises a member: a bracket that closes here is for the caller to trip over.
    return true;
  }

  /** Takes the string here, resolving escapes. */
  text(): string {
    const start = this.#at;
    if (this.#skipString()) return this.#unescaped(start);
    return commonName(this.#bytes, start + 1, this.#at - 1) ?? this.#bytes.toString('utf8', start + 1, this.#at - 1);
  }

  /**
   * Takes the string here as base64. Base64 has neither escapes nor control characters, so these are not looked for
   * before it turns out that it is something else.
   *
   * @returns the bytes, in memory of their own; undefined when it is not base64
   */
  base64(): Buffer | undefined {
    const start = this.#at;
    const end = this.#endOfString(start + 1);
    this.#at = end;
    const bytes = decodeBase64(this.#bytes, start + 1, end - 1);
    if (bytes !== undefined) return bytes;
    // Either it is not base64, or it is written with escapes, as `\/` often is.
    this.#at = start;
    const text = this.text();
    this.#at = end;
    return IS_LATIN1.test(text) ? decodeBase64(Buffer.from(text, 'latin1')) : undefined;
  }

  /** Takes the `null` here, if there is one. */
  takeNull(): boolean {
    if (this.peek() !== LOWER_N) return false;
    this.#skipWord('null');
    return true;
  }

  /** Takes the number here as its text; undefined when there is another value. */
  takeNumber(): string | undefined {
    const byte = this.peek();
    if (byte !== MINUS && !isDigit(byte)) return undefined;
    const start = this.#at;
    this.#skipNumber();
    return this.#bytes.toString('latin1', start, this.#at);
  }

  /** Skips whatever value is here. */
  skipValue(): void {
    const byte = this.peek();
    if (byte === OPEN_BRACE) {
      this.enter(OPEN_BRACE);
      for (let first = true; this.nextElement(first, CLOSE_BRACE); first = false) {
        if (this.peek() !== QUOTE) throw this.#unexpected();
        this.#skipString();
        if (this.peek() !== COLON) throw this.#unexpected();
        this.#at++;
        this.skipValue();
      }
    } else if (byte === OPEN_BRACKET) {
      this.enter(OPEN_BRACKET);
      for (let first = true; this.nextElement(first); first = false) this.skipValue();
    } else if (byte === QUOTE) this.#skipString();
    else if (byte === LOWER_T) this.#skipWord('true');
    else if (byte === LOWER_F) this.#skipWord('false');
    else if (byte === LOWER_N) this.#skipWord('null');
    else this.#skipNumber();
  }

  /** Makes sure that nothing but white space is left. */
  end(): void {
    if (this.peek() !== -1) throw this.#unexpected();
  }

  /** Skips a string, checking all of it; true when it has escapes. */
  #skipString(): boolean {
    const bytes = this.#bytes;
    let escapes = false;
    for (let at = this.#at + 1; ; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        this.#at = at + 1;
        return escapes;
      }
      if (byte === BACKSLASH) {
        escapes = true;
        at = this.#endOfEscape(at);
      } else if (byte === undefined || byte < SPACE) {
        this.#at = at;
        throw this.#unexpected();
      }
    }
  }

  /** The last byte of the escape whose backslash is at `backslash`. */
  #endOfEscape(backslash: number): number {
    const bytes = this.#bytes;
    const letter = bytes[backslash + 1];
    if (letter === LOWER_U) {
      let at = backslash + 2;
      while (at < backslash + 6 && isHexDigit(bytes[at])) at++;
      if (at === backslash + 6) return at - 1;
      this.#at = at;
    } else {
      if (letter !== undefined && SHORT_ESCAPES.includes(letter)) return backslash + 1;
      this.#at = backslash + 1;
    }
    throw this.#unexpected();
  }

  /** The position after the closing quote of a string whose content begins at `start`. */
  #endOfString(start: number): number {
    const bytes = this.#bytes;
    for (let at = bytes.indexOf(QUOTE, start); at >= 0; at = bytes.indexOf(QUOTE, at + 1)) {
      let backslashes = 0;
      while (bytes[at - 1 - backslashes] === BACKSLASH) backslashes++;
      if (backslashes % 2 === 0) return at + 1;
    }
    this.#at = bytes.length;
    throw this.#unexpected();
  }

  /** The string from `start` to here, which has been checked. */
  #unescaped(start: number): string {
    return JSON.parse(this.#bytes.toString('utf8', start, this.#at)) as string;
  }

  #skipNumber(): void {
    const start = this.#at;
    while (isNumberByte(this.#bytes[this.#at])) this.#at++;
    if (NUMBER.test(this.#bytes.toString('latin1', start, this.#at))) return;
    this.#at = start;
    throw this.#unexpected();
  }

  #skipWord(word: string): void {
    if (this.#bytes.toString('latin1', this.#at, this.#at + word.length) !== word) throw this.#unexpected();
    this.#at += word.length;
  }

  #unexpected(): HttpError {
    if (this.#at >= this.#bytes.length) return new HttpError(400, 'The body is not JSON: it ends early');
    return new HttpError(400, `The body is not JSON: unexpected character at byte ${this.#at}`);
  }
}

/** Names that nearly every request is made of. Comparing bytes is a tenth of the work of making a text of them. */
const COMMON_NAMES: (readonly { readonly bytes: Buffer; readonly name: string }[] | undefined)[] = [];
for (const name of ['payloads', 'metadata', 'data', 'encoding', 'encryption-key-id', 'messageType'])
  COMMON_NAMES[name.length] = [...(COMMON_NAMES[name.length] ?? []), { bytes: Buffer.from(name, 'latin1'), name }];

function commonName(bytes: Buffer, start: number, end: number): string | undefined {
  const candidates = COMMON_NAMES[end - start];
  if (candidates === undefined) return undefined;
  for (const candidate of candidates) if (standsAt(bytes, start, candidate.bytes)) return candidate.name;
  return undefined;
}

function isNumberByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return isDigit(byte) || byte === MINUS || byte === PLUS || byte === POINT || byte === LOWER_E || byte === UPPER_E;
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const lower = byte | 0x20;
  return isDigit(byte) || (lower >= 0x61 && lower <= 0x66);
}
