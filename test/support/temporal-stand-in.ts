/** A Temporal server that says what a test wants it to say: gRPC in this process, by the names of its methods. */
import { createSecureServer, createServer, type SecureServerOptions, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** What a method answers: bytes, a gRPC code with a message, or nothing: the connection is lost. */
export type Answer = Uint8Array | { readonly code: number; readonly message: string } | undefined;

export interface TemporalStandIn {
  readonly address: string;
  /** Every call: method, request, headers. */
  readonly calls: { readonly method: string; readonly request: Buffer; readonly authorization: string | undefined }[];
  close(): Promise<void>;
}

/** Starts one, over TLS where it is told how. What has no method is not implemented. */
export async function startTemporalStandIn(
  methods: Readonly<Record<string, (request: Buffer) => Answer>>,
  tls?: SecureServerOptions,
): Promise<TemporalStandIn> {
  const calls: TemporalStandIn['calls'] = [];
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => {});
    stream.on('end', () => {
      const method = String(headers[':path']).split('/').at(-1) ?? '';
      const request = Buffer.concat(chunks).subarray(5);
      calls.push({ method, request, authorization: headers.authorization });
      const known = methods[method];
      const answer = known === undefined ? { code: 12, message: `no ${method}` } : known(request);
      if (answer === undefined) stream.session?.destroy();
      else respond(stream, answer);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () => new Promise((done) => server.close(() => done())),
  };
}

function respond(stream: ServerHttp2Stream, answer: NonNullable<Answer>): void {
  const head = { ':status': 200, 'content-type': 'application/grpc' };
  if (!(answer instanceof Uint8Array)) {
    stream.respond(
      { ...head, 'grpc-status': String(answer.code), 'grpc-message': encodeURIComponent(answer.message) },
      { endStream: true },
    );
    return;
  }
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(answer.length, 1);
  stream.respond(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([prefix, answer]));
}
