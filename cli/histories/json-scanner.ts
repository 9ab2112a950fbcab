/**
 * Reads JSON as it comes, byte for byte, and finds the payloads in it without holding the document: an
 * object all of whose names are those of a payload is held until it ends, everything else is passed on.
 * One document or many, one after another or one a line.
 */
import { type Frame, placeOf } from './json-frame.ts';
import { METADATA_NAMES, namesInMetadata, PAYLOAD_NAMES } from './json-payload.ts';
import { holdsJsonInText, holdsWireInBase64, UnreadableDocumentError } from './rewritable.ts';

/** What the scanner found, in the order of the text. */
export type JsonPiece =
  /** Bytes to pass on. */
  | { readonly kind: 'text'; readonly text: Buffer }
  /** An object that looks like a payload. `value` is what it says, `deep` that its data was too deep to hold. */
  | JsonObjectPiece
  /** A string with protobuf in base64 in which payloads are. */
  | { readonly kind: 'blob'; readonly text: Buffer; readonly document: number; readonly place: string };

export interface JsonObjectPiece {
  readonly kind: 'object';
  readonly text: Buffer;
  readonly value: unknown;
  readonly document: number;
  readonly place: string;
}

type State = 'value' | 'first-value' | 'name' | 'first-name' | 'colon' | 'after-value';

/** Nesting inside a payload: its external payloads, or its bytes as arrays in objects. */
const PAYLOAD_DEPTH = 4;
/** Bytes of one payload as JSON; Temporal's own limit for a message is 4 MiB. */
const MAX_HELD = 64 * 1024 * 1024;
const LITERAL = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;
const MAX_LITERAL = 4_096;

/** Characters of a string below which no mark fits in. */
const SHORTEST_MARKED = 12;
/** Bytes of a string that are read one by one, in less time than a search takes to begin. */
const NEAR = 64;
const EMPTY: Buffer = Buffer.alloc(0);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** A scanner of one stream. */
export class JsonScanner {
  #buffer: Buffer = Buffer.alloc(0);
  /** The next byte to look at, and the first that was not passed on. */
  #at = 0;
  #passed = 0;
  readonly #stack: Frame[] = [];
  #state: State = 'value';
  /** Whether there are marks anywhere in the buffer: where there are none, no string needs looking at. */
  #isMarked = false;
  /** Whether the string that was read last may have escapes. */
  #isEscaped = false;
  #document = 0;
  /** Frames of the stack that may still be payloads, of which the outermost is at this depth. */
  #candidates = 0;
  /** Found inside a frame that may still turn out to be a payload itself. */
  #held: { start: number; end: number; piece: Exclude<JsonPiece, { kind: 'text' }> }[] = [];
  #pieces: JsonPiece[] = [];
  /** Places with the mark of a payload that is none of the forms known. */
  readonly notUnderstood: string[] = [];

  /** Documents that were read to their end. */
  get documents(): number {
    return this.#document;
  }

