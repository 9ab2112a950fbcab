/** Payloads as clients write them, and answers as the strictest of them read them. */
import { expect } from '@jest/globals';
import { NAMESPACE_CONTEXT_KEY } from '../../codec/aws-encryption-sdk/encryption-context.ts';
import { parseMessage } from '../../codec/aws-encryption-sdk/reader.ts';
import type { ContractRequest, ContractResponse, ContractTarget } from './target.ts';

/** A payload in JSON. */
export interface JsonPayload {
  metadata: Record<string, string>;
  data: string;
  externalPayloads?: { sizeBytes: string }[];
}

export const OUR_ENCODING = 'binary/aws-encryption-sdk';

export function base64(text: string | Uint8Array): string {
  return Buffer.from(text as string).toString('base64');
}

/** A payload of the default data converter. */
export function plain(value: unknown, metadata: Record<string, string> = {}): JsonPayload {
  const all = { encoding: 'json/plain', ...metadata };
  return {
    metadata: Object.fromEntries(Object.entries(all).map(([key, text]) => [key, base64(text)])),
    data: base64(JSON.stringify(value)),
  };
}

export function bodyOf(...payloads: unknown[]): string {
  return JSON.stringify({ payloads });
}

/**
 * Reads the payloads of a 200 as the strictest client does: only the fields of the protocol, at every
 * level, none of them null, no key twice, standard padded base64, sizes as text.
 */
export function payloadsOf(response: ContractResponse): JsonPayload[] {
  expect(response).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
  const parsed = JSON.parse(response.body) as { payloads: JsonPayload[] };
  // Written again it is the same text: there is no key twice, and no number that text would lose.
  expect(JSON.stringify(parsed)).toBe(response.body);
  expect(Object.keys(parsed)).toEqual(['payloads']);
  for (const payload of parsed.payloads) {
    expect(Object.keys(payload).filter((field) => field !== 'externalPayloads')).toEqual(['metadata', 'data']);
    for (const text of [payload.data, ...Object.values(payload.metadata)])
      expect(text).toMatch(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
    if (payload.externalPayloads === undefined) continue;
    expect(payload.externalPayloads.length).toBeGreaterThan(0);
    for (const details of payload.externalPayloads)
      expect(details).toEqual({ sizeBytes: expect.stringMatching(/^-?\d+$/) });
  }
  return parsed.payloads;
}

/** Encodes payloads for a namespace, as the writer. */
export async function encoded(
  target: ContractTarget,
  namespace: string,
  ...payloads: JsonPayload[]
): Promise<JsonPayload[]> {
  const request: ContractRequest = {
    path: '/encode',
    headers: [['x-namespace', namespace]],
    body: bodyOf(...payloads),
  };
  const results = payloadsOf(await target.send(request));
  expect(results).toHaveLength(payloads.length);
  for (const { metadata } of results) expect(metadata).toEqual({ encoding: base64(OUR_ENCODING) });
  return results;
}

/** The namespace that one of our payloads is bound to, as its header says. */
export function namespaceOf(payload: JsonPayload | undefined): string | undefined {
  const message = Buffer.from(payload?.data ?? '', 'base64');
  return parseMessage(message).header.encryptionContext.get(NAMESPACE_CONTEXT_KEY);
}

/** The same payload with one bit of its data turned. */
export function withBitFlipped(payload: JsonPayload, bit: number): JsonPayload {
  const data = Buffer.from(payload.data, 'base64');
  data.writeUInt8(data.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return { ...payload, data: base64(data) };
}

/** What a payload says in place of plaintext; undefined when it is not an explanation. */
export function explanationIn(payload: JsonPayload | undefined): string | undefined {
  if (payload?.metadata['encoding'] !== base64('json/plain')) return undefined;
  const value: unknown = JSON.parse(Buffer.from(payload.data, 'base64').toString());
  return typeof value === 'string' && value.startsWith('Codec server: ') ? value : undefined;
}
