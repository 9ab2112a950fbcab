/**
 * The Snappy block format, reading only (google/snappy, `format_description.txt`). Written here
 * because the decoders at hand trust their input: a length with its highest bit set sends one of them
 * backwards for ever, and none of them notices output that is missing or too much.
 */
import { MalformedPayloadError } from '../errors.ts';

/**
 * No block says more with less: a copy of 64 bytes takes 3. What claims to inflate further is a lie
 * about its length, and gets no memory.
 */
const LARGEST_RATIO = 32;

/** The length that a block claims to inflate to, in bytes, and where its elements start. */
interface Preamble {
  readonly length: number;
  readonly start: number;
}

/**
 * The length that a block says it inflates to, in bytes.
 *
 * @throws MalformedPayloadError when it says none, or one that it cannot reach
 */
export function snappyLength(block: Uint8Array): number {
  return readPreamble(block).length;
}

/**
 * Inflates a block.
 *
 * @throws MalformedPayloadError when it is not exactly one valid block
 */
export function inflateSnappy(block: Uint8Array): Uint8Array {
  const { length, start } = readPreamble(block);
  const out = Buffer.allocUnsafe(length);
  let at = start;
  let end = 0;
  while (at < block.length) {
    const tag = byteAt(block, at++);
    const kind = tag & 3;
    if (kind === 0) {
      let size = tag >>> 2;
      if (size >= 60) {
        const width = size - 59;
        size = littleEndian(block, at, width);
        at += width;
      }
      size++;
      if (size > block.length - at || size > length - end) throw malformed();
      out.set(block.subarray(at, at + size), end);
      at += size;
      end += size;
      continue;
    }
    let size = (tag >>> 2) + 1;
    let offset: number;
    if (kind === 1) {
      size = ((tag >>> 2) & 7) + 4;
      offset = (tag >>> 5) * 256 + byteAt(block, at);
      at += 1;
    } else {
      const width = kind === 2 ? 2 : 4;
      offset = littleEndian(block, at, width);
      at += width;
    }
    if (offset === 0 || offset > end || size > length - end) throw malformed();
    repeat(out, end, offset, size);
    end += size;
  }
  if (end !== length) throw malformed();
  return out;
}

/** Copies from `offset` bytes back; where source and target overlap, what was just written repeats. */
function repeat(out: Buffer, end: number, offset: number, size: number): void {
  if (offset >= size) out.copyWithin(end, end - offset, end - offset + size);
  else for (let i = 0; i < size; i++) out[end + i] = out[end + i - offset] as number;
}

function readPreamble(block: Uint8Array): Preamble {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = byteAt(block, i);
    length += (byte & 0x7f) * 128 ** i;
    if (byte >= 0x80) continue;
    if (length > block.length * LARGEST_RATIO) throw malformed();
    return { length, start: i + 1 };
  }
  throw malformed();
}

function littleEndian(block: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = width - 1; i >= 0; i--) value = value * 256 + byteAt(block, at + i);
  return value;
}

function byteAt(block: Uint8Array, at: number): number {
  const byte = block[at];
  if (byte === undefined) throw malformed();
  return byte;
}

function malformed(): MalformedPayloadError {
  return new MalformedPayloadError('the data is not a valid snappy block');
}
