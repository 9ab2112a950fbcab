/**
 * A proxy for gRPC without TLS that can answer `UNAVAILABLE` in the server's place, as a cluster does in the middle of
 * a deployment. It knows HTTP/2 and nothing of protobuf.
 */
import { once } from 'node:events';
import { type ClientHttp2Session, connect, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** gRPC's own number for a server that cannot be reached now, which clients try again. */
const UNAVAILABLE = '14';

/** A running proxy. */
export interface GrpcProxy {
  /** `host:port` to give to clients. */
  readonly address: string;
  /** How many calls of a method still get `UNAVAILABLE`; by the method's bare name, such as `StartWorkflowExecution`. */
  readonly failing: Map<string, number>;
  /** How many calls of a method arrived, the failed ones included. */
  readonly calls: Map<string, number>;
  stop(): Promise<void>;
}

/** Starts a proxy in front of a gRPC server at `host:port`. */
export async function startGrpcProxy(target: string): Promise<GrpcProxy> {
  const failing = new Map<string, number>();
  const calls = new Map<string, number>();
  let upstream: ClientHttp2Session | undefined;
  const session = (): ClientHttp2Session => {
    if (upstream === undefined || upstream.closed || upstream.destroyed) {
      upstream = connect(`http://${target}`);
      upstream.on('error', () => {});
    }
    return upstream;
  };

  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (it) => {
    sessions.add(it);
    it.on('error', () => {});
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    const method = String(headers[':path']).split('/').at(-1) ?? '';
    calls.set(method, (calls.get(method) ?? 0) + 1);
    const left = failing.get(method) ?? 0;
    if (left > 0) {
      failing.set(method, left - 1);
      stream.resume();
      const answer = { 'grpc-status': UNAVAILABLE, 'grpc-message': 'the cluster is being deployed' };
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...answer }, { endStream: true });
      return;
    }
    const outgoing = session().request({ ...headers, ':authority': target });
    outgoing.on('error', () => stream.close());
    stream.on('close', () => outgoing.close());
    stream.pipe(outgoing);
    let trailers: Record<string, unknown> = {};
    outgoing.on('trailers', (received) => {
      trailers = withoutPseudoHeaders(received);
    });
    outgoing.on('response', (received, flags) => {
      if (stream.destroyed) return;
      const status = { ':status': received[':status'] };
      const END_STREAM = 1;
      if ((flags & END_STREAM) !== 0) {
        stream.respond({ ...withoutPseudoHeaders(received), ...status }, { endStream: true });
        return;
      }
      stream.respond({ ...withoutPseudoHeaders(received), ...status }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers as Record<string, string>));
      outgoing.pipe(stream);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    failing,
    calls,
    async stop() {
      for (const it of sessions) it.destroy();
      upstream?.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function withoutPseudoHeaders(headers: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
}
