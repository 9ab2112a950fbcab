/**
 * A worker for each way in which a key service fails, on the SDK that is installed beside this file,
 * against the Temporal server at the address that is its argument. Prints one line of JSON a case.
 */
import { Context } from '@temporalio/activity';
import { Client, Connection, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import proto from '@temporalio/proto';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { failureConverterPath } from '../../../codec/failure-converter-path.ts';
import { createDataConverter } from '../../../codec/index.ts';
import { KmsStandIn, type KmsTrouble } from '../../support/kms-stand-in.ts';
import { PATIENCE_MS } from '../../support/patience.ts';

const { temporal } = proto;
const [address = '', namespace = ''] = process.argv.slice(2);

/** For how long keys are kept, and for how long the key service fails: longer than every cache. */
const CACHE = { ttlSeconds: 1, writeSeconds: 1, outageSeconds: 0, faultMs: 100, refusalMs: 200 };
const OUTAGE_MS = 5000;
/** For setting up before the outage begins. */
const LEAD_MS = 8000;

const troubles: Readonly<Record<string, KmsTrouble | 'disabled' | 'denied'>> = {
  'HTTP 500': { exception: 'KMSInternalException', status: 500 },
  denied: 'denied',
  disabled: 'disabled',
  throttled: 'throttle',
  reset: 'reset',
  hang: 'hang',
};

const stages = [
  'workflowDecode',
  'workflowEncode',
  'workflowFailure',
  'activityDecode',
  'activityEncode',
  'activityFailure',
  'heartbeat',
] as const;

/** Everything that is secret holds this text, and nothing that Temporal stores may. */
const SECRET = 'card-4242-secret';

const kms = await KmsStandIn.start();
process.env['AWS_ENDPOINT_URL_KMS'] = kms.endpoint;
process.env['AWS_ACCESS_KEY_ID'] = 'test';
process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
Runtime.install({ logger: new DefaultLogger('ERROR', () => {}), shutdownSignals: [] });

const { code } = await bundleWorkflowCode({
  workflowsPath: new URL('workflows.ts', import.meta.url).pathname,
  failureConverterPath: failureConverterPath(),
  logger: new DefaultLogger('ERROR', () => {}),
});
const connection = await NativeConnection.connect({ address });
const clientConnection = await Connection.connect({ address });
const failing = new Map<string, KmsTrouble>();
kms.trouble = ({ keyId = '' }) => failing.get(keyId) ?? 'ok';
const begin = Date.now() + LEAD_MS;
const untilOutage = () => new Promise((resolve) => setTimeout(resolve, Math.max(0, begin + 1500 - Date.now())));

const activities = {
  echo: async (secret: string) => secret,
  async encodeLate(secret: string) {
    await untilOutage();
    return secret;
  },
  async decodeLate(secret: string) {
    // The second attempt decodes its input while the outage lasts.
    if (Context.current().info.attempt > 1 && Date.now() > begin + OUTAGE_MS) return secret;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, begin - 500 - Date.now())));
    throw ApplicationFailure.retryable('later', 'Later');
  },
  async failLate(secret: string) {
    if (Date.now() > begin + OUTAGE_MS) return secret;
    await untilOutage();
    throw ApplicationFailure.retryable(`failed with ${secret}`, 'Late', secret);
  },
  async heartbeatLate(secret: string) {
    if (Date.now() > begin + OUTAGE_MS) return secret;
    await untilOutage();
    for (let i = 0; i < 5; i++) {
      Context.current().heartbeat(secret);
      await Context.current().sleep(400);
    }
    throw ApplicationFailure.retryable(`failed with ${secret}`, 'Late', secret);
  },
};

async function run(name: string, trouble: (typeof troubles)[string]): Promise<void> {
  const arn = kms.createKey();
  const options = { namespace, keys: { kms: arn } };
  const taskQueue = `outage-${name}`;
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
    workflowBundle: { code },
    dataConverter: createDataConverter({ ...options, timeoutMs: 2000, cache: CACHE, onRefusal: () => {} }),
    shutdownGraceTime: '1 second',
    maxCachedWorkflows: 50,
  });
  let ended: unknown;
  const polling = worker.run().catch((error: unknown) => {
    ended = error ?? 'without a reason';
  });
  // The client keeps its keys: what fails is the worker.
  const dataConverter = createDataConverter(options);
  const client = new Client({ connection: clientConnection, namespace, dataConverter });
  const start = (stage: string) =>
    client.workflow.start(stage, {
      taskQueue,
      workflowId: `${name}-${stage}`,
      args: [`${SECRET} of ${stage}`, begin + 1000],
      workflowTaskTimeout: '3 seconds',
    });
  const handles = new Map<string, WorkflowHandle>();
  for (const stage of stages.slice(1)) handles.set(stage, await start(stage));
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, begin - Date.now())));
  if (trouble === 'disabled') kms.setState(arn, 'disabled');
  else if (trouble === 'denied') kms.setState(arn, 'access-denied');
  else failing.set(arn, trouble);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  handles.set('workflowDecode', await start('workflowDecode'));
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, begin + OUTAGE_MS - Date.now())));
  failing.delete(arn);
  kms.setState(arn, 'enabled');

  for (const stage of stages) {
    const handle = handles.get(stage);
    const outcome = await outcomeOf(handle as WorkflowHandle);
    const history = await storedText(handle as WorkflowHandle);
    const expected = stage === 'workflowFailure' ? `failed with ${SECRET} of ${stage}` : `${SECRET} of ${stage}`;
    print({
      case: `${name} × ${stage}`,
      completed: outcome === expected,
      outcome,
      lives: ended === undefined && worker.getState() === 'RUNNING',
      readable: history.includes(SECRET),
    });
  }
  // A control: the search finds the secret where it is stored in plain text.
  if (name === 'HTTP 500') {
    const plain = new Client({ connection: clientConnection, namespace });
    const handle = await plain.workflow.start('workflowDecode', {
      taskQueue: 'nobody',
      workflowId: 'control',
      args: [SECRET],
    });
    print({ case: 'control', readable: (await storedText(handle)).includes(SECRET) });
    await handle.terminate();
  }
  if (worker.getState() === 'RUNNING') worker.shutdown();
  await polling;
}

async function outcomeOf(handle: WorkflowHandle): Promise<string> {
  const late = new Promise<string>((resolve) => setTimeout(() => resolve('never came back'), PATIENCE_MS).unref());
  const result = handle.result().then(String, (error: unknown) => {
    const cause = error instanceof WorkflowFailedError ? error.cause : error;
    return cause instanceof Error ? cause.message : String(cause);
  });
  return Promise.race([result, late]);
}

/** Everything that Temporal stores of a workflow, as text in which every payload's bytes can be found. */
async function storedText(handle: WorkflowHandle): Promise<string> {
  const history = await handle.fetchHistory();
  return Buffer.from(temporal.api.history.v1.History.encode(history).finish()).toString('latin1');
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

await Promise.all(Object.entries(troubles).map(([name, trouble]) => run(name, trouble)));
await clientConnection.close();
await connection.close();
await kms.close();
