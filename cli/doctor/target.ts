/**
 * The server under examination, addressed as the clients address it: the endpoint as somebody typed
 * it, with the operation appended.
 */
import { WEB_UI_HEADERS } from '../../config/preflight.ts';
import type { Connection } from '../cluster/connection.ts';
import { type Answer, type Exchange, exchangeWith, type NoAnswer } from './exchange.ts';

/** What the examiner was told. */
export interface DoctorOptions {
  /** The endpoint as it would be pasted into the Namespace settings. */
  readonly endpoint: URL;
  readonly namespace: string;
  /** An access token or a service token, without `Bearer `. */
  readonly token: string | undefined;
  /** The Web UI's origin. */
  readonly origin: string;
  /** A genuine token of the issuer that has expired, if there is one. */
  readonly expiredToken?: string | undefined;
  /** The Temporal server that the namespace is on, if it is to be asked what it takes. */
  readonly temporal?: Connection | undefined;
}

/** An origin that no server should allow. */
export const FOREIGN_ORIGIN = 'https://codec-doctor-foreign-origin.example';

/** Sends what the clients send, and keeps what one check learned and another needs. */
export class Target {
  readonly options: DoctorOptions;
  readonly exchange: Exchange;
  /** A body that the server itself encrypted, once a round trip has worked: what is really decoded. */
  sealedBody: string | undefined;
  /** Whether the server lets pages of the origin ask. Else its other answers show as the CLI asks for them, without. */
  sendsOrigin = false;
  /** Whether requests without a token are carried out. */
  asksNobody = false;
  /** Whether the given token is accepted. */
  acceptsToken = false;

  constructor(options: DoctorOptions) {
    this.options = options;
    this.exchange = exchangeWith(options.endpoint);
  }

  /** The endpoint's path without trailing slashes; `{namespace}` replaced as the CLI does. */
  get basePath(): string {
    const { endpoint, namespace } = this.options;
    return decodeURI(endpoint.pathname).replaceAll('{namespace}', encodeURIComponent(namespace)).replace(/\/+$/, '');
  }

  /** POSTs a JSON body to an operation, as the Web UI does when `origin` is given, else as the CLI does. */
  post(
    operation: string,
    body: string,
    {
      origin,
      authorization = this.authorization,
      path,
    }: { origin?: string; authorization?: string | null; path?: string } = {},
  ): Promise<Answer | NoAnswer> {
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      // Headers are bytes, which Node takes one character each: names beyond Latin-1 go as UTF-8, as Go sends them.
      'x-namespace': Buffer.from(this.options.namespace, 'utf8').toString('latin1'),
      accept: '*/*',
    };
    if (origin !== undefined) headers['origin'] = origin;
    if (authorization !== null && authorization !== undefined) headers['authorization'] = authorization;
    return this.exchange({ method: 'POST', path: path ?? `${this.basePath}/${operation}`, headers, body });
  }

  /** Opens a page of the host, as a person's browser does who follows no redirect. */
  page(path: string): Promise<Answer | NoAnswer> {
    return this.exchange({ method: 'GET', path, headers: { accept: 'text/html' } });
  }

  /** Asks permission for a POST as the Web UI's browser does. */
  preflight(operation: string, origin: string): Promise<Answer | NoAnswer> {
    return this.exchange({
      method: 'OPTIONS',
      path: `${this.basePath}/${operation}?preserveStorageRefs=true`,
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': [...WEB_UI_HEADERS].sort().join(','),
      },
    });
  }

  /** The origin to send along with what is not about origins. */
  get pageOrigin(): { origin?: string } {
    return this.sendsOrigin ? { origin: this.options.origin } : {};
  }

  /** The `Authorization` header of the given token; undefined without one. */
  get authorization(): string | undefined {
    return this.options.token === undefined ? undefined : `Bearer ${this.options.token}`;
  }
}

/** A request body with one payload that no codec has touched. */
export function plainBody(text = '"codec-server doctor"'): string {
  return JSON.stringify({ payloads: [{ metadata: { encoding: base64('json/plain') }, data: base64(text) }] });
}

/** Standard padded base64 of a text. */
export function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

// Payloads as they stand in the JSON of an answer.

/** A payload in protobuf's JSON: bytes as base64. */
export interface AnsweredPayload {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly externalPayloads?: readonly { readonly sizeBytes?: string }[];
}

/** The payloads of an answer; undefined when it is not a list of payloads. */
export function payloadsOf(answer: Answer): AnsweredPayload[] | undefined {
  try {
    const { payloads } = JSON.parse(answer.body) as { payloads?: unknown };
    return Array.isArray(payloads) ? (payloads as AnsweredPayload[]) : undefined;
  } catch {
    return undefined;
  }
}
