/**
 * One HTTP exchange, exactly as asked for: no redirect is followed, no header is added beyond what
 * HTTP needs, no path is normalized. Clients that a doctor imitates behave like that, `fetch` does not.
 */
import { lookup } from 'node:dns/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type PeerCertificate } from 'node:tls';

/** What to send. */
export interface Send {
  readonly method: string;
  /** Sent as it is, doubled slashes and all. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds after which it counts as hanging. Default 15,000. */
  readonly timeoutMs?: number;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  /** Lower-case names; several values of one name joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** From sending to the last byte. */
  readonly milliseconds: number;
}

/** Nothing came back. */
export interface NoAnswer {
  /** A code such as `ECONNREFUSED`, `ENOTFOUND`, `DEPTH_ZERO_SELF_SIGNED_CERT`, or `TIMEOUT`. */
  readonly error: string;
  readonly message: string;
}

/** Sends requests to one origin. */
export type Exchange = (send: Send) => Promise<Answer | NoAnswer>;

/** Whether an exchange brought an answer. */
export function answered(result: Answer | NoAnswer): result is Answer {
  return 'status' in result;
}

/** An {@link Exchange} with the origin of a URL. */
export function exchangeWith(origin: URL): Exchange {
  const request = origin.protocol === 'https:' ? httpsRequest : httpRequest;
  return (send) =>
    new Promise((resolve) => {
      const started = performance.now();
      const headers: Record<string, string> = { ...send.headers };
      if (send.body !== undefined) headers['content-length'] = String(Buffer.byteLength(send.body));
      const { hostname, port } = origin;
      const outgoing: ClientRequest = request(
        { hostname: bare(hostname), port: port || undefined, method: send.method, path: send.path, headers },
        (incoming) => {
          collect(incoming).then(
            (body) =>
              resolve({
                status: incoming.statusCode ?? 0,
                headers: joined(incoming),
                body,
                milliseconds: performance.now() - started,
              }),
            (error: Error) => resolve(noAnswer(error)),
          );
        },
      );
      const timeoutMs = send.timeoutMs ?? 15_000;
      outgoing.setTimeout(timeoutMs, () =>
        outgoing.destroy(Object.assign(new Error(`no answer within ${timeoutMs / 1000} s`), { code: 'TIMEOUT' })),
      );
      outgoing.on('error', (error) => resolve(noAnswer(error)));
      // An answer that trickles is not an answer either.
      const end = setTimeout(
        () => outgoing.destroy(Object.assign(new Error('no end of the answer'), { code: 'TIMEOUT' })),
        4 * timeoutMs,
      );
      outgoing.on('close', () => clearTimeout(end));
      outgoing.end(send.body);
    });
}

/** The addresses of a host name, or the error code of the look-up. */
export async function resolveHost(hostname: string): Promise<string[] | NoAnswer> {
  try {
    return (await lookup(bare(hostname), { all: true })).map(({ address }) => address);
  } catch (error) {
    return noAnswer(error as Error);
  }
}

/** The certificate a host presents, whether or not this machine trusts it. */
export function certificateOf(
  origin: URL,
): Promise<{ certificate: PeerCertificate; problem: string | undefined } | NoAnswer> {
  return new Promise((resolve) => {
    const host = bare(origin.hostname);
    const socket = connect(
      // the certificate is what is examined here; every other exchange verifies it
      {
        host,
        port: Number(origin.port || 443),
        servername: /^[\d.:]+$/.test(host) ? '' : host,
        rejectUnauthorized: false,
      },
      () => {
        const certificate = socket.getPeerCertificate();
        const problem = socket.authorized ? undefined : String(socket.authorizationError);
        socket.end();
        resolve({ certificate, problem });
      },
    );
    socket.setTimeout(10_000, () =>
      socket.destroy(Object.assign(new Error('no TLS handshake within 10 s'), { code: 'TIMEOUT' })),
    );
    socket.on('error', (error) => resolve(noAnswer(error)));
  });
}

/** The first words of the body of a refusal, for a person; never of a 200. */
export function said(body: string): string {
  const text = body.replace(/\s+/g, ' ').trim();
  return text.length > 160 ? `${text.slice(0, 160)}…` : text || 'nothing';
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function noAnswer(error: Error): NoAnswer {
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  return { error: code, message: error.message || code };
}

/** Bytes of an answer: more than any that a codec server gives to what a doctor sends. */
const MOST_ANSWER_BYTES = 16 * 1024 * 1024;

async function collect(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += (chunk as Buffer).length;
    if (size > MOST_ANSWER_BYTES) {
      incoming.destroy();
      throw Object.assign(new Error(`it does not end within ${MOST_ANSWER_BYTES} bytes`), { code: 'TOO_LARGE' });
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function joined(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(incoming.headersDistinct)) headers[name] = values?.join(', ') ?? '';
  return headers;
}
