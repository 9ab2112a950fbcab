import { type ClientHttp2Session, constants, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createGrpcClient, type GrpcClient } from '../../../cli/cluster/grpc-client.ts';
import { TemporalApi } from '../../../cli/cluster/temporal-api.ts';

let server: Http2Server;
let client: GrpcClient;
let sessions: number;
/** Calls that arrived, and what becomes of each. */
let calls: number;
let onCall: (stream: ServerHttp2Stream, call: number) => void;

beforeEach(async () => {
  [sessions, calls] = [0, 0];
  server = createServer();
  server.on('session', (session) => {
    sessions++;
    session.on('error', () => {});
  });
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => {});
    stream.resume();
    onCall(stream, ++calls);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = createGrpcClient({ address, tls: undefined, metadata: {} });
});

afterEach(async () => {
  client.close();
  await new Promise((done) => server.close(done));
});

const HEAD = { ':status': 200, 'content-type': 'application/grpc' };
const ANSWER = Buffer.from([0, 0, 0, 0, 2, 8, 7]);

function begin(stream: ServerHttp2Stream): void {
  stream.respond(HEAD, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.write(ANSWER.subarray(0, 6));
}

function answer(stream: ServerHttp2Stream): void {
  begin(stream);
  stream.end(ANSWER.subarray(6));
}

/** What a frontend says before it goes, as when it is deployed anew. */
function sayGoodbye(stream: ServerHttp2Stream, code: number, last?: number): void {
  (stream.session as unknown as ClientHttp2Session | undefined)?.goaway(code, last);
}

describe('a server that goes away', () => {
  const all = async () => {
    const api = new TemporalApi(client, 10_000, 5);
    return Promise.all(Array.from({ length: 20 }, async () => (await api.call('Get', Buffer.alloc(0))).bytes[1]));
  };

  it.each([
    ['and finishes what it has begun', constants.NGHTTP2_NO_ERROR, undefined],
    ['and takes nothing back that it has begun', constants.NGHTTP2_NO_ERROR, 0],
    ['for too many calls', constants.NGHTTP2_ENHANCE_YOUR_CALM, undefined],
    ['for a fault of its own', constants.NGHTTP2_INTERNAL_ERROR, 0],
  ])('amid an answer %s costs no call its answer', async (_how, code, last) => {
    onCall = (stream, call) => {
      if (call !== 5) return answer(stream);
      begin(stream);
      sayGoodbye(stream, code, last);
      setTimeout(() => !stream.destroyed && stream.end(ANSWER.subarray(6)), 20);
    };
    expect(await all()).toEqual(Array(20).fill(7));
    expect(await all()).toEqual(Array(20).fill(7));
    expect(sessions).toBeGreaterThan(1);
  });

  it.each([
    ['without trailers', (stream: ServerHttp2Stream) => stream.close(constants.NGHTTP2_NO_ERROR)],
    ['for a stream that it refuses', (stream: ServerHttp2Stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM)],
    ['with the whole connection', (stream: ServerHttp2Stream) => stream.session?.destroy()],
  ])('amid an answer %s is asked again, and half an answer is none', async (_how, end) => {
    onCall = (stream, call) => {
      if (call % 5 !== 1 || call > 20) return answer(stream);
      begin(stream);
      setTimeout(() => end(stream), 5);
    };
    expect(await all()).toEqual(Array(20).fill(7));
  });

  it('every time is given up in a sentence that says what to look at', async () => {
    onCall = (stream) => sayGoodbye(stream, constants.NGHTTP2_ENHANCE_YOUR_CALM, 0);
    await expect(all()).rejects.toMatchObject({ name: 'GrpcError', code: 14 });
  });
});
