/**
 * Base64 as proto3 JSON allows it: standard or URL-safe (RFC 4648 sections 4 and 5), padded or not.
 *
 * `Buffer.from(text, 'base64')` runs at native speed and silently drops whatever is no base64. But
 * every dropped character makes the result shorter than the text promises, so comparing lengths
 * finds all of them, wherever they stand: the texts here hold one byte a character (Node takes only
 * the low byte of a longer one, and `Ł` would pass for `A`).
 */

const EQUALS = 0x3d;
const EMPTY = Buffer.alloc(0);

/**
 * Decodes base64.
 *
 * @param text characters up to U+00FF only
 * @returns the bytes, or undefined when the text is not base64
 */
export function decodeBase64(text: string): Buffer | undefined {
  let length = text.length;
  if (length === 0) return EMPTY;
  if (text.charCodeAt(length - 1) === EQUALS) {
    length--;
    if (length > 0 && text.charCodeAt(length - 1) === EQUALS) length--;
  }
  const bytes = Buffer.from(text, 'base64');
  // Four characters are three bytes; one left over is none at all. No bit operators: they end at 2 GiB.
  return length % 4 !== 1 && bytes.length === Math.floor((length * 3) / 4) ? bytes : undefined;
}
