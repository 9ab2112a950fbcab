/** Decodes at a codec server, ours or anyone's, in as few requests as it takes. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { pauseAfter } from '../../codec/calls/backoff.ts';
import type { Payload } from '../../codec/payload.ts';
import { isLoopbackHostname } from '../../config/addresses.ts';
import { escaped } from '../../config/printable.ts';
import { HttpError } from '../../lambda/server/http/message.ts';
import { readPayloads } from '../../lambda/server/http/payload-json-reader.ts';
import { writePayloads } from '../../lambda/server/http/responses.ts';
import { type Decoded, DecoderError, type PayloadDecoder, wait } from './payload-decoder.ts';

/** Which server, and what to tell it. */
export interface RemoteServer {
  /** As the CLI's `--codec-endpoint`: `/decode` is added. */
  readonly endpoint: string;
  /** The whole Authorization header, if there is one. */
  readonly authorization: string | undefined;
  readonly namespace: string;
  /** Leave references to external storage as they are. */
  readonly keepReferences: boolean;
  readonly signal: AbortSignal;
  /** Milliseconds before the first repetition; each further one waits twice as long. Tests shorten it. */
  readonly patienceMs?: number;
}

const TIMEOUT_MS = 60_000;
const ATTEMPTS = 7;
const PATIENCE_MS = 500;
const MOST_PATIENCE_MS = 30_000;
/** Characters of a server's answer that are shown. */
const SHOWN = 300;
/** What one request may be too much for, and half of it not. */
const SPLIT: ReadonlySet<number> = new Set([400, 413, 422]);

/**
 * @throws DecoderError when the endpoint is not an address, or a token would go over the network in the open
 */
export function openRemoteDecoder(server: RemoteServer): PayloadDecoder {
  const url = decodeUrl(server);
  return {
    concurrency: 4,
    decode: (payloads) => new Call(url, server).decode(payloads),
    close: () => {},
  };
}

function decodeUrl({ endpoint, namespace, keepReferences, authorization }: RemoteServer): URL {
  const text = endpoint.replaceAll('{namespace}', namespace).replace(/\/+$/, '');
  const url = URL.parse(`${text}/decode`);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new DecoderError(`--endpoint ${JSON.stringify(endpoint)} is not an http or https address.`);
  if (authorization !== undefined && url.protocol === 'http:' && !isLoopbackHostname(url.hostname))
    throw new DecoderError('A token goes to https endpoints only: over http everybody on the way can read it.');
  url.searchParams.set('bulk', 'true');
  if (keepReferences) url.searchParams.set('preserveStorageRefs', 'true');
  return url;
}

class Call {
  readonly #url: URL;
  readonly #server: RemoteServer;

  constructor(url: URL, server: RemoteServer) {
    this.#url = url;
    this.#server = server;
  }

  async decode(payloads: readonly Payload[]): Promise<readonly Decoded[]> {
    const { status, body } = await this.#send(payloads);
    if (status === 200) return this.#read(body, payloads.length);
    if (!SPLIT.has(status)) throw new DecoderError(this.#refused(status, body));
    if (payloads.length === 1)
      return [{ closed: status === 413 ? 'too-large-for-the-server' : 'refused-by-the-server' }];
    const middle = Math.ceil(payloads.length / 2);
    const [first, second] = [payloads.slice(0, middle), payloads.slice(middle)];
    return [...(await this.decode(first)), ...(await this.decode(second))];
  }

  #read(body: Buffer, expected: number): Decoded[] {
    let payloads: readonly Payload[];
    try {
      payloads = readPayloads(body, expected);
    } catch (error) {
      if (error instanceof HttpError)
        throw new DecoderError(`${this.#url.origin} answers with something that is not a list of payloads.`);
      throw error;
    }
    if (payloads.length !== expected)
      throw new DecoderError(`${this.#url.origin} answers with ${payloads.length} payloads for ${expected}.`);
    return payloads.map((payload) => ({ payload }));
  }

  #refused(status: number, body: Buffer): string {
    const said = escaped(body.toString('utf8').trim()).slice(0, SHOWN);
    const hint = status === 401 ? ' Give a token with --token-file, or in CODEC_SERVER_TOKEN.' : '';
    return `${this.#url.origin} answers ${status}${said === '' ? '.' : `: ${said}`}${hint}`;
  }

  /** One request, repeated while its failing may pass. */
  async #send(payloads: readonly Payload[]): Promise<{ status: number; body: Buffer }> {
    const { namespace, authorization, signal, patienceMs = PATIENCE_MS } = this.#server;
    const written = writePayloads(payloads);
    const body = typeof written === 'string' ? Buffer.from(written) : written;
    for (let attempt = 1; ; attempt++) {
      let failure: string;
      let retryAfter = 0;
      try {
        const answer = await post(
          this.#url,
          { 'x-namespace': namespace, ...(authorization === undefined ? {} : { authorization }) },
          body,
          AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        );
        const { status } = answer;
        if (status !== 429 && status < 500) return answer;
        failure = this.#refused(status, answer.body);
        retryAfter = Number(answer.headers['retry-after'] ?? 0) * 1000 || 0;
      } catch (error) {
        if (signal.aborted) throw error;
        const cause = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
        failure = `${this.#url.origin} does not answer (${cause.code ?? cause.name}).`;
      }
      if (attempt === ATTEMPTS) throw new DecoderError(failure);
      const patience = Math.max(retryAfter, pauseAfter(attempt, { firstMs: patienceMs, mostMs: MOST_PATIENCE_MS }));
      // Not all at the same moment again.
      await wait(Math.min(patience, MOST_PATIENCE_MS) * (0.75 + Math.random() / 2), signal);
      if (signal.aborted) throw new DecoderError('Stopped.');
    }
  }
}

// One request of a client that sends few and large ones. `fetch` takes 60 ms until it is loaded, which is more than the
// round trip that a batch saves.

/** What came back, whatever its status. */
interface Answer {
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
async function post(
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
