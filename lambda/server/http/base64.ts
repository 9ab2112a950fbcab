/**
 * Base64 as proto3 JSON allows it: standard or URL-safe (RFC 4648 sections 4 and 5), padded or not.
 *
 * `Buffer.from(text, 'base64')` runs at native speed and silently drops whatever is not base64. But
 * every dropped character makes the result shorter than the text promises, so comparing lengths
 * finds all of them, wherever they stand: the texts here hold one byte a character (Node takes only
 * the low byte of a longer one, and `Ł` would pass for `A`).
 *
 * Between bytes and bytes there is always a text, since Node knows no other way. A long one is made
 * in slices: V8 gives a text of more than 128 KB memory pages of its own, and getting these from the
 * system takes longer than everything else here.
 */
import { asBuffer } from '../../../codec/payload.ts';

const EQUALS = 0x3d;
const EMPTY = Buffer.alloc(0);
/** Characters of a slice. A multiple of four: slices are decoded one by one. */
const SLICE = 32 * 1024;
/** Bytes behind a slice. */
const SLICE_BYTES = (SLICE / 4) * 3;

/**
 * Decodes base64.
 *
 * @param source holds the base64, one byte a character, from `start` to `end`
 * @returns the bytes, in memory of their own, or undefined when it is not base64
 */
export function decodeBase64(source: Buffer, start = 0, end = source.length): Buffer | undefined {
  let length = end - start;
  if (length === 0) return EMPTY;
  if (source[end - 1] === EQUALS) {
    // Padding fills the last four characters up, or it is none.
    if (length % 4 !== 0) return undefined;
    length -= source[end - 2] === EQUALS ? 2 : 1;
  }
  // Four characters are three bytes; one left over is none at all. No bit operators: they end at 2 GiB.
  if (length % 4 === 1) return undefined;
  const size = Math.floor((length * 3) / 4);
  if (end - start <= SLICE) {
    const bytes = Buffer.from(source.toString('latin1', start, end), 'base64');
    return bytes.length === size ? bytes : undefined;
  }
  const bytes = Buffer.allocUnsafe(size);
  let written = 0;
  for (let at = start; at < end; at += SLICE)
    written += bytes.write(source.toString('latin1', at, Math.min(end, at + SLICE)), written, 'base64');
  return written === size ? bytes : undefined;
}

/** Characters of bytes in base64, padding included. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/**
 * Writes bytes as standard, padded base64.
 *
 * @returns where the next byte goes in `out`
 */
export function writeBase64(bytes: Uint8Array, out: Buffer, at: number): number {
  const source = asBuffer(bytes);
  let next = at;
  for (let from = 0; from < source.length; from += SLICE_BYTES)
    next += out.write(source.toString('base64', from, Math.min(source.length, from + SLICE_BYTES)), next, 'latin1');
  return next;
}
