/** A `node:http` request as the pipeline sees it. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { CodecRequest } from '../server/http/message.ts';

const NONE: readonly string[] = [];

export class NodeRequest implements CodecRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: Uint8Array;
  readonly deadline: number;
  readonly requestId: string = randomUUID();
  readonly sourceAddress: string | undefined;
  readonly #rawHeaders: readonly string[];

  constructor(message: IncomingMessage, body: Uint8Array, deadline: number) {
    const url = message.url ?? '/';
    const mark = url.indexOf('?');
    this.method = message.method ?? '';
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? '' : url.slice(mark + 1);
    this.body = body;
    this.sourceAddress = message.socket?.remoteAddress;
    this.deadline = deadline;
    this.#rawHeaders = message.rawHeaders;
  }

  header(name: string): readonly string[] {
    return headerValues(this.#rawHeaders, name);
  }
}

/**
 * All values of a header, in order. Node's own `headers` would silently drop the second
 * `Authorization`, and sorts all of them into an object first.
 *
 * @param raw names and values in turn
 * @param name in lower case
 */
export function headerValues(raw: readonly string[], name: string): readonly string[] {
  let first: string | undefined;
  let values: string[] | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const candidate = raw[i] as string;
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
    const value = raw[i + 1] as string;
    if (first === undefined) first = value;
    else if (values === undefined) values = [first, value];
    else values.push(value);
  }
  if (first === undefined) return NONE;
  return values ?? [first];
}
