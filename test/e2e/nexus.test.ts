/** Nexus between two namespaces, each with a plugin and keys of its own, through every kind of operation. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client, Connection, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { startWorkflow, WorkflowRunOperationHandler } from '@temporalio/nexus';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import * as nexus from 'nexus-rpc';
import { type EncryptionPluginOptions, encryptionPlugin } from '../../codec/index.ts';
import { formatKeyring, newKeyring } from '../../codec/keys/keyring/keyring.ts';
import { KmsStandIn } from '../support/kms-stand-in.ts';
import { until } from '../support/patience.ts';
import { billing } from './nexus/service.ts';
import { artifactRoot, suiteRoot } from './support/paths.ts';
import { temporal as proto } from './support/proto.ts';
import { isReadable, SECRET } from './support/secret.ts';
import { startTemporal, type Temporal } from './support/temporal.ts';
import { quiet } from './support/worker.ts';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type Options = Omit<EncryptionPluginOptions, 'plaintext'>;

const handler = nexus.serviceHandler(billing, {
  synchronous: async (_context, secret) => `at once with ${secret}`,
  workflowRun: new WorkflowRunOperationHandler((context, secret) =>
    startWorkflow(context, 'answer', { args: [secret], workflowId: `answer-${context.requestId}` }),
  ),
  failing: async (_context, secret) => {
    throw new nexus.OperationError('failed', `refused ${secret}`);
  },
  waiting: new WorkflowRunOperationHandler((context, secret) =>
    startWorkflow(context, 'wait', { args: [secret], workflowId: `wait-${context.requestId}` }),
  ),
});

/** What the caller gets of each operation. */
const OUTCOMES = {
  synchronous: `at once with ${SECRET}`,
  workflowRun: `run with ${SECRET}`,
  failing: `refused ${SECRET}`,
  waiting: `canceled, knowing ${SECRET}`,
};

/** The innermost message of a failed workflow, or its result. */
async function outcomeOf(result: Promise<string>): Promise<string> {
  try {
    return await result;
  } catch (error) {
    let cause = error instanceof WorkflowFailedError ? error.cause : (error as Error);
    while (cause?.cause instanceof Error) cause = cause.cause;
    return cause?.message ?? String(error);
  }
}

/** Two namespaces with a worker each, and a client of the caller's. */
class Pair {
  readonly client: Client;
  readonly handlersClient: Client;
  readonly #workers: readonly Worker[];
  readonly #runs: readonly Promise<void>[];
  readonly endpoint: string;

  private constructor(endpoint: string, clients: readonly [Client, Client], workers: readonly Worker[]) {
    this.endpoint = endpoint;
    [this.client, this.handlersClient] = clients;
    this.#workers = workers;
    this.#runs = workers.map((worker) => worker.run());
  }

  static async start(name: string, sides: { readonly orders: Options; readonly billing: Options }): Promise<Pair> {
    const namespaces = [`orders-${name}`, `billing-${name}`] as const;
    const [orders, bills] = [sides.orders, sides.billing].map((it) => encryptionPlugin({ plaintext: 'refuse', ...it }));
    if (orders === undefined || bills === undefined) throw new Error('two sides make two plugins');
    const endpoint = `endpoint-${name}`;
    const target = { worker: { namespace: namespaces[1], taskQueue: 'q' } };
    await connection.operatorService.createNexusEndpoint({ spec: { name: endpoint, target } });
    const shared = { connection: native, taskQueue: 'q', workflowBundle, shutdownGraceTime: '1 second' } as const;
    const workers = [
      await Worker.create({ ...shared, namespace: namespaces[0], plugins: [orders] }),
      await Worker.create({ ...shared, namespace: namespaces[1], plugins: [bills], nexusServices: [handler] }),
    ];
    const clients = [
      new Client({ connection, namespace: namespaces[0], plugins: [orders] }),
      new Client({ connection, namespace: namespaces[1], plugins: [bills] }),
    ] as const;
    return new Pair(endpoint, clients, workers);
  }

  execute(operation: keyof typeof OUTCOMES): Promise<string> {
    const options = { taskQueue: 'q', workflowId: operation, args: [this.endpoint, operation, SECRET] };
    return outcomeOf(this.client.workflow.execute('caller', options));
  }

