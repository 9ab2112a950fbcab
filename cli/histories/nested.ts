/**
 * Payloads inside payloads. Temporal's server and its SDKs keep whole messages in one: a signal with
 * start by a workflow, a schedule's action, the input of a batch.
 */
import { ENCODING, type Payload } from '../../codec/payload.ts';
import { walkJson } from './json.ts';
import { holdsJsonInText, holdsWireInBase64, wireMarkers } from './markers.ts';
import type { Rewritable } from './rewritable.ts';
import { walkWire } from './wire.ts';

/** Payloads in payloads in payloads: more is nothing that anybody writes. */
export const MAX_NESTED = 8;

const JSON_KEY = Buffer.from('"encoding"');
const METADATA_KEY = Buffer.from('etadata"');
/** Encodings whose data is a message that Temporal itself wrote; what is in any other is the user's own. */
const MESSAGES: ReadonlySet<string> = new Set(['binary/protobuf', 'json/protobuf']);

/** Whether the data of a payload is a message of Temporal's, in which payloads are decoded, too. */
export function isMessage({ metadata }: Payload): boolean {
  return MESSAGES.has(Buffer.from(metadata[ENCODING] ?? '').toString('latin1'));
}

/** What is in the data of a payload that no key protects; undefined when it carries no mark of a payload. */
export function payloadsInside({ data }: Payload): Rewritable | undefined {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const mayBeJson = bytes.includes(JSON_KEY) && bytes.includes(METADATA_KEY);
  const mayBeText = holdsJsonInText(bytes) || holdsWireInBase64(bytes);
  const mayBeWire = wireMarkers(bytes).length > 0;
  if (!mayBeJson && !mayBeWire && !mayBeText) return undefined;
  const inside = (mayBeWire ? walkWire(bytes) : undefined) ?? walkJson(bytes);
  if (inside === undefined || (inside.payloads.length === 0 && inside.notUnderstood.length === 0 && mayBeWire))
    return mayBeWire || mayBeJson ? { raw: bytes, payloads: [], notUnderstood: [''], render: () => bytes } : undefined;
  return inside.payloads.length === 0 && inside.notUnderstood.length === 0 ? undefined : inside;
}
