/** What most groups of checks stand on: Temporal, a codec server with a recorder in front, a worker, a few workflows. */
import { Client, type WorkflowHandle } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { type CodecServer, type CodecServerOptions, startCodecServer } from './codec-server.ts';
import { temporal } from './proto.ts';
import { type Recorder, startRecorder } from './recorder.ts';
import { type DevServerOptions, startTemporal, type Temporal } from './temporal.ts';
import { dataConverterWith, startWorker, type WorkerAndClient } from './worker.ts';

/** The namespace of the checks, named as Temporal Cloud names them. */
export const NAMESPACE = 'orders-prod.a1b2c';
export const TASK_QUEUE = 'orders';

/** A codec server of whatever kind. */
export interface Host {
  /** Without a trailing slash. */
  readonly origin: string;
  /** The codec of a worker that has the server's keys. */
  workerCodec(namespace: string): PayloadCodec;
  stop(): Promise<void>;
}

/** A running stage. */
export interface Stage<H extends Host = CodecServer> {
  readonly temporal: Temporal;
  readonly codecServer: H;
  /** In front of the codec server; give its origin to clients. */
  readonly recorder: Recorder;
  readonly client: Client;
  /** A client that encrypts with another codec. */
  clientWith(codec: PayloadCodec): Client;
  stop(): Promise<void>;
}

/** Sets everything up around the local server; with a port, the development server's own Web UI as well. */
export async function setStage(
  options: CodecServerOptions = {},
  uiPort?: number,
  settings?: DevServerOptions['settings'],
): Promise<Stage> {
  return await setStageWith(startCodecServer(options), uiPort, settings);
}

/** Sets everything up around any codec server. The recorder speaks plain HTTP. */
export async function setStageWith<H extends Host>(
  starting: Promise<H>,
  uiPort?: number,
  settings: DevServerOptions['settings'] = [],
): Promise<Stage<H>> {
  const codecServer = await starting;
  const recorder = await startRecorder({ target: codecServer.origin });
  const ui = uiPort === undefined ? undefined : { port: uiPort, codecEndpoint: recorder.origin };
  const temporal = await startTemporal([NAMESPACE], { settings, ...(ui && { ui }) });
  const worker: WorkerAndClient = await startWorker({
    address: temporal.address,
    namespace: NAMESPACE,
    taskQueue: TASK_QUEUE,
    codec: codecServer.workerCodec(NAMESPACE),
  });
  return {
    temporal,
    codecServer,
    recorder,
    client: worker.client,
    clientWith: (codec) =>
      new Client({
        connection: worker.client.connection,
        namespace: NAMESPACE,
        dataConverter: dataConverterWith(codec),
      }),
    async stop() {
      await worker.stop();
      await recorder.stop();
      await codecServer.stop();
      await temporal.stop();
    },
  };
}

/** The text of everything Temporal has stored of a workflow's history, for looking whether something readable is in it. */
export async function storedText(handle: WorkflowHandle): Promise<string> {
  const history = await handle.fetchHistory();
  return Buffer.from(temporal.api.history.v1.History.encode(history).finish()).toString('latin1');
}
