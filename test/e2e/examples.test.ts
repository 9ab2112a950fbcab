/** The workers of `examples/`, each run as its README says, and their histories: ciphertext to all but the codec server. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { encryptionPlugin } from '../../codec/index.ts';
import { until } from '../support/patience.ts';
import { type CodecServer, startCodecServer } from './support/codec-server.ts';
import { compile, installPackages, layOutExamples } from './support/examples.ts';
import { type Outcome, type Running, run, runOrThrow, start } from './support/processes.ts';
import { runSdkProgram } from './support/sdk-programs.ts';
import { storedText } from './support/stage.ts';
import { startTemporal, type Temporal } from './support/temporal.ts';
import { goExample, javaPeer, pythonPeer, temporalCli } from './support/tools.ts';

const NAMESPACE = 'default';

describe('The examples', () => {
  let temporal: Temporal;
  let codecServer: CodecServer;
  let connection: Connection;
  let client: Client;
  let examples: string;
  const example = (language: string): string => join(examples, language);

  before(async () => {
    [temporal, codecServer] = await Promise.all([startTemporal([NAMESPACE]), startCodecServer()]);
    examples = layOutExamples(codecServer.keyringFile);
    connection = await Connection.connect({ address: temporal.address });
    client = new Client({ connection, namespace: NAMESPACE });
  });
  after(async () => {
    await connection?.close();
    await codecServer?.stop();
    await temporal?.stop();
  });

  /** Where Temporal is; all else is as the examples have it by default. */
  const environment = () => ({ TEMPORAL_ADDRESS: temporal.address });

  /** A workflow's history holds none of the texts, and all of them once the codec server has decoded it. */
  async function isForPeopleAlone(workflowId: string, ...texts: string[]): Promise<void> {
    const stored = await storedText(client.workflow.getHandle(workflowId));
    assert.ok(stored.includes('binary/aws-encryption-sdk'));
    for (const text of texts) assert.ok(!stored.includes(text), `${text} is stored in plain text`);
    const where = ['--address', temporal.address, '-n', NAMESPACE, '--codec-endpoint', codecServer.origin];
    const shown = await runOrThrow(
      await temporalCli(),
      ['workflow', 'show', '-w', workflowId, '-o', 'json', ...where],
      {
        env: { TEMPORAL_CONFIG_FILE: '/nonexistent', NO_COLOR: '1' },
      },
    );
    const plain = shown.replaceAll(/"data": ?"([^"]*)"/g, (_, data: string) => Buffer.from(data, 'base64').toString());
    for (const text of texts) assert.ok(plain.includes(text), plain);
  }

  const greeters: [language: string, command: () => Promise<[program: string, ...args: string[]]>][] = [
    ['go', async () => [await goExample()]],
    ['java', async () => ['java', '-cp', await javaPeer(), 'greeting.GreetingWorker']],
    ['python', async () => [await pythonPeer(), 'worker.py']],
  ];
  for (const [language, command] of greeters) {
    it(`examples/${language} greets, and Temporal stores no word of it`, async () => {
      const [program, ...args] = await command();
      const options = { cwd: example(language), env: environment() };
      const { code, stdout, stderr } = await runSdkProgram(program, args, options);
      assert.equal(code, 0, stderr);
      assert.ok(stdout.split('\n').includes('Hello, Ada!'), stdout);
      await isForPeopleAlone(`greeting-${language}`, 'Hello, Ada!');
    });
  }

  describe('examples/typescript', () => {
    let folder: string;
    let worker: Running;

    before(async () => {
      folder = example('typescript');
      await installPackages(folder);
      const ready = /RUNNING/;
      worker = await start(process.execPath, ['src/worker.ts'], { cwd: folder, env: environment(), ready });
    });
    after(() => worker?.stop());

    it('examples/typescript compiles', async () => {
      await compile(folder);
    });

    it('ships an order for its client, and Temporal stores no word of it', async () => {
      const args = ['src/client.ts', 'order-1'];
      const { code, stdout, stderr } = await run(process.execPath, args, { cwd: folder, env: environment() });
      assert.equal(code, 0, stderr);
      const [started, result] = stdout.trim().split('\n');
      assert.equal(started, 'started order-1 for Ada Lovelace');
      const address = '12 St James’s Square, London';
      assert.deepEqual(JSON.parse(result ?? ''), {
        receipt: 'receipt for 1999 cents on card 4242 4242 4242 4242',
        address,
      });
      await isForPeopleAlone('order-1', '4242 4242 4242 4242', 'Ada Lovelace');
    });
  });

  describe('examples/typescript-lambda', () => {
    it('works for as long as its invocation lasts, and Temporal stores no word of it', async () => {
      const folder = example('typescript-lambda');
      await installPackages(folder);
      await compile(folder);
      await runOrThrow(process.execPath, ['dist/bundle.js'], { cwd: folder });
      // What AWS Lambda does: it invokes the handler for as long as there is work, and says how much time is left.
      const invocation = `
        import { handler } from './dist/handler.js';
        const end = Date.now() + 15_000;
        await handler({}, { awsRequestId: 'r', invokedFunctionArn: 'f', getRemainingTimeInMillis: () => end - Date.now() });
        process.exit(0);`;
      const args = ['--input-type=module', '--eval', invocation];
      let isDone = false;
      const invocations = async (): Promise<Outcome> => {
        const outcome = await run(process.execPath, args, { cwd: folder, env: environment() });
        return outcome.code !== 0 || isDone ? outcome : await invocations();
      };
      const invoked = invocations();
      const keys = { keyring: codecServer.keyringFile };
      const encrypting = new Client({ connection, plugins: [encryptionPlugin({ keys })] });
      const start = () =>
        encrypting.workflow.start('order', {
          taskQueue: 'orders',
          workflowId: 'order-lambda',
          args: ['4242 4242 4242 4242', 1999],
          versioningOverride: { pinnedTo: { deploymentName: 'orders', buildId: '1' } },
        });
      // The server knows of the version when the worker has polled.
      try {
        const order = await until(() => start().catch(() => undefined), 'the version is not known');
        assert.equal(await order.result(), 'receipt for 1999 cents on card 4242 4242 4242 4242');
      } finally {
        isDone = true;
      }
      const { code, stderr } = await invoked;
      assert.equal(code, 0, stderr);
      await isForPeopleAlone('order-lambda', '4242 4242 4242 4242');
    });
  });
});
