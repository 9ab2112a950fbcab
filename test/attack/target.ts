/**
 * What the attack suite is aimed at: a running codec server with the identity and rules of
 * {@link AttackWorld}, and the number of its key calls. The local server is one such target; whatever
 * else serves the pipeline can be another, by implementing {@link AttackTarget}.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AccessRule, IdentityConfig, KmsKeyConfig } from '../../config/schema.ts';
import type { KmsStandIn } from '../support/kms-stand-in.ts';
import { until } from '../support/patience.ts';

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
  /** The audit line of a request, by the id in its answer. */
  auditLine(requestId: string): Promise<AuditLine>;
  /** Resolves when one line of the log holds all of these texts; a line of the metrics is one where there are metrics. */
  logged(...texts: readonly string[]): Promise<void>;
  /** Puts another document in the place of the service tokens in use. */
  putServiceTokens(text: string): void;
  /** Lets time pass: a function stands still meanwhile, with all its clocks; a server finds that its clock went on. */
  later(milliseconds: number): Promise<void>;
  /** What its clock says, in milliseconds. */
  now(): number;
  /** As new: nothing in memory, and the right time. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** What a line of the audit log says, as far as attacks ask. */
export interface AuditLine {
  readonly status: number;
  readonly sourceAddress?: string;
  readonly namespaces: { readonly allowed: readonly string[]; readonly denied: readonly string[] };
  readonly opened: readonly string[];
  readonly payloads: Readonly<Record<string, number>>;
}

/** Resolves when there is something to be had, which may take a moment after an answer. */
export async function eventually<T>(what: string, look: () => T | undefined): Promise<T> {
  return await until(look, `there is still no ${what}`);
}

/** What a target has to be configured with. Encoding and decoding `orders` and `billing` must work. */
export interface AttackConfig {
  readonly identity: IdentityConfig;
  readonly access: readonly AccessRule[];
  /** The allowed origin. */
  readonly origin: string;
  /** The document that `identity.serviceTokens` has to hold. */
  readonly serviceTokens: string;
  /** Keys of this KMS, which the target has to reach. */
  readonly keys: readonly KmsKeyConfig[];
  readonly kms: KmsStandIn;
  /** The secret that `identity.temporalCloudRoles` has to hold. */
  readonly cloudApiKey: string;
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
