/** Large payloads in S3: a worker with Temporal's own driver stores them, the Web UI and the CLI read them through the codec server. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { S3Client } from '@aws-sdk/client-s3';
import type { WorkflowHandle } from '@temporalio/client';
import { ExternalStorage } from '@temporalio/common';
import { S3StorageDriver } from '@temporalio/external-storage-s3';
import { AwsSdkS3StorageDriverClient } from '@temporalio/external-storage-s3-aws-sdk';
import { freePort } from '../support/free-port.ts';
import { Moto } from '../support/moto.ts';
import {
  base64,
  type JsonPayload,
  keyOfWorkflow,
  objectOf,
  plain,
  reference,
  textOf,
} from '../support/storage-server.ts';
import { type Chromium, startChromium } from './support/browser.ts';
import { type CodecServer, startCodecServer } from './support/codec-server.ts';
import { compile, installPackages, layOutExamples } from './support/examples.ts';
import { run } from './support/processes.ts';
import { assertAsDocumented } from './support/protocol.ts';
import { type Recorder, requestsAndPreflights, startRecorder } from './support/recorder.ts';
import { runSdkProgram } from './support/sdk-programs.ts';
import { NAMESPACE, storedText, TASK_QUEUE } from './support/stage.ts';
import { startTemporal, type Temporal } from './support/temporal.ts';
import { pythonS3, temporalCli } from './support/tools.ts';
import { keepTraffic } from './support/traffic.ts';
import { versions } from './support/versions.ts';
import { type RunAddress, type WebUI, webUI } from './support/web-ui.ts';
import { startWorker, type WorkerAndClient } from './support/worker.ts';

const BUCKET = 'acme-payloads';
/** A namespace that nobody may read here. */
const PAYROLL = 'payroll.a1b2c';
const CARD = '4000-1234';
/** Large enough to be stored, small enough to be looked at. */
const CUSTOMER = `Ada ${'Lovelace '.repeat(4_000)}`;

