/** Everything that the demo runs: Temporal with its Web UI, the codec server, a worker, and two workflows. */
import { Client } from '@temporalio/client';
import { until } from '../../support/patience.ts';
import { startCodecServer } from '../support/codec-server.ts';
import { projectRoot } from '../support/paths.ts';
import { runOrThrow } from '../support/processes.ts';
import { startTemporal } from '../support/temporal.ts';
import { dataConverterWith, startWorker } from '../support/worker.ts';

/** What to run, and where. */
export interface DemoOptions {
  readonly ports: { readonly temporal: number; readonly ui: number; readonly codec: number };
  /** One that everybody on this machine may read, and one that nobody may. */
  readonly namespaces: readonly [readable: string, denied: string];
  readonly taskQueue: string;
  readonly workflowId: string;
  /** The file for everything that the codec server prints. */
  readonly log: string;
}

/** The running demo. */
export interface DemoStage {
  readonly address: string;
  readonly endpoint: string;
  readonly runId: string;
  readonly denied: { readonly workflowId: string; readonly runId: string };
  /** Runs a command line as somebody would type it. @returns what it printed */
  shell(command: string): Promise<string>;
  /** What the Web UI gets in place of a payload that nobody may read. */
  explanation(): Promise<string>;
  /** The audit line of a request that opened something, and of one that was denied; waits until both are written. */
  auditLines(): Promise<string[]>;
  stop(): Promise<void>;
}

/** Starts everything, and waits until the first workflow has nothing left to do but wait. */
export async function setDemoStage({ ports, namespaces, taskQueue, workflowId, log }: DemoOptions): Promise<DemoStage> {
  const [readable, unreadable] = namespaces;
  const uiOrigin = `http://localhost:${ports.ui}`;
  const codecServer = await startCodecServer({
    port: ports.codec,
    origins: [uiOrigin],
    config: {
      access: [
        {
          name: `this machine reads ${readable}`,
          namespaces: [readable],
          people: ['anyone-on-loopback'],
          allow: ['decode', 'encode'],
        },
      ],
    },
    log,
  });
  const endpoint = `http://localhost:${ports.codec}`;
  const temporal = await startTemporal(namespaces, {
    port: ports.temporal,
    ui: { port: ports.ui, codecEndpoint: endpoint },
  });
  const codec = codecServer.workerCodec(readable);
  const worker = await startWorker({ address: temporal.address, namespace: readable, taskQueue, codec });
  const { connection } = worker.client;

  const order = await worker.client.workflow.start('order', {
    taskQueue,
    workflowId,
    args: [{ customer: 'Ada Lovelace', card: '4000-1234', waitForShipping: true }],
    memo: { note: 'a note for the packers' },
    staticSummary: 'One encrypted order',
  });
  const clerk = new Client({
    connection,
    namespace: unreadable,
    dataConverter: dataConverterWith(codecServer.workerCodec(unreadable)),
  });
  const salary = await clerk.workflow.start('salary', {
    taskQueue: unreadable,
    workflowId: 'salary-ada',
    args: [{ person: 'Ada Lovelace', salary: 90_000 }],
  });
  // The worker runs it up to the wait for a signal: by then the activity has come back.
  const waits = async () =>
    (await order.fetchHistory()).events?.some((event) => event.activityTaskCompletedEventAttributes);
  await until(waits, 'the workflow has not come to its wait');

  return {
    address: temporal.address,
    endpoint,
    runId: order.firstExecutionRunId,
    denied: { workflowId: salary.workflowId, runId: salary.firstExecutionRunId },
    shell: (command) => runOrThrow('bash', ['-c', command], { cwd: process.env['INIT_CWD'] ?? projectRoot }),
    async explanation() {
      const { events } = await new Client({ connection, namespace: unreadable }).workflow
        .getHandle(salary.workflowId)
        .fetchHistory();
      const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
      const base64 = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');
      const metadata = Object.entries(payload?.metadata ?? {}).map(([name, value]) => [name, base64(value)]);
      const answer = await fetch(`${endpoint}/decode`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: uiOrigin, 'x-namespace': unreadable },
        body: JSON.stringify({ payloads: [{ metadata: Object.fromEntries(metadata), data: base64(payload?.data) }] }),
      });
      const { payloads } = (await answer.json()) as { payloads: [{ data: string }] };
      return Buffer.from(payloads[0].data, 'base64').toString();
    },
    auditLines: () =>
      Promise.all([/"decoded":/, /"denied":\["/].map((text) => codecServer.prints(auditLineWith(text)))),
    async stop() {
      await worker.stop();
      await codecServer.stop();
      await temporal.stop();
    },
  };
}

/** A whole audit line in which a text stands. */
function auditLineWith(text: RegExp): RegExp {
  return new RegExp(`^\\{"type":"audit".*${text.source}.*\\}$(?=\\n)`, 'm');
}
