/**
 * Unary gRPC over HTTP/2, as Temporal's frontend speaks it: one request, one answer, both as bytes. What
 * is needed is this little, and it needs no package that the server and the workers would carry along.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */

import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { escaped } from '../../config/printable.ts';

/** How to reach a frontend. */
export interface GrpcTarget {
  /** `host:port`. */
  readonly address: string;
  /** Undefined: without TLS. */
  readonly tls: TlsSettings | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface TlsSettings {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** The name in the server's certificate, where it is not the address. */
  readonly servername?: string;
}

/** Codes of gRPC that matter here. */
export const GRPC = {
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** A call failed. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Makes calls. */
export interface GrpcClient {
  /** @throws GrpcError */
  call(service: string, method: string, request: Uint8Array): Promise<Buffer>;
  close(): void;
}

const TIMEOUT_MS = 20_000;
/** Bytes of an answer: histories come in pages of 4 MB at most. */
const MAX_ANSWER = 64 * 1024 * 1024;
const WINDOW = 8 * 1024 * 1024;

/** Connects when the first call is made, and again when a connection is gone. */
export function createGrpcClient(target: GrpcTarget): GrpcClient {
  let session: ClientHttp2Session | undefined;
  const connected = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const { address, tls } = target;
    const settings = { settings: { initialWindowSize: WINDOW, enablePush: false } };
    session = connect(`${tls === undefined ? 'http' : 'https'}://${address}`, { ...settings, ...tls });
    // Each call hears of it, too.
    session.on('error', () => {});
    session.on('connect', (made) => made.setLocalWindowSize(WINDOW));
    return session;
  };
  return {
    call: (service, method, request) => unary(connected(), target, `/${service}/${method}`, request),
    close: () => session?.close(),
  };
}

function unary(
  session: ClientHttp2Session,
  { metadata }: GrpcTarget,
  path: string,
  request: Uint8Array,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${TIMEOUT_MS}m`,
      ...metadata,
    });
    const chunks: Buffer[] = [];
    let length = 0;
    let status: number | undefined;
    let said = '';
    const noteStatus = (headers: Readonly<Record<string, unknown>>): void => {
      const code = headers['grpc-status'];
      if (code !== undefined) status = Number(code);
      const text = headers['grpc-message'];
      if (typeof text === 'string') said = decoded(text);
    };
    const fail = (code: number, text: string): void => {
      reject(new GrpcError(code, text));
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    };
    stream.setTimeout(TIMEOUT_MS, () => fail(GRPC.deadlineExceeded, 'no answer in time'));
    stream.on('response', (headers) => {
      noteStatus(headers);
      const http = Number(headers[':status']);
      if (http !== 200) fail(http === 401 ? GRPC.unauthenticated : GRPC.unavailable, `HTTP status ${http}`);
    });
    stream.on('trailers', noteStatus);
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_ANSWER) fail(GRPC.resourceExhausted, 'the answer is too large');
      else chunks.push(chunk);
    });
    stream.on('error', (error: NodeJS.ErrnoException) =>
      reject(new GrpcError(GRPC.unavailable, error.code ?? error.message)),
    );
    stream.on('close', () => {
      if (status === undefined) return reject(new GrpcError(GRPC.unavailable, 'the connection ended'));
      if (status !== 0) return reject(new GrpcError(status, said));
      const answer = Buffer.concat(chunks);
      if (answer.length < 5 || answer[0] !== 0 || answer.readUInt32BE(1) !== answer.length - 5)
        return reject(new GrpcError(GRPC.unavailable, 'the answer is not a single gRPC message'));
      resolve(answer.subarray(5));
    });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(request.length, 1);
    stream.end(Buffer.concat([head, request]));
  });
}

/** Percent-encoded UTF-8. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// What to tell a person of a call that failed.

/** A gRPC error as a sentence, with what to do. */
export function failed({ code, message }: GrpcError): string {
  const said = escaped(message).slice(0, 300);
  switch (code) {
    case GRPC.unauthenticated:
    case GRPC.permissionDenied:
      return `the server refuses: ${said}. Give an API key or a certificate that may read the namespace.`;
    case GRPC.notFound:
      return `the server does not know it: ${said}.`;
    case GRPC.unavailable:
      return `the server cannot be reached: ${said}. Is --address right, and does it take TLS?`;
    default:
      return `the server answers with gRPC code ${code}: ${said}.`;
  }
}
