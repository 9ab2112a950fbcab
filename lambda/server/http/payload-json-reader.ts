/**
 * Reads the body of a request: the proto3 JSON of `temporal.api.common.v1.Payloads`, as lenient as
 * its clients need and no more. Specification: https://protobuf.dev/programming-guides/json/
 *
 * - missing or null fields are empty; a null payload is an empty one; unknown fields are ignored
 * - field names in camelCase or as in the .proto file; base64 standard or URL-safe, padded or not
 * - `sizeBytes` a string or a number
 * - of a key that comes twice the last one wins, as with `JSON.parse`; what it replaces need not even
 *   be valid. Metadata has no prototype, so no key is special
 */
import { isUtf8 } from 'node:buffer';
import {
  type ExternalPayloadDetails,
  emptyMetadata,
  MAX_EXTERNAL_PAYLOADS,
  MAX_METADATA_ENTRIES,
  type Payload,
  type PayloadMetadata,
} from '../../../codec/payload.ts';
import { JsonCursor, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './json-cursor.ts';
import { HttpError } from './message.ts';

const EMPTY = Buffer.alloc(0);
const NO_PAYLOADS: readonly Payload[] = [];

/**
 * Reads the payloads of a request body.
 *
 * @param body bytes as received; nothing of what is returned refers to them
 * @param maxPayloads how many payloads a request may have
 * @throws HttpError (400) when the body is not JSON or not that of Payloads, naming the place and never
 *   what stands there; (413) when it has more payloads than allowed
 */
export function readPayloads(body: Uint8Array, maxPayloads: number): readonly Payload[] {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.length === 0) throw new HttpError(400, 'The request has no body: send {"payloads":[…]} as JSON');
  if (!isUtf8(bytes)) throw new HttpError(400, 'The body is not UTF-8, and so not JSON');
  return new PayloadsReader(bytes, maxPayloads).read();
}

/**
 * Problems are kept, not thrown: a later value of the same key may replace the one that has a
 * problem, and that the text is not JSON at all is the more useful thing to say.
 */
class PayloadsReader {
  readonly #json: JsonCursor;
  readonly #maxPayloads: number;
  /** The problem of the field that was read last, if it has one. */
  #problem: string | undefined;

  /** @param body valid UTF-8 */
  constructor(body: Buffer, maxPayloads: number) {
    this.#json = new JsonCursor(body);
    this.#maxPayloads = maxPayloads;
  }

  read(): readonly Payload[] {
    const json = this.#json;
    if (json.peek() !== OPEN_BRACE) {
      json.skipValue();
      json.end();
      throw new HttpError(400, 'The body is not a JSON object: send {"payloads":[…]}');
    }
    let payloads = NO_PAYLOADS;
    let problem: string | undefined;
    json.enter(OPEN_BRACE);
    for (let key = json.nextKey(true); key !== undefined; key = json.nextKey(false)) {
      if (key === 'payloads') {
        payloads = this.#payloads();
        problem = this.#problem;
      } else json.skipValue();
    }
    json.end();
    if (problem !== undefined) throw new HttpError(400, problem);
    return payloads;
  }

