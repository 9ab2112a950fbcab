/** A codec server that is some milliseconds away: every answer comes that much later, and requests are counted. */

import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import type { ServerProcess } from '../process.ts';

/** The way to a server. */
export interface FarServer {
  readonly endpoint: string;
  /** Requests since the last call. */
  takeRequests(): number;
  stop(): void;
}

/** Bytes go through untouched: what stands in between takes next to no time of the processor. */
export async function farServer({ port }: ServerProcess, delayMs: number): Promise<FarServer> {
  let requests = 0;
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) socket.setNoDelay(true).on('error', () => {});
    near.on('data', (chunk) => {
      if (chunk.toString('latin1', 0, 5) === 'POST ') requests++;
      far.write(chunk);
    });
    far.on('data', (chunk) => setTimeout(() => near.write(chunk), delayMs));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    takeRequests: () => {
      const taken = requests;
      requests = 0;
      return taken;
    },
    stop: () => server.close(),
  };
}
