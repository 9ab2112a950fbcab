/** Requests to a pipeline, without a socket. */
import { randomUUID } from 'node:crypto';
import type { CodecPipeline, CodecRequest, CodecResponse } from '../../lambda/server/http/message.ts';
import { PATIENCE_MS } from './patience.ts';

export interface CodecRequestParts {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  /** Lower-case names; a list repeats the header. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Text as it is; anything else as JSON. */
  readonly body?: unknown;
  /** Milliseconds that it may take. Default: as long as a test waits. */
  readonly deadlineMs?: number;
}

/** A request as an adapter would make it; by default an empty `POST /decode` of JSON. */
export function codecRequest(parts: CodecRequestParts = {}): CodecRequest {
  const { method = 'POST', path = '/decode', query = '', headers = {}, body = {}, deadlineMs = PATIENCE_MS } = parts;
  const all: Readonly<Record<string, string | readonly string[]>> = { 'content-type': 'application/json', ...headers };
  return {
    method,
    path,
    query,
    header: (name) => (Object.hasOwn(all, name) ? [all[name] ?? []].flat() : []),
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    deadline: Date.now() + deadlineMs,
    requestId: randomUUID(),
  };
}

/** Sends a request through a pipeline; the body comes back as text. */
export async function ask(
  pipeline: CodecPipeline,
  parts: CodecRequestParts,
): Promise<CodecResponse & { readonly body: string }> {
  const response = await pipeline(codecRequest(parts));
  const { body } = response;
  return { ...response, body: typeof body === 'string' ? body : Buffer.from(body).toString('utf8') };
}
