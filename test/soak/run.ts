/**
 * `npm run soak [-- --minutes 3 --server synthesized --result FILE]`: traffic recorded from real clients,
 * and worse, against the server as `npm start` runs it or against the synthesized stack, while KMS and the
 * token issuer go away and come back; then more than it can take. Fails on a wrong answer, a lost
 * request, an unexplained 503, growing memory, a tail out of proportion, or a growing queue.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runnerOptions } from '../../scripts/runner-options.ts';
import { HttpsIssuer } from '../support/https-issuer.ts';
import { testCertificate } from '../support/https-stand-in.ts';
import { KmsStandIn } from '../support/kms-stand-in.ts';
import { SoakClient } from './client.ts';
import { faultsOf } from './faults.ts';
import { Judge } from './judge.ts';
import { startLocalServer } from './local-server.ts';
import { overload } from './overload.ts';
import { linesOf, mostMegabytes, problemsOf, type SoakFigures } from './report.ts';
import { Samples } from './samples.ts';
import type { Dependencies, ServerUnderSoak } from './server.ts';
import { Standstills } from './standstill.ts';
import { startRestServer, startSynthesizedServer } from './synthesized-server.ts';
import { Tally } from './tally.ts';
import { makeTraffic } from './traffic.ts';

const SERVERS: Readonly<Record<string, (dependencies: Dependencies) => Promise<ServerUnderSoak>>> = {
  local: startLocalServer,
  synthesized: startSynthesizedServer,
  'synthesized-rest': startRestServer,
};
/** After a fault a server may still say 503: it waits before it asks again. */
const RECOVERY_MS = 8_000;
/** How often there is a look, every two seconds, at the memory at the end, until it is not too much. */
const MEMORY_LOOKS = 15;
/** After a fault an answer may still have waited for what was out. */
const AFTERMATH_MS = 2_000;

const USAGE = `
Usage: npm run soak [-- options]

  --minutes NUMBER   how long (default: 3)
  --server NAME      ${Object.keys(SERVERS).join(', ')} (default: local)
  --result FILE      write the figures there as JSON
  --help
`;
const { values } = runnerOptions(USAGE, {
  options: {
    minutes: { type: 'string', default: '3' },
    server: { type: 'string', default: 'local' },
    result: { type: 'string' },
  },
});
const print = (line: string) => process.stdout.write(`${line}\n`);
const start = SERVERS[values.server];
const minutes = Number(values.minutes);
if (start === undefined || !(minutes > 0)) {
  print(`--server is one of ${Object.keys(SERVERS).join(', ')}, --minutes a number above 0`);
  process.exit(2);
}
const milliseconds = minutes * 60_000;
const faultMs = Math.min(10_000, milliseconds / 18);

const folder = mkdtempSync(join(tmpdir(), 'codec-server-soak-'));
const issuer = await HttpsIssuer.start();
const kms = await KmsStandIn.start();
kms.latencyMs = 5;
const trusted = join(folder, 'ca.pem');
writeFileSync(trusted, testCertificate().cert);
const dependencies: Dependencies = { issuer, kms, keys: [kms.createKey(), kms.createKey()], trusted };
const server = await start(dependencies);
const client = new SoakClient(server, server.connections);

let kmsCalls = 0;
function tidy(): void {
  server.tidy();
  kmsCalls += kms.calls.splice(0).length;
  kms.plaintexts.length = 0;
}

const tally = new Tally();
const weather = { mayBeUnavailable: false, quiet: true };
const standstills = new Standstills();
const judge = new Judge(client, tally, weather, standstills);
const traffic = await makeTraffic({ client, issuer, judge, bodyBytes: server.bodyBytes });
print(`soak: ${minutes} minutes against ${server.name}`);
const stop = new AbortController();
const started = performance.now();
const elapsed = () => performance.now() - started;
const flows = traffic.map((flow) => flow(stop.signal));
const memory = { settled: 0, most: 0, end: 0, series: [] as number[] };
const faults: string[] = [];
const allFaults = faultsOf(dependencies);
while (elapsed() < milliseconds) {
  await sleep(faultMs);
  const fault = allFaults[faults.length % allFaults.length];
  if (fault !== undefined && elapsed() < milliseconds - faultMs - RECOVERY_MS) {
    Object.assign(weather, { mayBeUnavailable: true, quiet: false });
    fault.on();
    await sleep(faultMs);
    fault.off();
    faults.push(fault.name);
    await sleep(AFTERMATH_MS);
    weather.quiet = true;
    await sleep(RECOVERY_MS - AFTERMATH_MS);
    weather.mayBeUnavailable = false;
  }
  const resident = Math.round(server.residentMegabytes());
  memory.most = Math.max(memory.most, resident);
  memory.series.push(resident);
  if (memory.settled === 0 || elapsed() < milliseconds / 2) memory.settled = Math.max(memory.settled, resident);
  tidy();
}
stop.abort();
await Promise.all(flows);
standstills.stop();
// What is garbage is collected in its own time; what is not stays however long one waits.
memory.end = Number.POSITIVE_INFINITY;
for (let look = 0; look < MEMORY_LOOKS && memory.end > mostMegabytes(memory.settled); look++) {
  await sleep(2000);
  memory.end = Math.min(memory.end, Math.round(server.residentMegabytes()));
}

const head = (sub: string) => ({
  'content-type': 'application/json',
  'x-namespace': 'orders.a1b2c',
  authorization: `Bearer ${issuer.token({ sub })}`,
});
const sample = await new Samples(client, head('writer')).make(server.tooMuch.bytes);
const crowd = await overload(server, head('reader'), sample);
tidy();
client.close();
const inside = await server.stop();
const figures: SoakFigures = {
  server: server.name,
  minutes,
  requests: tally.total,
  answers: tally.counts,
  latencyMs: tally.latencies(),
  memoryMb: memory,
  faults,
  kmsCalls,
  issuerFetches: issuer.requests,
  overload: crowd,
};
await Promise.all([issuer.close(), kms.close()]);
rmSync(folder, { recursive: true });

for (const line of linesOf(figures)) print(line);
if (values.result !== undefined) writeFileSync(values.result, `${JSON.stringify(figures, null, 2)}\n`);
const problems = [...tally.complaints, ...problemsOf(figures), ...inside];
for (const problem of problems) print(`PROBLEM    ${problem}`);
print(`soak: ${problems.length === 0 ? 1 : 0} passed, ${problems.length === 0 ? 0 : 1} failed`);
process.exitCode = problems.length === 0 ? 0 : 1;