describe(`external storage, Temporal Web UI ${versions.devServer.webUI}, CLI ${versions.temporalCli}, SDK ${versions.typescriptSdk}`, () => {
  let moto: Moto;
  let temporal: Temporal;
  let codecServer: CodecServer;
  let recorder: Recorder;
  let worker: WorkerAndClient;
  let chromium: Chromium;
  let ui: string;
  let handle: WorkflowHandle;
  let address: RunAddress;

  before(async () => {
    moto = await Moto.start();
    await moto.createBucket(BUCKET);
    const uiPort = await freePort();
    ui = `http://localhost:${uiPort}`;
    codecServer = await startCodecServer({
      origins: [ui],
      config: {
        access: [
          { name: 'orders', namespaces: [NAMESPACE], people: ['anyone-on-loopback'], allow: ['decode', 'encode'] },
        ],
        storage: { buckets: [{ bucket: BUCKET, region: 'eu-central-1', namespaces: ['*'] }] },
      },
      env: moto.environment,
    });
    recorder = await startRecorder({ target: codecServer.origin });
    temporal = await startTemporal([NAMESPACE], { ui: { port: uiPort, codecEndpoint: recorder.origin } });
    const client = new AwsSdkS3StorageDriverClient(new S3Client({ ...moto.client, region: 'eu-central-1' }));
    worker = await startWorker({
      address: temporal.address,
      namespace: NAMESPACE,
      taskQueue: TASK_QUEUE,
      codec: codecServer.workerCodec(NAMESPACE),
      externalStorage: new ExternalStorage({
        drivers: [new S3StorageDriver({ client, bucket: BUCKET })],
        payloadSizeThreshold: 20_000,
      }),
    });
    chromium = await startChromium();
    handle = await worker.client.workflow.start('order', {
      taskQueue: TASK_QUEUE,
      workflowId: 'large-order',
      args: [{ customer: CUSTOMER, card: CARD }],
    });
    await handle.result();
    address = {
      namespace: NAMESPACE,
      workflowId: 'large-order',
      runId: (await handle.describe()).runId,
    };
  });
  after(async () => {
    await chromium?.close();
    await worker?.stop();
    await recorder?.stop();
    await codecServer?.stop();
    await temporal?.stop();
    await moto?.close();
  });

  /** The reference that the driver left in history, as clients send it. */
  const referenceInHistory = async (of = handle): Promise<JsonPayload> => {
    const { events } = await of.fetchHistory();
    const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    const metadata = Object.entries(payload?.metadata ?? {}).map(([name, value]) => [name, base64(value)]);
    return { metadata: Object.fromEntries(metadata), data: base64(payload?.data ?? '') };
  };
  const claimOf = ({ data }: JsonPayload): { bucket: string; key: string } =>
    JSON.parse(Buffer.from(data, 'base64').toString()).claimData;
  const post = async (operation: string, payload: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${codecServer.origin}/${operation}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-namespace': NAMESPACE, ...headers },
      body: JSON.stringify({ payloads: [payload] }),
    });
    assert.equal(answer.status, 200);
    return ((await answer.json()) as { payloads: [JsonPayload] }).payloads[0];
  };
  const inBrowser = async (use: (page: WebUI) => Promise<void>): Promise<void> => {
    const context = await chromium.newContext();
    recorder.take();
    try {
      await use(webUI(await context.newPage(), ui));
      // What a page still asks when it is closed has no answer.
      await recorder.settled();
    } finally {
      await context.close();
    }
  };
  /** Presses the button of the first payload that is stored externally, whose text is the payload's size. */
  const download = async ({ page }: WebUI): Promise<string> => {
    const button = page.getByRole('button', { name: /^\s*[\d.,]+ ?(bytes|[KM]i?B)\s*$/i }).first();
    const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
    return Buffer.concat(await Array.fromAsync((await file.createReadStream()) as AsyncIterable<Buffer>)).toString();
  };
  const show = async (workflowId = 'large-order') => {
    const args = ['workflow', 'show', '-w', workflowId, '-o', 'json', '--codec-endpoint', recorder.origin];
    return await run(await temporalCli(), ['--address', temporal.address, '-n', NAMESPACE, ...args], {
      env: { TEMPORAL_CONFIG_FILE: '/nonexistent', NO_COLOR: '1' },
    });
  };

  it('the driver leaves a reference in history, and ciphertext in the bucket', async () => {
    assert.ok(!(await storedText(handle)).includes('Lovelace'));
    const { bucket, key } = claimOf(await referenceInHistory());
    assert.equal(bucket, BUCKET);
    assert.ok(key.startsWith(`v0/ns/${NAMESPACE}/`), key);
    const object = Buffer.from(await moto.getObject(bucket, key)).toString('latin1');
    assert.ok(object.includes('binary/aws-encryption-sdk'));
    assert.ok(!object.includes('Lovelace'));
  });

  it("the Web UI's button downloads the payload, decoded", async () => {
    await inBrowser(async (page) => {
      await page.openRun(address, 'history');
      const file = await download(page);
      await recorder.settled();
      assert.ok(file.includes('Lovelace Lovelace') && file.includes(CARD), file.slice(0, 200));
      const recorded = recorder.take();
      keepTraffic(`Temporal Web UI ${versions.devServer.webUI} with external storage`, NAMESPACE, recorded);
      const [asked, preflights] = requestsAndPreflights(recorded);
      const [downloads, others] = [true, false].map((wanted) =>
        asked.filter(({ url }) => url.startsWith('/download') === wanted),
      );
      assert.deepEqual(assertAsDocumented('Web UI, download button', NAMESPACE, downloads ?? []).operations, [
        '/download',
      ]);
      assert.deepEqual(assertAsDocumented('Web UI', NAMESPACE, others ?? []).operations, ['/decode']);
      assert.deepEqual(assertAsDocumented('Web UI, preflight', NAMESPACE, preflights).operations, [
        '/decode',
        '/download',
      ]);
    });
  });

  it('the CLI shows the payload', async () => {
    recorder.take();
    const { stdout, code, stderr } = await show();
    assert.equal(code, 0, stderr);
    const { operations, fields } = assertAsDocumented('CLI', NAMESPACE, recorder.take());
    assert.deepEqual(operations, ['/decode']);
    assert.deepEqual(fields, ['data', 'external_payloads', 'metadata']);
    assert.ok(readable(stdout).includes('Lovelace Lovelace'), stdout.slice(0, 500));
  });

  describe('the examples that store in S3', () => {
    let examples: string;
    before(() => {
      examples = layOutExamples(codecServer.keyringFile);
    });
    const environment = () => ({
      ...moto.environment,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: NAMESPACE,
      S3_BUCKET: BUCKET,
    });
    const workers: [folder: string, workflowId: string, command: (folder: string) => Promise<[string, string]>][] = [
      [
        'typescript-s3',
        'large-typescript',
        async (folder) => {
          await installPackages(folder);
          await compile(folder);
          return [process.execPath, 'src/worker.ts'];
        },
      ],
      ['python', 'large-python', async () => [await pythonS3(), 'worker_s3.py']],
    ];
    for (const [name, workflowId, command] of workers) {
      it(`examples/${name}: the payloads are in the bucket as ciphertext, and the CLI shows them`, async () => {
        const cwd = join(examples, name);
        const [program, script] = await command(cwd);
        const { code, stdout, stderr } = await runSdkProgram(program, [script], { cwd, env: environment() });
        assert.equal(code, 0, stderr);
        assert.match(stdout, /^520000 characters: A SECRET OF ADA LOVELACE$/m);
        const example = worker.client.workflow.getHandle(workflowId);
        assert.ok(!/ada lovelace/i.test(await storedText(example)));
        const { bucket, key } = claimOf(await referenceInHistory(example));
        assert.ok(key.startsWith(`v0/ns/${NAMESPACE}/`), key);
        const object = Buffer.from(await moto.getObject(bucket, key)).toString('latin1');
        assert.ok(object.includes('binary/aws-encryption-sdk'));
        assert.ok(!/ada lovelace/i.test(object));
        const shown = await show(workflowId);
        assert.ok(readable(shown.stdout).includes('A SECRET OF ADA LOVELACE'), shown.stderr);
      });
    }
  });

  it('a payload of a namespace that the caller may not read is refused, whatever its key says', async () => {
    const secret = await codecServer
      .workerCodec(PAYROLL)
      .encode([{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"salary"') }]);
    const metadata = Object.entries(secret[0]?.metadata ?? {}).map(([name, value]) => [name, base64(value)]);
    const { bytes, sha256 } = objectOf({ metadata: Object.fromEntries(metadata), data: base64(secret[0]?.data ?? '') });
    for (const namespace of [PAYROLL, NAMESPACE, undefined]) {
      const key = keyOfWorkflow(sha256, namespace);
      await moto.putObject(BUCKET, key, bytes);
      const answer = await post('download', reference(sha256, key), { origin: ui });
      assert.match(textOf(answer), /may not decode payloads of the namespace payroll\.a1b2c/);
      assert.deepEqual(await post('decode', reference(sha256, key)), reference(sha256, key));
    }
  });

  it('a payload that was altered in the bucket is refused, and the person is told that it cannot be opened', async () => {
    const { bucket, key } = claimOf(await referenceInHistory());
    const bytes = await moto.getObject(bucket, key);
    await moto.putObject(bucket, key, objectOf(plain('something else')).bytes);
    try {
      await inBrowser(async (page) => {
        await page.openRun(address, 'history');
        assert.match(await download(page), /this payload cannot be opened/);
      });
      const { stdout } = await show();
      assert.ok(!stdout.includes('something else'));
      await codecServer.prints(/"object-altered":1/);
    } finally {
      await moto.putObject(bucket, key, bytes);
    }
  });
});

/** The CLI prints payloads as they travel, with `data` in base64; this adds what is inside. */
function readable(json: string): string {
  const inside = [...json.matchAll(/"data": *"([\w+/=]+)"/g)].map(([, data = '']) => Buffer.from(data, 'base64'));
  return `${json}${inside.join('')}`;
}
