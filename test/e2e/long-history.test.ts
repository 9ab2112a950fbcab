/** A replay of a history with 5,000 data keys, each a call to a KMS that takes 20 ms. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { createPayloadCodec, DataKey, encryptionPlugin, type KeySource } from '../../codec/index.ts';
import { KmsStandIn } from '../support/kms-stand-in.ts';
import { historyOf } from './long-history/history.ts';
import { suiteRoot } from './support/paths.ts';
import { quiet } from './support/worker.ts';

const NAMESPACE = 'orders-prod.a1b2c';
/** Batches of results that come together, and results that come one by one: 5,000 of them. */
const SHAPE = { batches: 49, size: 100, serial: 100 };
const KEYS = SHAPE.batches * SHAPE.size + SHAPE.serial;

/** A data key a message, wrapped by the stand-in itself: only the replay's calls are of interest. */
function oneKeyEach(kms: KmsStandIn, arn: string): KeySource {
  return {
    unwrap: () => Promise.reject(new Error('it only writes')),
    materialsFor(context) {
      const key = randomBytes(32);
      const ciphertext = kms.wrap(arn, key, Object.fromEntries(context));
      const providerInfo = Buffer.from(arn);
      return {
        dataKey: new DataKey(arn, key).acquire(),
        encryptedDataKeys: [{ providerId: 'aws-kms', providerInfo, ciphertext }],
      };
    },
  };
}

describe('A replay of a history with 5,000 data keys, at 20 ms a call to KMS', () => {
  let kms: KmsStandIn;
  let history: ReturnType<typeof historyOf>;
  let workflowBundle: { code: string };
  let plugin: ReturnType<typeof encryptionPlugin>;

  before(async () => {
    quiet();
    kms = await KmsStandIn.start();
    const env = { AWS_ENDPOINT_URL_KMS: kms.endpoint, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    Object.assign(process.env, env);
    const keys = { kms: kms.createKey() };
    const writer = createPayloadCodec({ namespace: NAMESPACE, keys: { source: oneKeyEach(kms, keys.kms) } });
    const encoded = async (value: number): Promise<Payload> => {
      const [payload] = await writer.encode([defaultPayloadConverter.toPayload(value) as Payload]);
      return payload as Payload;
    };
    const several = (count: number): Promise<Payload[]> => Promise.all(Array.from({ length: count }, () => encoded(1)));
    const batches: Payload[][] = [];
    for (let i = 0; i < SHAPE.batches; i++) batches.push(await several(SHAPE.size));
    for (const payload of await several(SHAPE.serial)) batches.push([payload]);
    const input = [SHAPE.batches, SHAPE.size, SHAPE.serial].map((it) => defaultPayloadConverter.toPayload(it));
    history = historyOf(input as Payload[], batches);
    writer.close();
    plugin = encryptionPlugin({ keys });
    workflowBundle = await bundleWorkflowCode({
      workflowsPath: join(suiteRoot, 'long-history/workflows.ts'),
      plugins: [plugin],
      logger: new DefaultLogger('ERROR'),
    });
    kms.latencyMs = 20;
    kms.calls.length = 0;
  });
  after(async () => {
    plugin?.close();
    await kms?.close();
  });

  const replay = (): Promise<void> => Worker.runReplayHistory({ workflowBundle, plugins: [plugin] }, history, 'many');

  it('completes, with one call for each key', async (t) => {
    const begin = performance.now();
    await replay();
    const seconds = (performance.now() - begin) / 1000;
    t.diagnostic(`${kms.count('Decrypt')} calls, ${kms.mostAtOnce} at once, in ${seconds.toFixed(1)} s`);
    assert.deepEqual([kms.count('Decrypt'), kms.count()], [KEYS, KEYS]);
  });

  it('calls KMS for none of them the second time', async () => {
    kms.calls.length = 0;
    await replay();
    assert.equal(kms.count(), 0);
  });

  it('would notice a history that is not that of the workflow', async () => {
    const events = history.events.filter((_, i) => i !== 10);
    await assert.rejects(Worker.runReplayHistory({ workflowBundle, plugins: [plugin] }, { events }, 'many'));
  });
});
