/** Rounds: every contestant in turn, again and again, so that what disturbs the machine disturbs all. */
import { fork } from 'node:child_process';
import type { Contestant, Entered } from './contestants.ts';
import type { InProcessJob, InProcessResult } from './floors/in-process.ts';
import { NAMESPACE } from './formats.ts';
import type { Exchange, LoadResult } from './load/job.ts';
import type { LoadGenerator } from './load/load.ts';
import { cpuMsOf, memoryOf, type ServerProcess, startServer } from './process.ts';
import type { Round } from './result.ts';
import type { Effort, Workload } from './workloads.ts';

/** A contestant that is up, or why it is not. */
export type Entry =
  | { readonly contestant: Contestant; readonly entered: Entered; readonly server: ServerProcess | undefined }
  | { readonly contestant: Contestant; readonly absent: string };

export type Running = Extract<Entry, { entered: unknown }>;

/** Installs and starts a contestant; one that cannot be is an entry that says why. */
export async function enter(contestant: Contestant): Promise<Entry> {
  try {
    const entered = await contestant.enter();
    const { command } = entered;
    return { contestant, entered, server: command === undefined ? undefined : await startServer(command) };
  } catch (error) {
    return { contestant, absent: (error as Error).message };
  }
}

export async function leave({ entered, server }: Running): Promise<void> {
  await server?.stop();
  await entered.close?.();
}

/** Header lines of the clients that the workloads stand for. */
const GO_CLIENT = ['User-Agent: Go-http-client/1.1', `X-Namespace: ${NAMESPACE}`];
const BROWSER = [
  'Connection: keep-alive',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Accept: */*',
  'Accept-Language: en-US,en;q=0.9',
  'Origin: http://localhost:8233',
  'Referer: http://localhost:8233/',
  'Sec-Fetch-Dest: empty',
  'Sec-Fetch-Mode: cors',
  'Sec-Fetch-Site: same-site',
  `X-Namespace: ${NAMESPACE}`,
];

/** One contestant, one workload, one round. @throws Error when an answer was wrong */
export async function measureRound(
  { entered, server }: Running,
  workload: Workload,
  exchanges: readonly Exchange[],
  effort: Effort,
  load: LoadGenerator,
): Promise<Round | undefined> {
  const pace = workload.pace(effort);
  if (server === undefined)
    return pace.kind === 'saturate' ? inProcess({ exchanges, ms: pace.ms, keyring: entered.keyring }) : undefined;
  const client = workload.name === 'page' ? BROWSER : GO_CLIENT;
  const before = cpuMsOf(server.pid);
  const result: LoadResult = await load.run({
    port: server.port,
    path: workload.name === 'page' ? '/decode?preserveStorageRefs=true' : '/decode',
    headers: (entered.headers ?? [[]]).map((lines) => [...client, ...lines]),
    exchanges,
    pace,
  });
  const cpuMs = cpuMsOf(server.pid) - before;
  const { rss, peak } = memoryOf(server.pid);
  return { ...result, cpuMs, cpuMsPerRequest: cpuMs / result.requests, rssMiB: rss, peakRssMiB: peak };
}

/** A fresh process, since a loop that ran another workload before is another loop to the compiler. */
function inProcess(job: InProcessJob): Promise<Round> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./floors/in-process.ts', import.meta.url), { serialization: 'advanced' });
    child.once('error', reject);
    child.once('message', ({ requests, cpuMs }: InProcessResult) => {
      const { rss, peak } = memoryOf(child.pid ?? 0);
      child.kill();
      resolve({ requests, wallMs: job.ms, cpuMs, cpuMsPerRequest: cpuMs / requests, rssMiB: rss, peakRssMiB: peak });
    });
    child.send(job);
  });
}
