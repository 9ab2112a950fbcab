/**
 * Everything that a payload or a failure can be in, through the plugin, the data converter and a prebuilt bundle: it
 * works as without encryption, and no secret is stored. The same without encryption is the control of the search.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client, type ClientOptions, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import * as nexus from 'nexus-rpc';
import { createDataConverter, type EncryptionPlugin, encryptionPlugin } from '../../codec/index.ts';
import { formatKeyring, newKeyring } from '../../codec/keys/keyring/keyring.ts';
import { until } from '../support/patience.ts';
import * as activities from './features/activities.ts';
import { artifactRoot, suiteRoot } from './support/paths.ts';
import { temporal as proto } from './support/proto.ts';
import { isReadable, SECRET } from './support/secret.ts';
import { startTemporal, type Temporal } from './support/temporal.ts';
import { quiet } from './support/worker.ts';

const workflowsPath = join(suiteRoot, 'features/workflows.ts');
const nothing = nexus.service('nothing', { none: nexus.operation<string, string>() });
const FAILURES = ['workflow', 'activity', 'plainError', 'localActivity', 'child', 'timeout', 'canceled'];

interface Way {
  readonly client: Partial<ClientOptions>;
  readonly worker: Partial<WorkerOptions>;
}

/** What was seen of one way: what the client got, and each history, by the workflow that it is of. */
interface Seen {
  readonly outcomes: Readonly<Record<string, string>>;
  readonly histories: readonly (readonly [workflow: string, bytes: Uint8Array])[];
}

/** The texts of an error and its causes, as a client reads them. */
function textOf(error: unknown): string {
  const texts: string[] = [];
  for (let it: unknown = error; it instanceof Error; it = it.cause) {
    const { details, lastHeartbeatDetails } = it as { details?: unknown; lastHeartbeatDetails?: unknown };
    texts.push(`${it.message} ${JSON.stringify(details ?? lastHeartbeatDetails ?? [])}`);
  }
  return texts.join(' < ');
}

async function outcomeOf(result: Promise<unknown>): Promise<string> {
  return await result.then(String, textOf);
}

/** Runs everything in a namespace of its own. */
async function see(namespace: string, { client: clientOptions, worker: workerOptions }: Way): Promise<Seen> {
  const client = new Client({ connection, namespace, ...clientOptions });
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue: 'q',
    activities,
    shutdownGraceTime: '1 second',
    bundlerOptions: { logger: new DefaultLogger('ERROR') } as object,
    ...workerOptions,
  });
  const running = worker.run();
  const outcomes: Record<string, string> = {};
  const note = async (name: string, result: Promise<unknown>): Promise<void> => {
    outcomes[name] = await outcomeOf(result);
  };
  const working = await client.workflow.start('working', {
    taskQueue: 'q',
    workflowId: 'working',
    args: [SECRET],
    memo: { first: SECRET },
    staticSummary: `summary of ${SECRET}`,
    staticDetails: `details of ${SECRET}`,
  });
  const failing = FAILURES.map((kind) =>
    note(
      `failing ${kind}`,
      client.workflow.execute('failing', { taskQueue: 'q', workflowId: kind, args: [kind, SECRET] }),
    ),
  );
  const mistaken = await client.workflow.start('failingTask', {
    taskQueue: 'q',
    workflowId: 'failingTask',
    args: [SECRET],
  });
  await note('update', working.executeUpdate('changed', { args: [SECRET] }));
  await note('update that fails', working.executeUpdate('changed', { args: [`fail with ${SECRET}`] }));
  await note('update that is rejected', working.executeUpdate('changed', { args: [`invalid ${SECRET}`] }));
  await note('query', working.query('asked', SECRET));
  await note('query that fails', working.query('asked', `refuse ${SECRET}`));
  await working.signal('told', `told ${SECRET}`);
  await note('working', client.workflow.getHandle('working').result());
  await Promise.all(failing);
  const hasFailed = async () =>
    (await mistaken.fetchHistory()).events?.some((event) => event.workflowTaskFailedEventAttributes);
  await until(hasFailed, 'the mistake has not failed its task');
  await mistaken.terminate();

  const histories: (readonly [string, Uint8Array])[] = [];
  // Of `working` two runs, of `failing` as many as there are kinds, three of children, and the mistake.
  const wanted = FAILURES.length + 5;
  const haveAll = async () => {
    histories.length = 0;
    for await (const { type, workflowId, runId } of client.workflow.list()) {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      const name = type === 'failing' ? `failing ${workflowId}` : type;
      histories.push([name, proto.api.history.v1.History.encode(history).finish()]);
    }
    return histories.length >= wanted;
  };
  await until(haveAll, () => `${histories.length} of ${wanted} workflows are listed`);
  worker.shutdown();
  await running;
  return { outcomes, histories };
}

/** Starts what no worker takes. @returns what became of it */
async function startWithSummary(client: Client, kind: 'activity' | 'nexus', id: string, summary: string) {
  const start = (): Promise<unknown> => {
    if (kind === 'activity')
      return client.activity.start('none', { id, taskQueue: 'nobody', startToCloseTimeout: '1 minute', summary });
    const service = client.nexus.createServiceClient({ endpoint: 'nobody', service: nothing });
    return service.startOperation('none', SECRET, { id, scheduleToCloseTimeout: '1 minute', summary });
  };
  const refused = (error: Error & { readonly cause?: { readonly details?: string } }) =>
    error.cause?.details?.replace(/.*exceeds size limit. Length=(\d+) Limit=400/, 'too long: $1') ?? error.message;
  return await start().then(() => 'started', refused);
}

