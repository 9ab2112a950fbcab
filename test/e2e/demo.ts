/**
 * `npm run demo`: a Temporal server with its Web UI, the codec server, a worker and two encrypted workflows, until
 * Ctrl-C. It shows what Temporal stores beside what people read, somebody denied, and the audit lines. Everything is
 * in memory but the keyring, which is a fresh one.
 */
import { once } from 'node:events';
import { rmSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runnerOptions } from '../../scripts/runner-options.ts';
import { cacheRoot } from '../support/caches.ts';
import { type DemoFacts, demoCommands, demoMessage } from './demo/message.ts';
import { sideBySide } from './demo/side-by-side.ts';
import { artifactRoot } from './support/paths.ts';
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
/** A namespace that no access rule is about. */
const DENIED_NAMESPACE = 'payroll';
const TASK_QUEUE = 'demo';
const WORKFLOW_ID = 'order-4711';

async function main(): Promise<void> {
  print('The first time this downloads the Temporal CLI and the TypeScript SDK, which takes a minute.');
  const [cli] = await Promise.all([temporalCli(), suitePackages()]);
  const stopped = Promise.race((['SIGINT', 'SIGTERM'] as const).map((signal) => once(process, signal)));
  // It needs the packages that were installed a moment ago.
  const { setDemoStage } = await import('./demo/stage.ts');
  const log = join(artifactRoot, 'demo-codec-server.log');
  const uiPort = Number(values['ui-port']);
  const stage = await setDemoStage({
    ports: { temporal: Number(values['temporal-port']), ui: uiPort, codec: Number(values['codec-port']) },
    namespaces: [NAMESPACE, DENIED_NAMESPACE],
    taskQueue: TASK_QUEUE,
    workflowId: WORKFLOW_ID,
    log,
  });
  const page = (host: string, namespace: string, id: string, runId: string) =>
    `http://${host}:${uiPort}/namespaces/${namespace}/workflows/${id}/${runId}/history`;
  const facts: DemoFacts = {
    temporal: fromHere(linkTo(cli)),
    address: stage.address,
    endpoint: stage.endpoint,
    log: fromHere(log),
    workflowId: WORKFLOW_ID,
    pages: {
      readable: page('localhost', NAMESPACE, WORKFLOW_ID, stage.runId),
      stored: page('127.0.0.1', NAMESPACE, WORKFLOW_ID, stage.runId),
      denied: page('localhost', DENIED_NAMESPACE, stage.denied.workflowId, stage.denied.runId),
    },
    origin: `http://localhost:${uiPort}`,
    deniedNamespace: DENIED_NAMESPACE,
    explanation: '',
    table: [],
    audit: [],
  };
  const { stored, read } = demoCommands(facts);
  const width = Math.min(Math.max(process.stdout.columns ?? 120, 80), 160) - 4;
  const table = sideBySide(await stage.shell(stored), await stage.shell(read), width);
  const explanation = await stage.explanation();
  print(demoMessage({ ...facts, table, explanation, audit: await stage.auditLines() }));
  await stopped;
  print('Stopping.');
  await stage.stop();
}

/** A short path to the CLI, which is on nobody's PATH. */
function linkTo(program: string): string {
  const link = join(cacheRoot, 'temporal');
  rmSync(link, { force: true });
  symlinkSync(program, link);
  return link;
}

/** A path as it is typed in the folder in which somebody started this. */
function fromHere(path: string): string {
  const short = relative(callersFolder, path);
  return short.startsWith('..') ? path : short;
}

/** npm runs its scripts in the package's folder, and names the one that somebody is in. */
const callersFolder = process.env['INIT_CWD'] ?? process.cwd();

try {
  await main();
} catch (error) {
  print(error instanceof MissingTool ? error.message : `The demo cannot run: ${(error as Error).message}`);
  // What already runs ends with this process.
  process.exit(1);
}