  #payloads(): readonly Payload[] {
    const json = this.#json;
    this.#problem = undefined;
    if (json.takeNull()) return NO_PAYLOADS;
    if (json.peek() !== OPEN_BRACKET) {
      json.skipValue();
      this.#problem = 'payloads is not an array';
      return NO_PAYLOADS;
    }
    const payloads: Payload[] = [];
    let problem: string | undefined;
    json.enter(OPEN_BRACKET);
    for (let first = true; json.nextElement(first); first = false) {
      if (payloads.length === this.#maxPayloads)
        throw new HttpError(
          413,
          `The request has more than ${this.#maxPayloads} payloads: send them in several requests`,
        );
      payloads.push(this.#payload());
      if (this.#problem !== undefined) problem ??= `payloads[${payloads.length - 1}]${this.#problem}`;
    }
    this.#problem = problem;
    return payloads;
  }

  #payload(): Payload {
    const json = this.#json;
    this.#problem = undefined;
    if (json.peek() !== OPEN_BRACE) {
      if (!json.takeNull()) {
        json.skipValue();
        this.#problem = ' is not an object';
      }
      return { metadata: emptyMetadata(), data: EMPTY };
    }
    let metadata: PayloadMetadata | undefined;
    let data: Buffer = EMPTY;
    let externalPayloads: readonly ExternalPayloadDetails[] | undefined;
    let metadataProblem: string | undefined;
    let dataProblem: string | undefined;
    let externalProblem: string | undefined;
    json.enter(OPEN_BRACE);
    for (let key = json.nextKey(true); key !== undefined; key = json.nextKey(false)) {
      this.#problem = undefined;
      if (key === 'data') {
        data = this.#bytes();
        dataProblem = this.#problem;
      } else if (key === 'metadata') {
        metadata = this.#metadata();
        metadataProblem = this.#problem;
      } else if (key === 'externalPayloads' || key === 'external_payloads') {
        externalPayloads = this.#externalPayloads();
        externalProblem = this.#problem;
      } else json.skipValue();
    }
    this.#problem = undefined;
    if (dataProblem !== undefined) this.#problem = `.data ${dataProblem}`;
    else if (metadataProblem !== undefined) this.#problem = `.metadata ${metadataProblem}`;
    else if (externalProblem !== undefined) this.#problem = `.externalPayloads${externalProblem}`;
    metadata ??= emptyMetadata();
    return externalPayloads === undefined ? { metadata, data } : { metadata, data, externalPayloads };
  }

  #metadata(): PayloadMetadata {
    const json = this.#json;
    const metadata = emptyMetadata();
    if (json.takeNull()) return metadata;
    if (json.peek() !== OPEN_BRACE) {
      json.skipValue();
      this.#problem = 'is not an object';
      return metadata;
    }
    let bad: Map<string, string> | undefined;
    let entries = 0;
    json.enter(OPEN_BRACE);
    for (let key = json.nextKey(true); key !== undefined; key = json.nextKey(false)) {
      if (++entries > MAX_METADATA_ENTRIES) {
        json.skipValue();
        continue;
      }
      this.#problem = undefined;
      metadata[key] = this.#bytes();
      if (this.#problem !== undefined) {
        bad ??= new Map();
        bad.set(key, this.#problem);
      } else bad?.delete(key);
    }
    const [problem] = bad?.values() ?? [];
    this.#problem = problem === undefined ? undefined : `has a value that ${problem}`;
    if (entries > MAX_METADATA_ENTRIES) this.#problem = `has more than ${MAX_METADATA_ENTRIES} entries`;
    return metadata;
  }

  /** A field of type `bytes`. */
  #bytes(): Buffer {
    const json = this.#json;
    if (json.peek() !== QUOTE) {
      if (!json.takeNull()) {
        json.skipValue();
        this.#problem = 'is not a string';
      }
      return EMPTY;
    }
    const bytes = json.base64();
    if (bytes === undefined) this.#problem = 'is not base64';
    return bytes ?? EMPTY;
  }

  #externalPayloads(): readonly ExternalPayloadDetails[] | undefined {
    const json = this.#json;
    if (json.takeNull()) return undefined;
    if (json.peek() !== OPEN_BRACKET) {
      json.skipValue();
      this.#problem = ' is not an array';
      return undefined;
    }
    const details: ExternalPayloadDetails[] = [];
    let problem: string | undefined;
    json.enter(OPEN_BRACKET);
    for (let first = true; json.nextElement(first); first = false) {
      if (details.length === MAX_EXTERNAL_PAYLOADS) {
        json.skipValue();
        problem = ` has more than ${MAX_EXTERNAL_PAYLOADS} elements`;
        continue;
      }
      this.#problem = undefined;
      details.push({ sizeBytes: this.#sizeBytesOfDetails() });
      if (this.#problem !== undefined) problem ??= `[${details.length - 1}]${this.#problem}`;
    }
    this.#problem = problem;
    return details.length === 0 ? undefined : details;
  }

  #sizeBytesOfDetails(): bigint {
    const json = this.#json;
    if (json.peek() !== OPEN_BRACE) {
      if (!json.takeNull()) {
        json.skipValue();
        this.#problem = ' is not an object';
      }
      return 0n;
    }
    let sizeBytes = 0n;
    json.enter(OPEN_BRACE);
    for (let key = json.nextKey(true); key !== undefined; key = json.nextKey(false)) {
      if (key === 'sizeBytes' || key === 'size_bytes') {
        const value = this.#int64();
        this.#problem = value === undefined ? '.sizeBytes is not a 64-bit integer' : undefined;
        sizeBytes = value ?? 0n;
      } else json.skipValue();
    }
    return sizeBytes;
  }

  /** A field of type `int64`: undefined when it is none. */
  #int64(): bigint | undefined {
    const json = this.#json;
    if (json.takeNull()) return 0n;
    if (json.peek() === QUOTE) return int64Of(json.text());
    const number = json.takeNumber();
    if (number !== undefined) return int64Of(number);
    json.skipValue();
    return undefined;
  }
}

const INTEGER = /^-?\d{1,40}$/;
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

/** A 64-bit integer from its JSON text, which may be written with a fraction of zeros or an exponent. */
function int64Of(text: string): bigint | undefined {
  if (INTEGER.test(text)) {
    const value = BigInt(text);
    return value >= MIN_INT64 && value <= MAX_INT64 ? value : undefined;
  }
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? BigInt(value) : undefined;
}
