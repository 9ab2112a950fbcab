/** Finding payloads in JSON of any shape: a payload, a request body, a history, a list of workflows. */
import { emptyMetadata, type Payload } from '../../codec/payload.ts';

/** A payload and where it stands. */
export interface FoundPayload {
  /** Such as `events[0].workflowExecutionStartedEventAttributes.input.payloads[0]`; empty at the top. */
  readonly place: string;
  /** Undefined when a value of it is no base64. */
  readonly payload: Payload | undefined;
}

interface Visit {
  readonly value: unknown;
  readonly place: string;
}

/** What proto3 JSON allows: either alphabet, padded or not. */
const BASE64 = /^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2}(?:==)?|[A-Za-z0-9+/_-]{3}=?)?$/;
const SIMPLE_NAME = /^[A-Za-z_$][\w$]*$/;

/** The payloads of a document, in its order. Without recursion: a history may be as deep as it likes. */
export function findPayloads(document: unknown): FoundPayload[] {
  const found: FoundPayload[] = [];
  const visits: Visit[] = [{ value: document, place: '' }];
  for (let visit = visits.pop(); visit !== undefined; visit = visits.pop()) {
    const { value, place } = visit;
    if (typeof value !== 'object' || value === null) continue;
    if (isPayload(value)) {
      found.push({ place, payload: payloadOf(value) });
      continue;
    }
    const isList = Array.isArray(value);
    for (const [name, child] of Object.entries(value).reverse())
      visits.push({ value: child, place: isList ? `${place}[${name}]` : joined(place, name) });
  }
  return found;
}

function joined(place: string, name: string): string {
  if (!SIMPLE_NAME.test(name)) return `${place}[${JSON.stringify(name)}]`;
  return place === '' ? name : `${place}.${name}`;
}

interface JsonPayload {
  readonly metadata: Record<string, string>;
  readonly data?: string | null;
}

function isPayload(value: object): value is JsonPayload {
  const { metadata, data } = value as { metadata?: unknown; data?: unknown };
  if (typeof metadata !== 'object' || metadata === null || !Object.hasOwn(metadata, 'encoding')) return false;
  if (data !== undefined && data !== null && typeof data !== 'string') return false;
  return Object.values(metadata).every((it) => typeof it === 'string');
}

function payloadOf({ metadata, data }: JsonPayload): Payload | undefined {
  const values = emptyMetadata();
  for (const [key, text] of Object.entries(metadata)) {
    const bytes = fromBase64(text);
    if (bytes === undefined) return undefined;
    values[key] = bytes;
  }
  const bytes = fromBase64(data ?? '');
  return bytes === undefined ? undefined : { metadata: values, data: bytes };
}

function fromBase64(text: string): Buffer | undefined {
  return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
}