  /**
   * Takes the next bytes.
   *
   * @returns what is decided by now
   * @throws UnreadableDocumentError when it is not JSON
   */
  push(chunk: Buffer): JsonPiece[] {
    const kept = this.#buffer.subarray(this.#passed);
    const moved = this.#passed;
    this.#buffer = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    this.#isMarked = holdsWireInBase64(this.#buffer) || holdsJsonInText(this.#buffer);
    this.#at -= moved;
    this.#passed = 0;
    for (const frame of this.#stack) frame.start -= moved;
    for (const found of this.#held) {
      found.start -= moved;
      found.end -= moved;
    }
    if (this.#buffer.length > MAX_HELD + chunk.length)
      throw new UnreadableDocumentError(`one value is larger than ${MAX_HELD / 1024 / 1024} MiB, which no payload is`);
    this.#scan(false);
    return this.#take();
  }

  /**
   * The end.
   *
   * @throws UnreadableDocumentError when a document is not finished
   */
  end(): JsonPiece[] {
    this.#scan(true);
    if (this.#stack.length > 0 || this.#at < this.#buffer.length) throw this.#broken();
    return this.#take();
  }

  #take(): JsonPiece[] {
    this.#pass();
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  /** Passes on what is decided: up to where the outermost possible payload begins. */
  #pass(): void {
    let until = this.#at;
    if (this.#candidates > 0) {
      const outermost = this.#stack.find(({ candidate }) => candidate);
      if (outermost !== undefined) until = outermost.start;
    }
    let done = 0;
    for (const { start, end, piece } of this.#held) {
      if (end > until) break;
      this.#text(start);
      this.#pieces.push(piece);
      this.#passed = end;
      done++;
    }
    if (done > 0) this.#held.splice(0, done);
    this.#text(until);
  }

  #text(until: number): void {
    if (until > this.#passed) this.#pieces.push({ kind: 'text', text: this.#buffer.subarray(this.#passed, until) });
    this.#passed = Math.max(this.#passed, until);
  }

  #scan(isEnd: boolean): void {
    const buffer = this.#buffer;
    const { length } = buffer;
    while (this.#at < length) {
      const byte = buffer[this.#at] as number;
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
        this.#at++;
        continue;
      }
      switch (this.#state) {
        case 'first-name':
        case 'name':
          if (byte === QUOTE) {
            const end = this.#stringEnd();
            if (end < 0) return;
            const quoted = buffer.toString('utf8', this.#at, end);
            this.#named(this.#isEscaped ? (this.#parsed(quoted) as string) : quoted.slice(1, -1));
            this.#at = end;
            this.#state = 'colon';
          } else if (byte === 0x7d && this.#state === 'first-name') this.#close();
          else throw this.#broken();
          continue;
        case 'colon':
          if (byte !== 0x3a) throw this.#broken();
          this.#at++;
          this.#state = 'value';
          continue;
        case 'after-value':
          this.#afterValue(byte);
          continue;
        case 'first-value':
        case 'value':
          if (byte === 0x5d && this.#state === 'first-value') this.#close();
          else if (byte === 0x7b || byte === 0x5b) this.#open(byte === 0x5b);
          else if (byte === QUOTE) {
            const end = this.#stringEnd();
            if (end < 0) return;
            this.#string(this.#at, end);
            this.#at = end;
            this.#valueDone();
          } else {
            const end = this.#literalEnd();
            if (end === length && !isEnd) return;
            if (!LITERAL.test(buffer.toString('latin1', this.#at, end))) throw this.#broken();
            this.#at = end;
            this.#valueDone();
          }
          continue;
      }
    }
  }

  #afterValue(byte: number): void {
    const frame = this.#stack.at(-1);
    if (frame === undefined) {
      this.#state = 'value';
    } else if (byte === 0x2c) {
      this.#at++;
      if (frame.isArray) frame.index++;
      this.#state = frame.isArray ? 'value' : 'name';
    } else if (byte === (frame.isArray ? 0x5d : 0x7d)) this.#close();
    else throw this.#broken();
  }

  /** The offset after the string at hand, or -1 when it goes on in the next bytes. */
  #stringEnd(): number {
    const buffer = this.#buffer;
    let at = this.#at + 1;
    // Most strings are short, and read here before a search has begun.
    const near = Math.min(buffer.length, at + NEAR);
    for (; at < near; at++) {
      const byte = buffer[at];
      if (byte === BACKSLASH) break;
      if (byte === QUOTE) {
        this.#isEscaped = false;
        return at + 1;
      }
    }
    this.#isEscaped = true;
    for (;;) {
      const quote = buffer.indexOf(QUOTE, at);
      if (quote < 0) return -1;
      let slashes = 0;
      while (buffer[quote - 1 - slashes] === BACKSLASH) slashes++;
      if (slashes % 2 === 0) return quote + 1;
      at = quote + 1;
    }
  }

  #literalEnd(): number {
    const buffer = this.#buffer;
    let at = this.#at;
    const most = Math.min(buffer.length, at + MAX_LITERAL);
    for (; at < most; at++) {
      const byte = buffer[at] as number;
      if (byte <= 0x20 || byte === 0x2c || byte === 0x5d || byte === 0x7d || byte === 0x3a || byte === QUOTE) break;
    }
    if (at === this.#at || at - this.#at === MAX_LITERAL) throw this.#broken();
    return at;
  }

  #open(isArray: boolean): void {
    const parent = this.#stack.at(-1);
    const isMetadata = !isArray && parent !== undefined && !parent.isArray && METADATA_NAMES.has(parent.name);
    this.#disqualifyDeep();
    const frame: Frame = {
      isArray,
      start: this.#at,
      name: '',
      index: 0,
      names: 0,
      candidate: !isArray,
      fields: 0,
      isMetadata,
      hasEncoding: false,
      metadata: '',
      metadataNames: 0,
    };
    if (frame.candidate) this.#candidates++;
    this.#stack.push(frame);
    this.#at++;
    this.#state = isArray ? 'first-value' : 'first-name';
  }

  /** What is nested deeper than a payload can be is in none. */
  #disqualifyDeep(): void {
    const depth = this.#stack.length - PAYLOAD_DEPTH;
    const frame = this.#stack[depth];
    if (!frame?.candidate) return;
    // The Web UI's readable form writes data as the JSON that it is: plain, and as deep as it likes.
    const isReadable = frame.metadata !== '' && (frame.name === 'data' || frame.name === 'Data');
    if (isReadable) {
      const value = { metadata: this.#parsed(frame.metadata), data: {} };
      this.#add({ kind: 'object', text: EMPTY, value, document: this.#document, place: this.#place(depth) });
    }
    this.#disqualify(frame, depth, isReadable);
  }

  #disqualify(frame: Frame, depth: number, isExplained: boolean): void {
    frame.candidate = false;
    this.#candidates--;
    if (!isExplained && (frame.hasEncoding || this.#hidesMarkers(frame))) this.#note(depth);
  }

  /** Whether what was held of a frame has marks in its strings: they were not looked at one by one. */
  #hidesMarkers({ start }: Frame): boolean {
    if (!this.#isMarked || this.#at - start < 2 * SHORTEST_MARKED) return false;
    const text = this.#buffer.subarray(start, this.#at);
    return holdsWireInBase64(text) || holdsJsonInText(text);
  }

  #add(piece: Exclude<JsonPiece, { kind: 'text' }>, start = this.#at): void {
    this.#held.push({ start, end: this.#at, piece });
  }

  #parsed(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw this.#broken();
    }
  }

  #named(name: string): void {
    const frame = this.#stack.at(-1) as Frame;
    frame.name = name;
    frame.names++;
    if (frame.candidate) {
      const field = PAYLOAD_NAMES.get(name);
      // Of a name that is there twice, readers take the one or the other.
      if (field === undefined || (frame.fields & field) !== 0) this.#disqualify(frame, this.#stack.length - 1, false);
      else frame.fields |= field;
    }
    if (frame.isMetadata && name === 'encoding') {
      const owner = this.#stack.at(-2) as Frame;
      if (owner.candidate) owner.hasEncoding = true;
      else this.#note(this.#stack.length - 2);
    }
  }

  #close(): void {
    const frame = this.#stack.at(-1) as Frame;
    this.#at++;
    if (frame.candidate) {
      this.#candidates--;
      if (frame.hasEncoding) this.#hold(frame);
      else if (this.#hidesMarkers(frame)) this.#note(this.#stack.length - 1);
    }
    if (frame.isMetadata) {
      const owner = this.#stack.at(-2) as Frame;
      owner.metadataNames = frame.names;
      if (owner.candidate && owner.hasEncoding) owner.metadata = this.#buffer.toString('utf8', frame.start, this.#at);
    }
    this.#stack.pop();
    this.#valueDone();
  }

  #hold(frame: Frame): void {
    const text = this.#buffer.subarray(frame.start, this.#at);
    while (this.#held.length > 0 && (this.#held.at(-1)?.start ?? 0) >= frame.start) this.#held.pop();
    const depth = this.#stack.length - 1;
    const value = this.#parsed(text.toString('utf8'));
    if (namesInMetadata(value) !== frame.metadataNames) this.#note(depth);
    else {
      const place = this.#place(depth);
      this.#add({ kind: 'object', text, value, document: this.#document, place }, frame.start);
    }
  }

  #string(start: number, end: number): void {
    if (!this.#isMarked) return;
    const frame = this.#stack.at(-1);
    // The bytes of a payload are looked at when it is known.
    if (end - start < SHORTEST_MARKED || (frame !== undefined && (frame.candidate || frame.isMetadata))) return;
    const text = this.#buffer.subarray(start + 1, end - 1);
    if (holdsWireInBase64(text)) {
      const place = this.#place(this.#stack.length);
      const piece = { kind: 'blob', text: this.#buffer.subarray(start, end), document: this.#document, place } as const;
      this.#held.push({ start, end, piece });
    } else if (holdsJsonInText(text)) this.#note(this.#stack.length);
  }

  #valueDone(): void {
    this.#state = 'after-value';
    if (this.#stack.length === 0) this.#document++;
    if (this.#held.length > 0 && this.#candidates === 0) this.#pass();
  }

  #note(depth: number): void {
    if (this.notUnderstood.length < 1_000) this.notUnderstood.push(this.#place(depth));
  }

  #place(depth: number): string {
    return placeOf(this.#stack, depth);
  }

  #broken(): UnreadableDocumentError {
    return new UnreadableDocumentError(
      `it is not JSON after ${this.#document === 0 ? 'its beginning' : `document ${this.#document}`}`,
    );
  }
}
