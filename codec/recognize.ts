/**
 * From a payload to the format it is in, by its `encoding`. Asked for every payload of every
 * request, most of which are plain: encodings are compared as bytes, and only with those of the same
 * length.
 */
import type { Recognizer } from './decode.ts';
import type { PayloadFormat } from './format.ts';
import { ENCODING } from './payload.ts';

/** Formats by encoding. Several formats of one encoding are asked in their order; the first that knows the payload opens it. */
export type FormatsByEncoding = Readonly<Record<string, readonly PayloadFormat[]>>;

/** Formats by a metadata key that marks them, whatever the encoding. */
export type FormatsByMark = Readonly<Record<string, PayloadFormat>>;

interface Entry {
  readonly encoding: Buffer;
  readonly formats: readonly PayloadFormat[];
}

/** Builds a recognizer; what it is built from is read once. */
export function createRecognizer(formats: FormatsByEncoding, marked: FormatsByMark = {}): Recognizer {
  const marks = Object.entries(marked);
  const byLength: (Entry[] | undefined)[] = [];
  for (const [name, list] of Object.entries(formats)) {
    const encoding = Buffer.from(name, 'utf8');
    const entries = byLength[encoding.length] ?? [];
    entries.push({ encoding, formats: list });
    byLength[encoding.length] = entries;
  }
  return (payload, namespace) => {
    const encoding = payload.metadata[ENCODING];
    if (encoding === undefined) return undefined;
    for (const [mark, format] of marks)
      if (payload.metadata[mark] !== undefined) return format.recognize(payload, namespace);
    const entries = byLength[encoding.length];
    if (entries === undefined) return undefined;
    for (const entry of entries) {
      if (!sameBytes(entry.encoding, encoding)) continue;
      for (const format of entry.formats) {
        const envelope = format.recognize(payload, namespace);
        if (envelope !== undefined) return envelope;
      }
      return undefined;
    }
    return undefined;
  };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