let temporal: Temporal;
let connection: Connection;
let native: NativeConnection;

describe('Everything that a payload or a failure can be in', () => {
  const seen = new Map<string, Seen>();
  let keys: { keyring: string };
  let plugins: EncryptionPlugin[];
  let workflowBundle: { code: string };
  const WAYS = ['the plugin', 'the data converter', 'a prebuilt bundle'];

  before(async () => {
    quiet();
    mkdirSync(artifactRoot, { recursive: true });
    const keyring = join(mkdtempSync(join(artifactRoot, 'features-')), 'keyring.json');
    writeFileSync(keyring, formatKeyring(newKeyring()), { mode: 0o600 });
    temporal = await startTemporal(['plain', 'plugin', 'converter', 'bundle'], {
      settings: ['nexusoperation.enableStandalone=true'],
    });
    connection = await Connection.connect({ address: temporal.address });
    native = await NativeConnection.connect({ address: temporal.address });

    keys = { keyring };
    plugins = [encryptionPlugin({ keys, plaintext: 'refuse' })];
    const dataConverter = createDataConverter({ namespace: 'converter', keys: { keyring }, plaintext: 'refuse' });
    workflowBundle = await bundleWorkflowCode({ workflowsPath, plugins, logger: new DefaultLogger('ERROR') });
    const ways: Readonly<Record<string, readonly [namespace: string, way: Way]>> = {
      nothing: ['plain', { client: {}, worker: { workflowsPath } }],
      'the plugin': ['plugin', { client: { plugins }, worker: { plugins, workflowsPath } }],
      'the data converter': ['converter', { client: { dataConverter }, worker: { dataConverter, workflowsPath } }],
      'a prebuilt bundle': ['bundle', { client: { plugins }, worker: { plugins, workflowBundle } }],
    };
    await Promise.all(
      Object.entries(ways).map(async ([name, [namespace, way]]) => seen.set(name, await see(namespace, way))),
    );
  });
  after(async () => {
    await connection?.close();
    await native?.close();
    await temporal?.stop();
  });

  it('holds the secret in every history where nothing encrypts, and every outcome tells it', () => {
    const { outcomes, histories } = seen.get('nothing') as Seen;
    assert.deepEqual(
      histories.filter(([, bytes]) => !isReadable(bytes)).map(([name]) => name),
      [],
    );
    assert.equal(new Set(histories.map(([name]) => name)).size, FAILURES.length + 4);
    for (const [name, outcome] of Object.entries(outcomes)) assert.ok(outcome.includes(SECRET), `${name}: ${outcome}`);
  });

  it('would be found in base64, too, wherever it begins', () => {
    for (const before of ['', 'a', 'ab'])
      assert.ok(isReadable(Buffer.from(Buffer.from(`${before}${SECRET} and more`).toString('base64'))), before);
    assert.ok(!isReadable(Buffer.from('something else')));
  });

  for (const name of WAYS) {
    it(`works through ${name} as it does without encryption`, () => {
      // The SDK's client gets the failure of a query as it is on the wire, and does not decode it.
      const refusal = { 'query that fails': 'Encoded failure []' };
      assert.deepEqual(seen.get(name)?.outcomes, { ...seen.get('nothing')?.outcomes, ...refusal });
    });

    it(`leaves no secret in a history through ${name}`, () => {
      const { histories } = seen.get(name) as Seen;
      assert.equal(histories.length, seen.get('nothing')?.histories.length);
      assert.deepEqual(
        histories.filter(([, bytes]) => isReadable(bytes)).map(([workflow]) => workflow),
        [],
      );
    });
  }

  it('says why a replay fails, whose failures are stored nowhere', async () => {
    const [, bytes] = seen.get('a prebuilt bundle')?.histories.find(([name]) => name === 'child') ?? [];
    const history = proto.api.history.v1.History.decode(bytes ?? new Uint8Array());
    // As if its code had been changed since.
    const started = history.events[0]?.workflowExecutionStartedEventAttributes;
    assert.ok(started?.workflowType);
    started.workflowType.name = 'failingTask';
    const bundlerOptions = { logger: new DefaultLogger('ERROR') } as object;
    for (const code of [{ workflowBundle }, { workflowsPath, bundlerOptions }])
      await assert.rejects(Worker.runReplayHistory({ ...code, plugins }, history, 'failingTask'), {
        name: 'ReplayError',
        message: new RegExp(`message: "a mistake with ${SECRET}"`),
      });
  });

  it('refuses the summary of a standalone Activity or Nexus operation exactly where the server would', async () => {
    const target = { worker: { namespace: 'plugin', taskQueue: 'nobody' } };
    await connection.operatorService.createNexusEndpoint({ spec: { name: 'nobody', target } });
    const clients = [
      new Client({ connection, namespace: 'plugin', plugins: [...plugins] }),
      new Client({ connection, namespace: 'plugin', plugins: [encryptionPlugin({ keys, summaryBytes: 1000 })] }),
    ];
    for (const kind of ['activity', 'nexus'] as const) {
      const outcomes = new Set<string>();
      // The length of what is encrypted is not ours to know here: both sides are asked around the limit.
      for (let length = 55; length < 75; length++) {
        const [checked, unchecked] = await Promise.all(
          clients.map((client, i) => startWithSummary(client, kind, `${length}-${i}`, 'x'.repeat(length))),
        );
        assert.deepEqual(checked?.replace(/.*takes (\d+) bytes encrypted.*/, 'too long: $1'), unchecked);
        outcomes.add(unchecked ?? '');
      }
      assert.ok(outcomes.has('started') && outcomes.has('too long: 401'), [...outcomes].join());
    }
  });
});
