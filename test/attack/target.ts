/**
 * What the attack suite is aimed at: a running codec server with the identity and rules of
 * {@link AttackWorld}, and the number of its key calls. The local server is one such target; whatever
 * else serves the pipeline can be another, by implementing {@link AttackTarget}.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AccessRule, IdentityConfig } from '../../config/schema.ts';

/** A request as it goes over the wire: headers may repeat, the path is not tidied up. */
export interface AttackRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface AttackResponse {
  /** 0 when the server cut the connection. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** A server under attack. */
export interface AttackTarget {
  send(request: AttackRequest): Promise<AttackResponse>;
  /** Times that a key was asked for, whether or not there was one. */
  keyCalls(): number;
  close(): Promise<void>;
}

/** What a target has to be configured with. Encoding and decoding `orders` and `billing` must work. */
export interface AttackConfig {
  readonly identity: IdentityConfig;
  readonly access: readonly AccessRule[];
  /** The allowed origin. */
  readonly origin: string;
  /** The document that `identity.serviceTokens` has to hold. */
  readonly serviceTokens: string;
  /** The certificate to trust when the issuer is asked, in PEM. */
  readonly certificate: string;
}

/** Starts a target. */
export type StartTarget = (config: AttackConfig) => Promise<AttackTarget>;

/** Sends a request to a port of this machine, as it is. */
export function sendRaw(
  { method, path, headers, body }: AttackRequest,
  to: { readonly port: number; readonly ca?: string },
): Promise<AttackResponse> {
  return new Promise((resolve, reject) => {
    const send = to.ca === undefined ? httpRequest : httpsRequest;
    const host = headers.some(([name]) => name.toLowerCase() === 'host') ? [] : ['host', `localhost:${to.port}`];
    const outgoing = send(
      {
        host: '127.0.0.1',
        servername: 'localhost',
        port: to.port,
        method,
        path,
        headers: [...host, ...headers.flat(), 'content-length', String(Buffer.byteLength(body)), 'connection', 'close'],
        ...(to.ca === undefined ? {} : { ca: to.ca }),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text });
        });
      },
    );
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve({ status: 0, headers: {}, body: '' });
      else reject(error);
    });
    outgoing.end(body);
  });
}
