/** Payloads in plain and as the server itself has encrypted them, of every size that the traffic needs. */
import { randomBytes } from 'node:crypto';
import type { SoakClient } from './client.ts';

/** One payload, both ways, as its JSON stands in a body. */
export interface Sample {
  readonly plain: string;
  readonly sealed: string;
}

/** Bytes by which an encrypted payload is larger than its plain one, about. */
const OVERHEAD = 420;

/** The JSON of a `json/plain` payload whose data is text that does not compress well. */
export function plainPayload(bytes: number): string {
  const text = JSON.stringify(
    randomBytes(Math.ceil(bytes * 0.75))
      .toString('base64')
      .slice(0, bytes),
  );
  const data = Buffer.from(text).toString('base64');
  return `{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"${data}"}`;
}

export function bodyOf(payloads: readonly string[]): string {
  return `{"payloads":[${payloads.join(',')}]}`;
}

/** The payloads of a body, as they stand in it; for bodies of one payload. */
export function onlyPayloadOf(body: string): string {
  return body.slice('{"payloads":['.length, -']}'.length);
}

export class Samples {
  readonly #client: SoakClient;
  readonly #headers: Record<string, string>;
  readonly #kept = new Map<number, Sample>();

  /** @param headers of a caller who may encode in the namespace */
  constructor(client: SoakClient, headers: Record<string, string>) {
    this.#client = client;
    this.#headers = headers;
  }

  /** Has a payload of so many bytes of data encrypted. */
  async make(bytes: number): Promise<Sample> {
    const plain = plainPayload(bytes);
    const { status, body } = await this.#client.send('POST', '/encode', this.#headers, bodyOf([plain]));
    if (status !== 200) throw new Error(`/encode answered ${status}: ${body.slice(0, 200)}`);
    return { plain, sealed: onlyPayloadOf(body) };
  }

  /** Makes ready what {@link sealedAs} will be asked for. */
  async prepare(sizes: Iterable<number>): Promise<void> {
    for (const size of new Set(Array.from(sizes, rounded))) this.#kept.set(size, await this.make(size));
  }

  /** A sample whose encrypted data has about so many bytes. */
  sealedAs(bytes: number): Sample {
    const sample = this.#kept.get(rounded(bytes));
    if (sample === undefined) throw new Error(`no sample of ${bytes} bytes was prepared`);
    return sample;
  }
}

/** Bytes of plain data for so many encrypted ones, in steps, since a few bytes more or less are the same work. */
function rounded(sealedBytes: number): number {
  return Math.max(0, Math.ceil((sealedBytes - OVERHEAD) / 64) * 64);
}
