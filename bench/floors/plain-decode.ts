/**
 * The least work that decoding can be in Node, with none of a server's duties: no validation, no
 * routing, no limits, no access. A floor to compare with, not something to run.
 */
import { createDecipheriv, createSecretKey } from 'node:crypto';
import { SAMPLES_KEY } from '../formats.ts';
import type { JsonPayload } from '../load/job.ts';

/** Node 24.21 takes 20 µs to use bytes as a key, and 2 for a key object. */
const KEY = createSecretKey(SAMPLES_KEY);

/** Decodes a request body in the samples' format to a response body. */
export function plainDecode(body: Buffer): string {
  const { payloads } = JSON.parse(body.toString('utf8')) as { payloads: JsonPayload[] };
  return `{"payloads":[${payloads.map(open).join(',')}]}`;
}

function open({ data }: JsonPayload): string {
  const sealed = Buffer.from(data, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', KEY, sealed.subarray(0, 12));
  decipher.setAuthTag(sealed.subarray(-16));
  const plain = decipher.update(sealed.subarray(12, -16));
  decipher.final();
  return toJson(plain);
}

/** The two fields of a serialized Payload, metadata before data, as JSON. */
function toJson(plain: Buffer): string {
  const metadata: string[] = [];
  let data = '';
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = plain[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < plain.length) {
    const tag = plain[at++];
    const end = varint() + at;
    if (tag === 0x0a) {
      at++;
      const keyEnd = varint() + at;
      const key = plain.toString('latin1', at, keyEnd);
      at = keyEnd + 1;
      varint();
      metadata.push(`"${key}":"${plain.toString('base64', at, end)}"`);
    } else data = plain.toString('base64', at, end);
    at = end;
  }
  return `{"metadata":{${metadata.join(',')}},"data":"${data}"}`;
}
