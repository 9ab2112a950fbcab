/**
 * `npm run soak [-- --minutes 3]`: mixed traffic against the server as `npm start` runs it, with KMS and
 * the token issuer going away and coming back. Fails on a wrong answer, a lost request, an unexplained
 * 503, growing memory, or a tail out of proportion.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { HttpsIssuer } from '../support/https-issuer.ts';
import { testCertificate } from '../support/https-stand-in.ts';
import { KmsStandIn } from '../support/kms-stand-in.ts';
import { SoakClient } from './client.ts';
import { Tally } from './tally.ts';
import { makeTraffic } from './traffic.ts';

/** How much resident memory may grow between the first minute (or quarter) and the end. */
const MOST_GROWTH = 1.2;
/** How many medians the 99th percentile may take; it counts bodies of three megabytes beside those of three hundred bytes. */
const MOST_TAIL = 60;
/** Milliseconds of the 99th percentile that are in order whatever the median: a page is read before anyone notices. */
const TAIL_FLOOR_MS = 500;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '3' } } });
const milliseconds = Number(values.minutes) * 60_000;
const print = (line: string) => process.stdout.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'codec-server-soak-'));
const issuer = await HttpsIssuer.start();
const kms = await KmsStandIn.start();
kms.latencyMs = 5;
writeFileSync(join(folder, 'ca.pem'), testCertificate().cert);

const server = spawn(
  process.execPath,
  ['bin/codec-server.ts', 'start', '--port', '0', '--config', 'test/soak/config.ts'],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      AWS_ENDPOINT_URL_KMS: kms.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      SOAK_ISSUER: issuer.issuer,
      SOAK_JWKS: issuer.jwksUri,
      SOAK_KEY_A: kms.createKey(),
      SOAK_KEY_B: kms.createKey(),
    },
  },
);
const port = await new Promise<number>((resolve, reject) => {
  let text = '';
  server.stdout.on('data', (chunk) => {
    text += chunk;
    const found = /127\.0\.0\.1:(\d+)/.exec(text)?.[1];
    if (found !== undefined) resolve(Number(found));
  });
  server.on('exit', () => reject(new Error(`the server did not start: ${text}`)));
});

const residentMegabytes = (): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** Faults, one after the other; between them everything is in order. */
const FAULTS: readonly { readonly name: string; readonly on: () => void; readonly off: () => void }[] = [
  { name: 'KMS throttles', on: () => (kms.trouble = () => 'throttle'), off: () => (kms.trouble = () => 'ok') },
  { name: 'KMS hangs', on: () => (kms.trouble = () => 'hang'), off: () => (kms.trouble = () => 'ok') },
  { name: 'KMS cuts connections', on: () => (kms.trouble = () => 'reset'), off: () => (kms.trouble = () => 'ok') },
  { name: 'KMS talks nonsense', on: () => (kms.trouble = () => 'garbage'), off: () => (kms.trouble = () => 'ok') },
  {
    name: 'issuer down',
    on: () => (issuer.mood = { kind: 'cut-off' }),
    off: () => (issuer.mood = { kind: 'in-order' }),
  },
  {
    name: 'issuer hangs',
    on: () => (issuer.mood = { kind: 'hangs' }),
    off: () => (issuer.mood = { kind: 'in-order' }),
  },
];
const FAULT_MS = Math.min(10_000, milliseconds / 18);
/** After a fault a server may still say 503: it waits before it asks again. */
const RECOVERY_MS = 8_000;

let faultUntil = 0;
let survived = 0;
const tally = new Tally();
const stop = new AbortController();
const client = new SoakClient(port, 12);
const traffic = await makeTraffic({
  client,
  issuer,
  tally,
  mayBeUnavailable: () => performance.now() < faultUntil,
});
print(`soak: ${values.minutes} minutes against 127.0.0.1:${port}`);
const started = performance.now();
const flows = traffic.flows.map((flow) => flow(stop.signal));
let settled = 0;
let peak = 0;
let next = 0;
while (performance.now() - started < milliseconds) {
  await sleep(FAULT_MS);
  const fault = FAULTS[next++ % FAULTS.length];
  if (fault !== undefined && performance.now() - started < milliseconds - FAULT_MS - RECOVERY_MS) {
    faultUntil = Number.POSITIVE_INFINITY;
    fault.on();
    await sleep(FAULT_MS);
    fault.off();
    faultUntil = performance.now() + RECOVERY_MS;
    survived++;
    await sleep(Math.min(RECOVERY_MS, FAULT_MS));
  }
  const resident = residentMegabytes();
  peak = Math.max(peak, resident);
  if (settled === 0 && performance.now() - started > Math.min(60_000, milliseconds / 4)) settled = resident;
}
stop.abort();
await Promise.all(flows);
await sleep(2000);
const end = residentMegabytes();
client.close();
server.kill('SIGTERM');
const exitCode = await new Promise((resolve) => server.on('exit', resolve));
await Promise.all([issuer.close(), kms.close()]);
rmSync(folder, { recursive: true });

const { counts } = tally;
const [p50, p99] = [tally.percentile(0.5), tally.percentile(0.99)];
print(
  `requests   ${tally.total}: ${Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')}`,
);
print(`latency    p50 ${p50} ms, p99 ${p99} ms`);
print(`memory     ${Math.round(settled)} MB settled, ${Math.round(peak)} MB at most, ${Math.round(end)} MB at the end`);
print(`faults     ${survived} survived; ${kms.calls.length} calls to KMS, ${issuer.requests} fetches of issuer keys`);
const problems = [
  ...tally.complaints,
  ...(counts.wrong > 0 ? [`${counts.wrong} wrong answers`] : []),
  ...(counts.lost > 0 ? [`${counts.lost} lost requests`] : []),
  ...(counts.right < 1000 ? ['too few right answers to mean anything'] : []),
  ...(end > settled * MOST_GROWTH ? [`memory grew from ${Math.round(settled)} to ${Math.round(end)} MB`] : []),
  ...(p99 > Math.max(TAIL_FLOOR_MS, p50 * MOST_TAIL) ? [`p99 of ${p99} ms for a median of ${p50} ms`] : []),
  ...(exitCode === 0 ? [] : [`the server ended with exit code ${String(exitCode)}`]),
];
for (const problem of problems) print(`PROBLEM    ${problem}`);
print(`soak: ${problems.length === 0 ? 1 : 0} passed, ${problems.length === 0 ? 0 : 1} failed`);
process.exitCode = problems.length === 0 ? 0 : 1;
