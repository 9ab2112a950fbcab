/** `decode`, `keys-in-use` and `reencrypt` against a real server with everything in it that keeps payloads. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client } from '@temporalio/client';
import { ExternalStorage } from '@temporalio/common';
import { S3StorageDriver, type S3StorageDriverClient } from '@temporalio/external-storage-s3';
import { until } from '../support/patience.ts';
import { artifactRoot, projectRoot, suiteRoot } from './support/paths.ts';
import { type Outcome, run, runOrThrow } from './support/processes.ts';
import { temporal } from './support/proto.ts';
import { runSdkProgramOrThrow } from './support/sdk-programs.ts';
import { NAMESPACE, type Stage, setStage, TASK_QUEUE } from './support/stage.ts';
import { pythonPeer, temporalCli } from './support/tools.ts';
import { versions } from './support/versions.ts';
import { dataConverterWith } from './support/worker.ts';

const CARD = '4000-1234';
const PROGRAM = join(projectRoot, 'bin/codec-server.ts');

interface KeyReport {
  readonly key: string;
  readonly only: number;
  readonly places: Readonly<Record<string, number>>;
  readonly neededUntil?: string;
}
interface Report {
  readonly verdict: string;
  readonly read: Readonly<Record<string, number>>;
  readonly keys: readonly KeyReport[];
  readonly missing: readonly string[];
}

describe(`Whole histories with server ${versions.devServer.server}`, () => {
  let stage: Stage;
  let program: string;
  let folder: string;
  let oldKey: string;

  before(async () => {
    program = await temporalCli();
    stage = await setStage({}, undefined, ['history.enableSignalWithStartFromWorkflow=true']);
    folder = mkdtempSync(join(artifactRoot, 'histories-'));
    oldKey = `codec-server/${currentKey()}`;
    const options = { taskQueue: TASK_QUEUE, memo: { note: `memo for ${CARD}` } };
    const order = { customer: 'Ada', card: CARD };
    const start = (workflowId: string, args: object) =>
      stage.client.workflow.start('order', { ...options, workflowId, args: [args], staticSummary: `summary ${CARD}` });
    await (await start('done', order)).result();
    await start('open', { ...order, waitForShipping: true });
    const refused = await stage.client.workflow.start('refusedOrder', {
      ...options,
      workflowId: 'refused',
      args: [CARD],
    });
    await assert.rejects(refused.result());
    const encode = ['--codec-endpoint', stage.codecServer.origin];
    const input = ['--input', JSON.stringify(order)];
    await cliOrThrow(
      'schedule',
      'create',
      '--schedule-id',
      'nightly',
      '--interval',
      '24h',
      '--type',
      'order',
      '--task-queue',
      'nobody',
      '--workflow-id',
      'scheduled',
      '--memo',
      `note="${CARD}"`,
      ...input,
      ...encode,
    );
    await cliOrThrow(
      'activity',
      'start',
      '--activity-id',
      'alone',
      '--type',
      'charge',
      '--task-queue',
      'nobody',
      '--schedule-to-close-timeout',
      '1h',
      ...input,
      ...encode,
    );
    await cliOrThrow(
      'workflow',
      'signal',
      '--query',
      "WorkflowId='open'",
      '--name',
      'unknown',
      '--reason',
      'why',
      '--yes',
      ...input,
      ...encode,
    );
    await until(
      async () => (await cliOrThrow('batch', 'list', '-o', 'json')).includes('COMPLETED'),
      'the batch is not completed',
    );
    const python = [join(suiteRoot, 'histories/system_nexus.py'), stage.temporal.address, NAMESPACE];
    const signalled = await runSdkProgramOrThrow(await pythonPeer(), [...python, stage.codecServer.keyringFile, CARD]);
    assert.equal(signalled.trim(), 'signalled');
  });
  after(async () => await stage?.stop());

  const cli = async (...args: string[]): Promise<Outcome> => {
    const env = { TEMPORAL_CONFIG_FILE: '/nonexistent', NO_COLOR: '1' };
    return await run(program, [...args, '--address', stage.temporal.address, '-n', NAMESPACE], { env });
  };
  const cliOrThrow = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli(...args);
    assert.equal(code, 0, `${args.join(' ')}\n${stderr}${stdout}`);
    return stdout;
  };
  const ours = async (...args: string[]): Promise<Outcome> =>
    await run(process.execPath, [PROGRAM, ...args], { env: { TEMPORAL_CONFIG_FILE: '/nonexistent' }, cwd: folder });
  const server = () => ['--address', stage.temporal.address, '--namespace', NAMESPACE];
  const keysInUse = async (...args: string[]): Promise<Report & { code: number }> => {
    const { code, stdout, stderr } = await ours('keys-in-use', ...server(), '--rate', '1000', '--json', ...args);
    assert.ok(code === 0 || code === 3 || code === 4, stderr + stdout);
    return { ...(JSON.parse(stdout) as Report), code };
  };
  const currentKey = (): string =>
    (JSON.parse(readFileSync(stage.codecServer.keyringFile, 'utf8')) as { current: string }).current;

  /** Every execution, those of the system included. */
  async function* executions(): AsyncGenerator<{ workflowId: string; runId: string; bytes: Buffer }> {
    for (const query of ['', 'TemporalNamespaceDivision IS NOT NULL'])
      for await (const { workflowId, runId } of stage.client.workflow.list({ query })) {
        try {
          const history = await stage.client.workflow.getHandle(workflowId, runId).fetchHistory();
          yield { workflowId, runId, bytes: Buffer.from(temporal.api.history.v1.History.encode(history).finish()) };
        } catch (error) {
          // Standalone activities are listed among the system's workflows.
          assert.match(String((error as Error).message), /archetype/i);
        }
      }
  }

  it('finds every place, and every payload, that a search of the bytes finds', async () => {
    let found = 0;
    let payloads = 0;
    const items: Buffer[] = [];
    for await (const { workflowId, bytes } of executions()) {
      items.push(field(field(bytes)));
      // A batch keeps its signal as base64 in JSON.
      const inBase64 = [...bytes.toString('latin1').matchAll(/"data":\s*"([A-Za-z0-9+/=]+)"/g)];
      const text = [
        bytes.toString('latin1'),
        ...inBase64.map(([, data = '']) => Buffer.from(data, 'base64').toString('latin1')),
      ];
      const inIt = text.reduce((sum, it) => sum + it.split(currentKey()).length - 1, 0);
      if (inIt > 0) found++;
      payloads += inIt;
      // What Temporal's own Nexus service was asked holds payloads in a payload.
      if (workflowId === 'signaller') assert.ok(inIt >= 5 && bytes.includes('__temporal_system'), `${inIt} payloads`);
    }
    writeFileSync(join(folder, 'all.pb'), Buffer.concat(items));
    const inspected = await ours('inspect', 'all.pb', '--json', '--summary', '--strict');
    assert.equal(inspected.code, 0, inspected.stderr);
    const { keys } = (JSON.parse(inspected.stdout) as { summary: { keys: { key: string; payloads: number }[] } })
      .summary;
    assert.deepEqual(
      keys.map(({ key, payloads: needing }) => [key, needing]),
      [[oldKey, payloads]],
    );
    const report = await keysInUse('--key', oldKey);
    assert.equal(report.code, 3);
    assert.deepEqual(report.missing, []);
    const [key] = report.keys;
    const { schedule = 0, activity = 0, ...workflows } = key?.places ?? {};
    assert.equal(
      Object.values(workflows).reduce((sum, count) => sum + count, 0),
      found,
    );
    assert.deepEqual({ schedule, activity, until: key?.neededUntil }, { schedule: 1, activity: 1, until: 'open' });
    assert.ok(found >= 5, `${found} executions with payloads`);
  });

  it('proves nothing while a payload is in external storage, where it was not looked at', async () => {
    const objects = new Map<string, Uint8Array>();
    const client: S3StorageDriverClient = {
      putObject: async (_bucket, key, data) => void objects.set(key, data),
      objectExists: async (_bucket, key) => objects.has(key),
      getObject: async (_bucket, key) => objects.get(key) ?? Buffer.alloc(0),
    };
    const externalStorage = new ExternalStorage({
      drivers: [new S3StorageDriver({ client, bucket: 'payloads' })],
      payloadSizeThreshold: 20_000,
    });
    const storing = new Client({
      connection: stage.client.connection,
      namespace: NAMESPACE,
      dataConverter: { ...dataConverterWith(stage.codecServer.workerCodec(NAMESPACE)), externalStorage },
    });
    const args = [{ customer: 'Ada '.repeat(20_000), card: CARD }];
    const handle = await storing.workflow.start('order', { taskQueue: 'nobody', workflowId: 'stored', args });
    const [stored] = [...objects.values()];
    assert.ok(objects.size === 1 && Buffer.from(stored ?? '').includes(currentKey()));

    const another = await keysInUse('--key', 'codec-server/another');
    assert.deepEqual([another.code, another.verdict], [4, 'not proven']);
    assert.match(another.missing.join('\n'), /external storage/);
    await handle.terminate();
    await cliOrThrow('workflow', 'delete', '-w', 'stored', '--yes');
    await until(
      async () => (await keysInUse('--key', 'codec-server/another')).code === 0,
      'the deleted workflow is still looked for',
    );
  });

  it('decodes a history to the byte as the CLI does, in one request', async () => {
    for (const id of ['done', 'open', 'refused']) {
      const show = ['workflow', 'show', '-w', id, '-o', 'json'];
      writeFileSync(join(folder, `${id}.json`), await cliOrThrow(...show));
      const expected = await cliOrThrow(...show, '--codec-endpoint', stage.recorder.origin);
      assert.ok(Buffer.from(expected).includes(Buffer.from('json/plain').toString('base64')));
      const local = await ours('decode', `${id}.json`, '--keyring', stage.codecServer.keyringFile);
      assert.deepEqual([local.code, local.stdout], [0, expected], local.stderr);
      stage.recorder.take();
      const remote = await ours('decode', `${id}.json`, '--endpoint', stage.recorder.origin, '--namespace', NAMESPACE);
      assert.deepEqual([remote.code, remote.stdout], [0, expected], remote.stderr);
      assert.equal(stage.recorder.take().length, 1);
    }
    await stage.codecServer.prints(/"bulk":true/);
  });

  it("decodes an export that Python's protobuf reads, and in which nothing else has changed", async () => {
    const items: Buffer[] = [];
    for await (const { bytes } of executions()) items.push(field(field(bytes)));
    writeFileSync(join(folder, 'export.pb'), Buffer.concat(items));
    const { code, stderr } = await ours(
      'decode',
      'export.pb',
      '-o',
      'decoded.pb',
      '--keyring',
      stage.codecServer.keyringFile,
    );
    assert.equal(code, 0, stderr);
    const script = `
import sys
from temporalio.api.export.v1 import WorkflowExecutions
before, after = (WorkflowExecutions.FromString(open(p, 'rb').read()) for p in sys.argv[1:])
def without(message):
    for descriptor, value in list(message.ListFields()):
        many = value if descriptor.is_repeated else [value]
        if descriptor.message_type is None: continue
        if descriptor.message_type.GetOptions().map_entry:
            inner = descriptor.message_type.fields_by_name['value'].message_type
            many = value.values() if inner is not None else []
        for one in many:
            if one.DESCRIPTOR.full_name == 'temporal.api.common.v1.Payload': one.Clear()
            else: without(one)
text = after.SerializeToString()
assert b'${CARD}' in text and b'${CARD}' not in before.SerializeToString()
without(before); without(after)
assert before == after, 'something else has changed'
print(len(after.items))
`;
    const printed = await runOrThrow(await pythonPeer(), [
      '-c',
      script,
      join(folder, 'export.pb'),
      join(folder, 'decoded.pb'),
    ]);
    assert.equal(Number(printed), items.length);
  });

  it('plays a rotation through: needed, needed until, not needed, and gone', async () => {
    await runOrThrow(process.execPath, [
      PROGRAM,
      'keygen',
      '--keyring',
      stage.codecServer.keyringFile,
      '--name',
      'new',
    ]);
    const dry = await ours(
      'reencrypt',
      'schedules',
      ...server(),
      '--from',
      oldKey,
      '--keyring',
      stage.codecServer.keyringFile,
    );
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /nightly: 2 payloads under/);
    const before = await describeSchedule();
    const applied = await ours(
      'reencrypt',
      'schedules',
      ...server(),
      '--from',
      oldKey,
      '--keyring',
      stage.codecServer.keyringFile,
      '--apply',
    );
    assert.equal(applied.code, 0, applied.stderr + applied.stdout);
    const afterwards = await describeSchedule();
    assert.deepEqual(
      [afterwards['spec'], afterwards['policies'], afterwards['state']],
      [before['spec'], before['policies'], before['state']],
    );

    for (const id of ['open', 'signalled']) await cliOrThrow('workflow', 'terminate', '-w', id);
    await cliOrThrow('activity', 'terminate', '--activity-id', 'alone', '--reason', 'over');
    let report = await keysInUse('--key', oldKey);
    await until(async () => {
      report = await keysInUse('--key', oldKey);
      return report.keys.find(({ key }) => key === oldKey)?.neededUntil !== 'open';
    }, 'what was terminated still counts as open');
    assert.equal(report.code, 3);
    assert.match(report.keys.find(({ key }) => key === oldKey)?.neededUntil ?? '', /^\d{4}-/);

    // What retention does after a day.
    for await (const { workflowId, runId, bytes } of executions())
      if (bytes.toString('latin1').includes(oldKey.split('/')[1] ?? ''))
        await cliOrThrow('workflow', 'delete', '-w', workflowId, '-r', runId, '--yes');
    await cliOrThrow('activity', 'delete', '--activity-id', 'alone', '--yes');
    await until(
      async () => {
        report = await keysInUse('--key', oldKey);
        return report.verdict === 'not needed';
      },
      () => JSON.stringify(report, null, 2),
    );
    assert.equal(report.code, 0);

    const keyring = JSON.parse(readFileSync(stage.codecServer.keyringFile, 'utf8')) as { keys: { name: string }[] };
    const keys = keyring.keys.filter(({ name }) => name === 'new');
    writeFileSync(stage.codecServer.keyringFile, JSON.stringify({ ...keyring, keys }));
    const export_ = join(folder, 'after.json');
    writeFileSync(export_, await cliOrThrow('schedule', 'describe', '--schedule-id', 'nightly', '-o', 'json'));
    const left = await ours('decode', export_, '--keyring', stage.codecServer.keyringFile);
    assert.equal(left.code, 0, left.stderr);
    assert.ok(left.stdout.includes(Buffer.from(JSON.stringify({ customer: 'Ada', card: CARD })).toString('base64')));
  });

  async function describeSchedule(): Promise<Record<string, unknown>> {
    const printed = await cliOrThrow('schedule', 'describe', '--schedule-id', 'nightly', '-o', 'json');
    return (JSON.parse(printed) as { schedule: Record<string, unknown> }).schedule;
  }
});

/** Field 1 of a message. */
function field(bytes: Buffer): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) length.push((rest % 128) | 0x80);
  return Buffer.concat([Buffer.from([0x0a, ...length, rest]), bytes]);
}
