/** Every payload of a document, those inside payloads included, described. */

import { MAX_NESTED, payloadsInside } from '../histories/decode-stretch.ts';
import { type DocumentReport, stretchesOf } from '../histories/document.ts';
import { type Rewritable, UnreadableDocumentError } from '../histories/rewritable.ts';
import { type Source, SourceError } from '../histories/sources.ts';
import { behindCompression, describePayload, type PayloadDescription } from './describe-payload.ts';

/** What was found in a document. */
export interface Examined {
  readonly payloads: number;
  readonly documents: number;
  /** Places with the mark of a payload that could not be understood. */
  readonly places: readonly string[];
}

/** Told of each payload, in the order of the document. */
export type OnPayload = (document: number, place: string, description: PayloadDescription) => void;

const NO_BYTES: PayloadDescription = {
  kind: 'unreadable',
  format: '(unknown)',
  suite: undefined,
  namespace: undefined,
  keys: [],
  size: 0,
  layers: [],
  problem: 'its metadata or data is not base64',
};

/**
 * Examines a document.
 *
 * @throws SourceError when it cannot be read, or is neither JSON nor protobuf
 */
export async function examine(source: Source, onPayload: OnPayload): Promise<Examined> {
  const report: DocumentReport = { form: 'empty', documents: 0, notUnderstood: [] };
  let payloads = 0;
  const inside: string[] = [];
  try {
    for await (const stretches of stretchesOf(source.chunks(), report))
      for (const stretch of stretches) {
        if (Buffer.isBuffer(stretch)) continue;
        payloads += examineStretch(stretch, '', inside, (place, description) =>
          onPayload(stretch.document, place, description),
        );
      }
  } catch (error) {
    if (!(error instanceof UnreadableDocumentError)) throw error;
    throw new SourceError(
      `${source.name} cannot be understood: ${error.message}. Use --output json with the Temporal CLI.`,
    );
  }
  if (report.form === 'empty')
    throw new SourceError(`${source.name} is empty: give JSON, such as temporal workflow show --output json.`);
  return { payloads, documents: report.documents, places: [...report.notUnderstood, ...inside] };
}

/** @returns how many payloads there were */
export function examineStretch(
  stretch: Rewritable,
  prefix: string,
  notUnderstood: string[],
  onPayload: (place: string, description: PayloadDescription) => void,
  depth = 0,
): number {
  let count = 0;
  for (const { place, payload } of stretch.payloads) {
    const at = `${prefix}${place}`;
    count++;
    if (payload === undefined) {
      onPayload(at, NO_BYTES);
      continue;
    }
    onPayload(at, describePayload(payload));
    const inner = behindCompression(payload);
    const nested = inner === undefined ? undefined : payloadsInside(inner);
    if (nested === undefined) continue;
    if (depth === MAX_NESTED) notUnderstood.push(at);
    else {
      notUnderstood.push(...nested.notUnderstood.map((it) => `${at} > ${it}`));
      count += examineStretch(nested, `${at} > `, notUnderstood, onPayload, depth + 1);
    }
  }
  return count;
}
