/** Ports for programs that have to be told one. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below what Linux (from 32768) and others (from 49152) hand out by themselves: a port that the system chose and that was
 * closed again can go to any connection of any program before the one that is to have it listens.
 */
const [FIRST, LAST] = [15_000, 32_000];

/** @returns a port of the loopback address that nobody listens at */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
