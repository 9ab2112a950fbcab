/** The rows of the table for one language. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { until } from '../../support/patience.ts';
import type { Running } from '../support/processes.ts';
import { diedAtItsEnd } from '../support/sdk-programs.ts';
import { breakKeys, FAULTS, type Fault, type FaultCell, mend, PHASES, type Phase } from './faults.ts';
import type { Language } from './languages.ts';
import { followReadme } from './readme.ts';
import { Results } from './results.ts';
import { faultRow, ROWS } from './row-names.ts';
import { CALL_TIMEOUT, firstTaskFailure, isRunning, NAMESPACE, OTHER, taskFailures, tracesOf, World } from './world.ts';

const DATA_KEYS = 1100;
const LATENCY = 20;
/** How long KMS stays broken, in milliseconds: longer than a call is waited for. */
const OUTAGE = CALL_TIMEOUT + 1500;
const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

/** Runs every row against the library of a language. */
export function describeLanguage(language: Language): void {
  const { readme } = language;
  describe(`The library for ${language.name} (${language.sdk})`, () => {
    const results = new Results(language);
    let world: World;
    let workers: Running;
    /** What the last command of the page has printed: it installs and compiles while the first rows wait for Temporal. */
    let page: Promise<string> = Promise.resolve('');
    const row = (name: string, run: () => Promise<string>) =>
      it(name, async (test) => {
        await results.row(name, async () => {
          const note = await run();
          if (note !== '') test.diagnostic(note);
          return note;
        });
      });

    before(async () => {
      world = await World.make(language);
      if (readme !== undefined) {
        page = followReadme(readme, world.keyringFile, world.temporal.address);
        // Whoever waits for it is told, and that is a row further down.
        page.catch(() => undefined);
      }
      const kms = { write: world.key, read: world.arns };
      const common = { namespace: NAMESPACE, timeoutMs: CALL_TIMEOUT };
      workers = await world.startWorkers([
        { ...common, taskQueue: 'plain', keys: null },
        { ...common, taskQueue: 'keyring', keys: { keyring: world.keyringFile } },
        { ...common, taskQueue: 'kms', keys: { kms } },
        { ...common, taskQueue: 'nexus-caller', keys: { kms }, alsoDecode: [OTHER] },
        {
          ...common,
          namespace: OTHER,
          taskQueue: 'nexus',
          keys: { kms: { ...kms, write: world.otherKey } },
          alsoDecode: [NAMESPACE],
        },
        ...world.cells
          .filter(({ phase }) => phase === 'result')
          .map(({ arn }) => ({
            ...common,
            taskQueue: arn,
            keys: { kms: { write: arn, read: [world.key] } },
            writeMessages: 1,
          })),
      ]);
    });
    after(async () => {
      results.write();
      await world?.stop();
    });

    const start = async (client: Client, workflow: string, taskQueue: string, ...args: string[]) =>
      await client.workflow.start(workflow, { taskQueue, workflowId: `${workflow}-${crypto.randomUUID()}`, args });

    row(ROWS.success, async () => {
      const text = 'canary-of-success-4711';
      const encrypted = await start(world.clientOfKeyring(world.keyring), 'echo', 'keyring', text);
      assert.equal(await encrypted.result(), text);
      assert.deepEqual(tracesOf(await encrypted.fetchHistory(), text), []);
      const plain = await start(world.plainClient(), 'echo', 'plain', text);
      assert.equal(await plain.result(), text);
      assert.deepEqual(
        tracesOf(await plain.fetchHistory(), text),
        ['text', 'base64'],
        'the search finds nothing at all',
      );
      return '';
    });

    row(ROWS.failure, async () => {
      const text = 'canary-of-failure-4711';
      const encrypted = await start(world.clientOfKeyring(world.keyring), 'fail', 'keyring', text);
      const error = await failureOf(encrypted);
      assert.match(error, /workflow canary-of-failure-4711/, 'the client with the key cannot read it');
      assert.match(error, /activity canary-of-failure-4711/);
      assert.deepEqual(tracesOf(await encrypted.fetchHistory(), text), []);
      const plain = await start(world.plainClient(), 'fail', 'plain', text);
      assert.match(await failureOf(plain), /workflow canary-of-failure-4711/);
      assert.deepEqual(
        tracesOf(await plain.fetchHistory(), text),
        ['text', 'base64'],
        'the search finds nothing at all',
      );
      return '';
    });

    row(ROWS.compression, async () => {
      const text = 'compressible '.repeat(200);
      for (const compression of ['zstd', 'zlib'] as const) {
        const handle = await start(world.clientOfKeyring(world.keyring, { compression }), 'echo', 'keyring', text);
        assert.equal(await handle.result(), text);
      }
      return 'zstd, zlib';
    });

    row(ROWS.namespace, async () => {
      const stranger = world.clientOfKms(world.key, { namespace: OTHER });
      const refused = await start(stranger, 'echo', 'kms', 'of another namespace');
      const message = await firstTaskFailure(refused);
      assert.ok(message.includes(NAMESPACE) && message.includes(OTHER), `it does not name both: ${message}`);
      assert.ok(await isRunning(refused), 'the workflow has ended');
      await refused.terminate();
      const read = await start(stranger, 'echo', 'nexus-caller', 'of another namespace');
      assert.equal(
        await world.clientOfKms(world.key).workflow.getHandle(read.workflowId).result(),
        'of another namespace',
      );
      return '';
    });

    if (language.nexus)
      row(ROWS.nexus, async () => {
        const handle = await start(world.clientOfKms(world.key), 'callNexus', 'nexus-caller', 'canary-of-nexus-4711');
        assert.equal(await handle.result(), 'greeted canary-of-nexus-4711');
        assert.deepEqual(tracesOf(await handle.fetchHistory(), 'canary-of-nexus-4711'), []);
        return '';
      });

    row(ROWS.rotation, async () => {
      const handle = await start(world.clientOfKeyring(world.rotated), 'echo', 'keyring', 'under the new key');
      const message = await firstTaskFailure(handle);
      for (const key of ['after-rotation', 'before-rotation'])
        assert.ok(message.includes(key), `it does not name the key ${key}: ${message}`);
      assert.ok(await isRunning(handle), 'the workflow has ended');
      world.writeKeyring(world.rotated);
      const begin = performance.now();
      assert.equal(await handle.result(), 'under the new key');
      const took = performance.now() - begin;
      const older = await start(world.clientOfKeyring(world.keyring), 'echo', 'keyring', 'under the old key');
      assert.equal(
        await world.clientOfKeyring(world.rotated).workflow.getHandle(older.workflowId).result(),
        'under the old key',
      );
      return `completes ${seconds(took)} after the key is there`;
    });

    if (readme !== undefined)
      it('its page, followed in an empty project, ends with an encrypted workflow', async () => {
        assert.match(await page, /Hello, Ada!/);
        const history = await world.plainClient('default').workflow.getHandle(readme.workflowId).fetchHistory();
        assert.deepEqual(tracesOf(history, 'Hello, Ada!'), []);
      });

    row(ROWS.history, async () => {
      const writer = world.clientOfKms(world.key, { cache: { maxMessages: 1 } });
      const handle = await start(writer, 'collect', 'history', `${DATA_KEYS}`);
      const texts = Array.from({ length: DATA_KEYS }, (_, i) => `signal ${i}`);
      for (let i = 0; i < DATA_KEYS; i += 50)
        await Promise.all(texts.slice(i, i + 50).map((text) => handle.signal('add', text)));
      world.kms.latencyMs = LATENCY;
      const settings = { namespace: NAMESPACE, taskQueue: 'history', keys: { kms: { write: world.key } } };
      const replaying = await world.startWorkers([settings], { CACHED_WORKFLOWS: '0' });
      try {
        const passes: string[] = [];
        const measured = async (run: () => Promise<unknown>): Promise<number> => {
          const calls = world.kms.calls.length;
          const begin = performance.now();
          await run();
          const made = world.kms.calls.length - calls;
          passes.push(`${made} calls in ${seconds(performance.now() - begin)}`);
          return made;
        };
        const reader = world.clientOfKms(world.key).workflow.getHandle(handle.workflowId);
        const collected = async () => {
          await until(async () => !(await isRunning(handle)), 'the first replay does not end');
        };
        const first = await measured(collected);
        assert.ok(first <= DATA_KEYS + 10, `${first} calls for ${DATA_KEYS} data keys`);
        for (let pass = 0; pass < 2; pass++) {
          const again = await measured(async () => {
            await handle.query('collected');
          });
          assert.ok(again <= 2, `${again} calls to replay it again`);
        }
        world.kms.latencyMs = 0;
        assert.deepEqual([...((await reader.result()) as string[])].sort(), texts.sort());
        return passes.join(', then ');
      } finally {
        world.kms.latencyMs = 0;
        await replaying.stop();
      }
    });

    describe('while KMS does not do its work', () => {
      const running = new Map<FaultCell, WorkflowHandle>();
      const wanted = (cell: FaultCell): string => `${cell.phase} through ${cell.fault.name}`;
      let mended = 0;

      before(async () => {
        const spare = new Set(world.cells.filter(({ phase }) => phase !== 'result').map(({ arn }) => arn));
        // The data key of everything else is in the memory of the workers before anything breaks.
        const reader = world.clientOfKms(world.key);
        assert.equal(await (await start(reader, 'echo', 'kms', 'warm')).result(), 'warm');
        const collecting = new Map<FaultCell, WorkflowHandle>();
        for (const cell of world.cells.filter(({ phase }) => phase === 'signal'))
          collecting.set(cell, await start(reader, 'collect', 'kms', '1'));
        for (const handle of collecting.values())
          await until(
            async () =>
              (await handle.fetchHistory()).events?.some((event) => event.workflowTaskCompletedEventAttributes),
            'the workflow does not wait for its signal',
          );
        breakKeys(world.kms, world.cells, spare);
        for (const cell of world.cells) {
          const writer = world.clientOfKms(cell.arn, { cache: { maxMessages: 1 } });
          if (cell.phase === 'input') running.set(cell, await start(writer, 'echo', 'kms', wanted(cell)));
          if (cell.phase === 'result') running.set(cell, await start(reader, 'echo', cell.arn, wanted(cell)));
          const collects = collecting.get(cell);
          if (collects === undefined) continue;
          await writer.workflow.getHandle(collects.workflowId).signal('add', wanted(cell));
          running.set(cell, collects);
        }
        await new Promise((resolve) => setTimeout(resolve, OUTAGE));
      });

      row(ROWS.cached, async () => {
        const begin = performance.now();
        const handle = await start(world.clientOfKms(world.key), 'echo', 'kms', 'cached');
        assert.equal(await handle.result(), 'cached');
        const took = performance.now() - begin;
        assert.ok(took < CALL_TIMEOUT, `it took ${seconds(took)}`);
        return seconds(took);
      });

      it('no workflow has ended, and then KMS works again', async () => {
        for (const [{ fault, phase }, handle] of running)
          if (!fault.passes) assert.ok(await isRunning(handle), `${fault.name} on ${phase} has ended the workflow`);
        mend(world.kms);
        mended = Date.now();
      });

      for (const fault of FAULTS) for (const phase of PHASES) rowOf(fault, phase);

      function rowOf(fault: Fault, phase: Phase): void {
        row(faultRow(fault, phase), async () => {
          const cell = world.cells.find((it) => it.phase === phase && it.fault === fault) as FaultCell;
          const handle = running.get(cell) as WorkflowHandle;
          const text = wanted(cell);
          const result = await world.clientOfKms(world.key).workflow.getHandle(handle.workflowId).result();
          assert.deepEqual(result, phase === 'signal' ? [text] : text);
          const history = await handle.fetchHistory();
          assert.deepEqual(tracesOf(history, text), []);
          const failures = taskFailures(history);
          if (fault.passes) assert.deepEqual(failures, [], 'a slow answer has failed a task');
          for (const failure of failures) assert.ok(!failure.includes('Encoded failure'), `unreadable: ${failure}`);
          return fault.passes ? '' : `completes ${seconds(endOf(history) - mended)} after the end of the fault`;
        });
      }
    });

    row(ROWS.alive, async () => {
      const handle = await start(world.clientOfKms(world.key), 'echo', 'kms', 'still here');
      assert.equal(await handle.result(), 'still here');
      const code = await workers.stop();
      assert.ok(code === 0 || diedAtItsEnd(workers.output()), `it ends badly: ${workers.output().slice(-1000)}`);
      return '';
    });
  });
}

/** When a workflow ended, in milliseconds since 1970. */
function endOf({ events = [] }: { events?: readonly { eventTime?: { seconds?: unknown } | null }[] | null }): number {
  return Number(events?.at(-1)?.eventTime?.seconds ?? 0) * 1000;
}

/** Everything that a client reads of a workflow's failure, its causes included. */
async function failureOf(handle: WorkflowHandle): Promise<string> {
  const texts: string[] = [];
  try {
    await handle.result();
  } catch (error) {
    assert.ok(error instanceof WorkflowFailedError, String(error));
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) texts.push(cause.message);
  }
  return texts.join(': ');
}