  async stop(): Promise<void> {
    for (const worker of this.#workers) worker.shutdown();
    await Promise.all(this.#runs);
  }
}

/** The histories of every workflow of a client's namespace, which are listed a moment after they were started. */
async function historiesOf(client: Client, count: number): Promise<Map<string, History>> {
  const histories = new Map<string, History>();
  const haveAll = async () => {
    for await (const { workflowId, runId } of client.workflow.list())
      histories.set(workflowId, await client.workflow.getHandle(workflowId, runId).fetchHistory());
    return histories.size >= count;
  };
  await until(haveAll, () => `${histories.size} of ${count} workflows are listed`);
  return histories;
}

let temporal: Temporal;
let connection: Connection;
let native: NativeConnection;
let workflowBundle: { code: string };
let kms: KmsStandIn;

describe('Nexus between two namespaces that encrypt', () => {
  before(async () => {
    quiet();
    kms = await KmsStandIn.start();
    const env = { AWS_ENDPOINT_URL_KMS: kms.endpoint, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    Object.assign(process.env, env);
    const names = ['keyring', 'kms', 'strangers'].flatMap((name) => [`orders-${name}`, `billing-${name}`]);
    temporal = await startTemporal(names);
    connection = await Connection.connect({ address: temporal.address });
    native = await NativeConnection.connect({ address: temporal.address });
    workflowBundle = await bundleWorkflowCode({
      workflowsPath: join(suiteRoot, 'nexus/workflows.ts'),
      plugins: [encryptionPlugin({ keys: { keyring: 'none is read to make a bundle' } })],
      logger: new DefaultLogger('ERROR'),
    });
  });
  after(async () => {
    await connection?.close();
    await native?.close();
    await temporal?.stop();
    await kms?.close();
  });

  const keyring = (): string => {
    mkdirSync(artifactRoot, { recursive: true });
    const file = join(mkdtempSync(join(artifactRoot, 'nexus-')), 'keyring.json');
    writeFileSync(file, formatKeyring(newKeyring()), { mode: 0o600 });
    return file;
  };
  const withKeyring = (): { orders: Options; billing: Options } => {
    const keys = { keyring: keyring() };
    return {
      orders: { keys, alsoDecode: ['billing-keyring'] },
      billing: { keys, alsoDecode: ['orders-keyring'] },
    };
  };
  const withKms = (): { orders: Options; billing: Options } => {
    const [orders, bills] = [kms.createKey(), kms.createKey()];
    return {
      orders: { keys: { kms: orders }, alsoDecode: [{ namespace: 'billing-kms', kms: bills }] },
      billing: { keys: { kms: bills }, alsoDecode: [{ namespace: 'orders-kms', kms: orders }] },
    };
  };

  for (const [name, title, sides] of [
    ['keyring', 'with one keyring', withKeyring],
    ['kms', 'over KMS, with one key each', withKms],
  ] as const) {
    describe(title, () => {
      let pair: Pair;
      let options: { orders: Options; billing: Options };
      before(async () => {
        options = sides();
        pair = await Pair.start(name, options);
      });
      after(async () => await pair?.stop());

      it('synchronous, workflow-run, failed and canceled operations read each other', async () => {
        const names = Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[];
        const entries = await Promise.all(names.map(async (it) => [it, await pair.execute(it)] as const));
        assert.deepEqual(Object.fromEntries(entries), OUTCOMES);
      });

      it('nothing readable is stored on either side, and the caller replays', async () => {
        const [calling, handling] = await Promise.all([
          historiesOf(pair.client, 4),
          historiesOf(pair.handlersClient, 2),
        ]);
        assert.deepEqual([calling.size, handling.size], [4, 2]);
        for (const [workflowId, history] of [...calling, ...handling])
          assert.ok(!isReadable(proto.api.history.v1.History.encode(history).finish()), workflowId);
        const plugins = [encryptionPlugin(options.orders)];
        for (const [workflowId, history] of calling)
          await Worker.runReplayHistory({ workflowBundle, plugins }, history, workflowId);
      });
    });
  }

  it('asks KMS for one data key a side, and for each key once a process that reads it', () => {
    // Two plugins of the flows, and one of the replays: the writers have their own keys, and fetch the other's.
    assert.deepEqual([kms.count('GenerateDataKey'), kms.count('Decrypt')], [2, 4]);
  });

  it('a side that does not name the other says so to whoever runs it, with the name to add', async () => {
    const refusals: string[] = [];
    const keys = { keyring: keyring() };
    const pair = await Pair.start('strangers', {
      orders: { keys, alsoDecode: ['billing-strangers'] },
      billing: { keys, onRefusal: (message) => refusals.push(message) },
    });
    try {
      const options = { taskQueue: 'q', workflowId: 'synchronous', args: [pair.endpoint, 'synchronous', SECRET] };
      const handle = await pair.client.workflow.start('caller', options);
      await until(() => refusals.length > 0, 'nobody is told');
      assert.match(refusals[0] ?? '', /namespace orders-strangers was met in billing-strangers.*alsoDecode/);
      await handle.terminate();
    } finally {
      await pair.stop();
    }
  });
});
