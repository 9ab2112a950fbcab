/**
 * One request of a client that sends few and large ones. `fetch` takes 60 ms until it is loaded, which is
 * more than the round trip that a batch saves.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** What came back, whatever its status. */
export interface Answer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Sends JSON over a connection that is kept for the next request. No redirect is followed: the headers
 * may hold a token, and are for this address alone.
 *
 * @param url http or https
 * @throws an error of `node:net` or `node:tls` with its code, and an AbortError when the signal is given
 */
export async function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  signal: AbortSignal,
): Promise<Answer> {
  // An import would load all that the module names, `fetch` among it.
  const { request } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const all = { ...headers, 'content-type': 'application/json', 'content-length': body.length };
    request(url, { method: 'POST', headers: all, signal }, resolve).on('error', reject).end(body);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) };
}
