/** The server as `npm start` runs it: one process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { DEFAULT_ADMISSION } from '../../lambda/node/gate.ts';
import { type Dependencies, residentMegabytesOf, type ServerUnderSoak } from './server.ts';

/** What the server says at its terminal of what should not happen in a soak. */
const BUGS = /failed by a bug|stays as it was|cannot be used/;

export async function startLocalServer({ issuer, kms, keys, trusted }: Dependencies): Promise<ServerUnderSoak> {
  const server = spawn(
    process.execPath,
    ['bin/codec-server.ts', 'start', '--port', '0', '--config', 'test/soak/local-config.ts'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NODE_EXTRA_CA_CERTS: trusted,
        AWS_ENDPOINT_URL_KMS: kms.endpoint,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        SOAK_ISSUER: issuer.issuer,
        SOAK_JWKS: issuer.jwksUri,
        SOAK_KEY_ORDERS: keys[0],
        SOAK_KEY_BILLING: keys[1],
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    let text = '';
    let found = false;
    server.stdout.on('data', (chunk) => {
      if (found) return;
      text += chunk;
      const number = /127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (number === undefined) return;
      found = true;
      resolve(Number(number));
    });
    server.on('exit', () => reject(new Error(`the server did not start: ${text}`)));
  });
  const bugs: string[] = [];
  createInterface({ input: server.stderr }).on('line', (line) => {
    // What it refuses, and dependencies that are out, are what a soak is for; anything else is a bug.
    const isMeant = line.startsWith('codec-server: ') && !BUGS.test(line);
    if (!isMeant && bugs.length < 10) bugs.push(line);
  });
  return {
    name: 'the local server',
    port,
    prefix: '',
    bodyBytes: 16_000_000,
    connections: 12,
    tooMuch: { requests: 80, bytes: 3_000_000 },
    // 408: on a busy machine some of 240 MB that are sent at once pause for the five seconds that a body may.
    refusals: [503, 408],
    holds: DEFAULT_ADMISSION.bytes,
    residentMegabytes: () => residentMegabytesOf(() => readFileSync(`/proc/${server.pid}/status`, 'utf8')),
    tidy: () => {},
    async stop() {
      const exited = once(server, 'close');
      server.kill('SIGTERM');
      const [code] = (await exited) as [number | null];
      return [...bugs, ...(code === 0 ? [] : [`the server ended with exit code ${String(code)}`])];
    },
  };
}
