/** Payloads in JSON, as stretches that can be written again. */

import { readJsonPayload, writeJsonPayload } from './json-payload.ts';
import { type JsonPiece, JsonScanner } from './json-scanner.ts';
import type { Rewritable } from './rewritable.ts';
import { UnreadableDocumentError } from './rewritable.ts';
import { walkWire } from './wire.ts';

/** A piece of a stream: bytes to pass on, or payloads. */
export type Stretch = Buffer | (Rewritable & { readonly document: number });

/** A piece of JSON as a stretch. */
export function stretchOf(piece: JsonPiece): Stretch {
  switch (piece.kind) {
    case 'text':
      return piece.text;
    case 'object': {
      const { text: raw, value, document, place } = piece;
      const read = readJsonPayload(value);
      return {
        raw,
        document,
        payloads: [{ place, payload: read?.payload }],
        notUnderstood: [],
        render([other]) {
          // A payload whose data was too deep to hold is not replaced: it is readable as it is.
          if (read === undefined || other === undefined || raw.length === 0) return raw;
          return Buffer.from(writeJsonPayload(other, read, value, raw.toString('utf8')));
        },
      };
    }
    case 'blob': {
      const { text: raw, document, place } = piece;
      const bytes = Buffer.from(raw.toString('latin1', 1, raw.length - 1), 'base64');
      const inside = walkWire(bytes, place);
      if (inside === undefined || inside.payloads.length === 0)
        return { raw, document, payloads: [], notUnderstood: [place], render: () => raw };
      return {
        ...inside,
        raw,
        document,
        render(replaced) {
          if (replaced.every((it) => it === undefined)) return raw;
          return Buffer.from(`"${inside.render(replaced).toString('base64')}"`);
        },
      };
    }
  }
}

/**
 * Finds the payloads of a whole JSON document.
 *
 * @returns undefined when it is not JSON
 */
export function walkJson(bytes: Buffer): Rewritable | undefined {
  const scanner = new JsonScanner();
  let stretches: Stretch[];
  try {
    stretches = [...scanner.push(bytes), ...scanner.end()].map(stretchOf);
  } catch (error) {
    if (error instanceof UnreadableDocumentError) return undefined;
    throw error;
  }
  const found = stretches.filter((it) => !Buffer.isBuffer(it)) as Exclude<Stretch, Buffer>[];
  return {
    raw: bytes,
    payloads: found.flatMap(({ payloads }) => payloads),
    notUnderstood: [...found.flatMap(({ notUnderstood }) => notUnderstood), ...scanner.notUnderstood],
    render(replaced) {
      let at = 0;
      const parts = stretches.map((it) => {
        if (Buffer.isBuffer(it)) return it;
        const own = replaced.slice(at, at + it.payloads.length);
        at += it.payloads.length;
        return it.render(own);
      });
      return Buffer.concat(parts);
    },
  };
}
