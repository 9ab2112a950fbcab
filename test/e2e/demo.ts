/**
 * `npm run demo`: a Temporal server with its Web UI, the codec server, a worker and one encrypted workflow, until
 * Ctrl-C. Everything is in memory but the keyring, which is a fresh one.
 */
import { runnerOptions } from '../../scripts/runner-options.ts';
import { MissingTool, suitePackages, temporalCli } from './support/tools.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const USAGE = `
Usage: npm run demo [-- options]

  --temporal-port PORT   the Temporal server's (default: 7233)
  --ui-port PORT         the Web UI's (default: 8233)
  --codec-port PORT      the codec server's (default: 8888)
  --help
`;
const { values } = runnerOptions(USAGE, {
  options: {
    'temporal-port': { type: 'string', default: '7233' },
    'ui-port': { type: 'string', default: '8233' },
    'codec-port': { type: 'string', default: '8888' },
  },
});

const NAMESPACE = 'default';
const TASK_QUEUE = 'demo';

async function main(): Promise<void> {
  print('The first time this downloads the Temporal CLI and the TypeScript SDK, which takes half a minute.');
  await Promise.all([suitePackages(), temporalCli()]);

  // These need the packages that were installed a moment ago.
  const { startTemporal } = await import('./support/temporal.ts');
  const { startCodecServer } = await import('./support/codec-server.ts');
  const { startWorker } = await import('./support/worker.ts');

  const uiPort = Number(values['ui-port']);
  const codecServer = await startCodecServer({
    port: Number(values['codec-port']),
    origins: [`http://localhost:${uiPort}`, `http://127.0.0.1:${uiPort}`],
  });
  const temporal = await startTemporal([NAMESPACE], {
    port: Number(values['temporal-port']),
    ui: { port: uiPort, codecEndpoint: codecServer.origin },
  });
  const codec = codecServer.workerCodec(NAMESPACE);
  const worker = await startWorker({ address: temporal.address, namespace: NAMESPACE, taskQueue: TASK_QUEUE, codec });

  const stop = async (): Promise<void> => {
    print('Stopping.');
    await worker.stop();
    await codecServer.stop();
    await temporal.stop();
  };
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });

  const workflowId = 'encrypted-order';
  const handle = await worker.client.workflow.start('order', {
    taskQueue: TASK_QUEUE,
    workflowId,
    args: [{ customer: 'Ada Lovelace', card: '4000-1234', waitForShipping: true }],
    memo: { note: 'a memo that Temporal cannot read either' },
    staticSummary: 'One encrypted order',
  });
  print(`
Web UI        http://localhost:${uiPort}/namespaces/${NAMESPACE}/workflows/${workflowId}/${handle.firstExecutionRunId}/history
Codec server  ${codecServer.origin}

The workflow waits for a signal: More Actions, Send a Signal, "ship" with {"address": "12 Secret Street"}.
What Temporal has stored: the glasses at the top of the Web UI, "Use my browser setting", an empty endpoint.
With the CLI:  temporal workflow show -w ${workflowId} --address ${temporal.address} --codec-endpoint ${codecServer.origin}

Ctrl-C ends it.`);
  await asked;
  await stop();
}

try {
  await main();
} catch (error) {
  print(error instanceof MissingTool ? error.message : `The demo cannot run: ${(error as Error).message}`);
  // What already runs ends with this process.
  process.exit(1);
}
