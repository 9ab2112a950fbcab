/** A TypeScript worker and client of Temporal with the project's own payload codec, as a user would set them up. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { DataConverter, ExternalStorage, PayloadCodec } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import * as activities from '../worker/activities.ts';
import { artifactRoot, suiteRoot } from './paths.ts';

/** Where to connect, and how to encrypt. */
export interface WorkerOptions {
  /** `host:port` of the Temporal server. */
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly codec: PayloadCodec;
  /** Where large payloads go, if anywhere. */
  readonly externalStorage?: ExternalStorage;
}

/** A worker that polls, and a client with the same codec. */
export interface WorkerAndClient {
  readonly client: Client;
  stop(): Promise<void>;
}

/** The converter of workers and clients: payloads and failures leave encrypted. */
export function dataConverterWith(codec: PayloadCodec): DataConverter {
  // Without encodeCommonAttributes a failure's message and stack trace stay plain text in the history.
  return { payloadCodecs: [codec], failureConverterPath: join(suiteRoot, 'worker/failure-converter.ts') };
}

/** Starts a worker of the suite's workflows. */
export async function startWorker(options: WorkerOptions): Promise<WorkerAndClient> {
  const { address, namespace, taskQueue, codec, externalStorage } = options;
  quiet();
  const dataConverter = { ...dataConverterWith(codec), ...(externalStorage && { externalStorage }) };
  const workerConnection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection: workerConnection,
    namespace,
    taskQueue,
    dataConverter,
    activities,
    workflowBundle: await workflowBundle(),
    shutdownGraceTime: '1 second',
  });
  const polling = worker.run();
  const connection = await Connection.connect({ address });
  return {
    client: new Client({ connection, namespace, dataConverter }),
    async stop() {
      worker.shutdown();
      await polling;
      await connection.close();
      await workerConnection.close();
    },
  };
}

let isQuiet = false;
/** Has the SDK log errors alone, and leave signals to whoever started this process. */
export function quiet(): void {
  if (isQuiet) return;
  isQuiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: 'OFF' } },
    shutdownSignals: [],
  });
}

/** The workflows as the worker's sandbox loads them; built once a run, since webpack takes seconds. */
async function workflowBundle(): Promise<{ code: string }> {
  const file = join(artifactRoot, 'workflows.js');
  if (existsSync(file)) return { code: readFileSync(file, 'utf8') };
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(suiteRoot, 'worker/workflows.ts'),
    failureConverterPath: join(suiteRoot, 'worker/failure-converter.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  mkdirSync(artifactRoot, { recursive: true });
  // Whole or not at all: two groups may look for it at the same time.
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, code);
  renameSync(partial, file);
  return { code };
}
