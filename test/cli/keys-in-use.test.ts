import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import proto from '@temporalio/proto';
import { keysInUse } from '../../cli/keys-in-use.ts';
import { addKeyToKeyringFile } from '../../codec/keys/keyring/keyring-file.ts';
import { createPayloadCodec } from '../../codec/payload-codec.ts';
import { toTemporalPayload } from '../../codec/temporal-codec.ts';
import { TestCommandIo } from '../support/command-io.ts';
import { asExport, type History, historyOf } from '../support/histories.ts';
import { payloadOf } from '../support/payloads.ts';
import { type Answer, startTemporalStandIn, type TemporalStandIn } from '../support/temporal-stand-in.ts';

const NAMESPACE = 'orders-dev.a1b2c';
const KEY = 'codec-server/old';
const api = proto.temporal.api.workflowservice.v1;
const { History: HistoryType } = proto.temporal.api.history.v1;
const DAY = 86_400;

/** What is in the namespace; tests hide some of it. */
interface World {
  workflows: { id: string; run: string; closed?: number; history: History; listedEvents?: number }[];
  counted: number;
  /** Workflows that began later than this machine thinks it is. */
  later: number;
  schedules: string[];
  refuse: Record<string, Answer>;
}

let cwd: string;
let sealed: History;
let plain: History;
let world: World;
let server: TemporalStandIn;

const bytes = (
  type: { encode(message: never): { finish(): Uint8Array }; fromObject(it: object): unknown },
  it: object,
) => Buffer.from(type.encode(type.fromObject(it) as never).finish());

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'keys-in-use-'));
  addKeyToKeyringFile(join(cwd, 'keyring.json'), 'old');
  const codec = createPayloadCodec({ namespace: NAMESPACE, keys: { keyring: join(cwd, 'keyring.json') } });
  sealed = await historyOf(codec, 20);
  codec.close();
  plain = await historyOf({ encode: (payloads) => Promise.resolve(payloads) }, 20);
});

beforeEach(async () => {
  world = {
    workflows: [
      { id: 'a', run: 'run-a', closed: 1_790_000_100, history: plain },
      { id: 'b', run: 'run-b', history: plain },
    ],
    counted: 2,
    later: 0,
    schedules: [],
    refuse: {},
  };
  const answers: Record<string, (request: Buffer) => Answer> = {
    DescribeNamespace: () =>
      bytes(api.DescribeNamespaceResponse, { config: { workflowExecutionRetentionTtl: { seconds: 3 * DAY } } }),
    ListWorkflowExecutions: (request) => {
      const { query, nextPageToken } = api.ListWorkflowExecutionsRequest.decode(request);
      if (query.includes('TemporalNamespaceDivision')) return bytes(api.ListWorkflowExecutionsResponse, {});
      const page = nextPageToken.length === 0 ? 0 : Number(Buffer.from(nextPageToken).toString());
      const one = world.workflows[page];
      return bytes(api.ListWorkflowExecutionsResponse, {
        executions: one === undefined ? [] : [infoOf(one)],
        nextPageToken: page + 1 < world.workflows.length ? Buffer.from(`${page + 1}`) : undefined,
      });
    },
    CountWorkflowExecutions: (request) => {
      const { query } = api.CountWorkflowExecutionsRequest.decode(request);
      const count = query.includes('StartTime >') ? world.later : query.includes('Division') ? 0 : world.counted;
      return bytes(api.CountWorkflowExecutionsResponse, { count });
    },
    GetWorkflowExecutionHistory: (request) => {
      const { execution } = api.GetWorkflowExecutionHistoryRequest.decode(request);
      const found = world.workflows.find(({ run }) => run === execution?.runId);
      return bytes(api.GetWorkflowExecutionHistoryResponse, { history: found?.history ?? {} });
    },
    DescribeWorkflowExecution: () => bytes(api.DescribeWorkflowExecutionResponse, {}),
    ListSchedules: () =>
      bytes(api.ListSchedulesResponse, { schedules: world.schedules.map((scheduleId) => ({ scheduleId })) }),
    DescribeSchedule: () => bytes(api.DescribeScheduleResponse, {}),
  };
  server = await startTemporalStandIn(
    Object.fromEntries(
      Object.entries(answers).map(([name, answer]) => [
        name,
        (request: Buffer) => world.refuse[name] ?? answer(request),
      ]),
    ),
  );
});
afterEach(() => server.close());
afterAll(() => rmSync(cwd, { recursive: true }));

function infoOf({ id, run, closed, history, listedEvents }: World['workflows'][number]) {
  return {
    execution: { workflowId: id, runId: run },
    closeTime: closed === undefined ? undefined : { seconds: closed },
    historyLength: listedEvents ?? history.events.length,
  };
}

async function run(argv: readonly string[], env: Record<string, string> = {}) {
  const io = new TestCommandIo({ cwd, env });
  const code = await keysInUse(['--address', server.address, '-n', NAMESPACE, ...argv], io);
  return { code, stdout: io.out, stderr: io.err };
}
const verdict = async (...argv: string[]) => {
  const { code, stdout } = await run(['--json', '--key', KEY, ...argv]);
  const { missing, keys, verdict } = JSON.parse(stdout);
  return { code, missing, keys, verdict };
};

describe('codec-server keys-in-use', () => {
  it('says that a key is not needed when everything was read and nothing is under it', async () => {
    expect(await verdict()).toEqual({ code: 0, missing: [], keys: [], verdict: 'not needed' });
    const { stdout } = await run(['--key', KEY]);
    expect(stdout).toContain(`${KEY} is not needed: everything was read`);
  });

  it('says by what it is needed, until when, and when it was written last', async () => {
    world.workflows.push({ id: 'c', run: 'run-c', closed: 1_790_000_100, history: sealed });
    world.counted = 3;
    const closed = await verdict();
    expect(closed).toMatchObject({ code: 3, verdict: 'needed' });
    expect(closed.keys).toMatchObject([
      {
        key: KEY,
        payloads: 15,
        only: 15,
        places: { 'closed workflow': 1 },
        examples: ['closed workflow c'],
        newestWrite: new Date(1_790_000_000_000).toISOString(),
        neededUntil: new Date((1_790_000_100 + 3 * DAY) * 1000).toISOString(),
      },
    ]);
    world.workflows.push({ id: 'd', run: 'run-d', history: sealed });
    world.counted = 4;
    expect((await verdict()).keys).toMatchObject([{ neededUntil: 'open', places: { 'open workflow': 1 } }]);
  });

  it.each<[string, () => void, RegExp]>([
    ['a page that is not listed', () => (world.counted = 3), /counts 3 and lists 2/],
    [
      'an event that is not there',
      () => (world.workflows[0] = { ...(world.workflows[0] as World['workflows'][number]), listedEvents: 21 }),
      /20 of 21 events/,
    ],
    [
      'a gap between events',
      () => {
        const gap = HistoryType.create({ events: plain.events.filter((_, i) => i !== 3) } as never) as History;
        world.workflows[0] = { ...(world.workflows[0] as World['workflows'][number]), history: gap, listedEvents: 20 };
      },
      /not in their order/,
    ],
    [
      'a call that is refused',
      () => (world.refuse['DescribeWorkflowExecution'] = { code: 7, message: 'no' }),
      /workflow b: the call was refused/,
    ],
    [
      'schedules that are refused',
      () => (world.refuse['ListSchedules'] = { code: 7, message: 'no' }),
      /schedules: the call was refused/,
    ],
    [
      'an encoding that nobody knows',
      () => {
        const fernet = toTemporalPayload(payloadOf({ encoding: 'binary/encrypted-fernet' }, Buffer.from('x')));
        world.refuse['DescribeWorkflowExecution'] = bytes(api.DescribeWorkflowExecutionResponse, {
          pendingActivities: [{ heartbeatDetails: { payloads: [fernet] } }],
        });
      },
      /of the encoding binary\/encrypted-fernet, which is not known here/,
    ],
    [
      'a clock that lags behind the server, which hides what began since',
      () => (world.later = 7),
      /7 of the workflows began after now, as this machine knows it: its clock lags/,
    ],
    [
      'pages that lead in a circle',
      () => (world.refuse['ListSchedules'] = bytes(api.ListSchedulesResponse, { nextPageToken: Buffer.from('again') })),
      /The pages of ListSchedules lead back to one that was read/,
    ],
    [
      'an answer that is cut off',
      () => (world.refuse['GetWorkflowExecutionHistory'] = Buffer.from([0x0a, 0x7f, 0x01])),
      /workflow a: An answer of the server is not protobuf/,
    ],
    [
      'archived histories',
      () => {
        const config = { historyArchivalState: 2, historyArchivalUri: 's3://archive' };
        world.refuse['DescribeNamespace'] = bytes(api.DescribeNamespaceResponse, { config });
      },
      /archived histories at s3:\/\/archive/,
    ],
  ])('proves nothing after %s', async (_, hide, sentence) => {
    hide();
    const { code, verdict: said, missing } = await verdict();
    expect([code, said]).toEqual([4, 'not proven']);
    expect(missing.join('\n')).toMatch(sentence);
  });

  it('finds what only describe shows, of a pending activity', async () => {
    const pending = sealed.events[0]?.workflowExecutionStartedEventAttributes?.input;
    world.refuse['DescribeWorkflowExecution'] = bytes(api.DescribeWorkflowExecutionResponse, {
      pendingActivities: [{ heartbeatDetails: pending }],
    });
    expect(await verdict()).toMatchObject({
      code: 3,
      keys: [{ key: KEY, payloads: 1, examples: ['open workflow b'] }],
    });
  });

  it('goes on where it was: closed workflows are read once, and the report says so', async () => {
    world.workflows.push({ id: 'c', run: 'run-c', closed: 1_790_000_100, history: sealed });
    world.counted = 3;
    const first = await verdict('--state', 'state');
    const reads = () => server.calls.filter(({ method }) => method === 'GetWorkflowExecutionHistory').length;
    expect(reads()).toBe(3);
    const { stdout } = await run(['--state', 'state', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ keys: first.keys, fromState: 2 });
    expect(reads()).toBe(4);
    expect((await run(['--state', 'state'])).stdout).toContain(
      'Of 2 of the closed workflows it is as the state file says',
    );
    const other = await run(['-n', 'other', '--state', 'state']);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('of another namespace')]);
  });

  it('reads exports that are kept, with and without a server', async () => {
    writeFileSync(join(cwd, 'export.pb'), asExport([sealed]));
    const { code, stdout } = await run(['--only-exports', '--export', 'export.pb', '--key', KEY, '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout).keys).toMatchObject([{ key: KEY, places: { export: 1 }, neededUntil: 'open' }]);
    expect(server.calls).toEqual([]);
    expect(await verdict('--export', 'export.pb')).toMatchObject({ code: 3 });
  });

  it('says one sentence of a server that cannot be reached, and of wrong usage', async () => {
    world.refuse['DescribeNamespace'] = { code: 16, message: 'bad token' };
    const refused = await run([], { TEMPORAL_API_KEY: 'secret', TEMPORAL_TLS: 'false' });
    expect(server.calls[0]?.authorization).toBe('Bearer secret');
    const noTls = await run([], { TEMPORAL_API_KEY: 'secret' });
    expect([noTls.code, noTls.stderr]).toEqual([1, expect.stringContaining('does it take TLS?')]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('the server refuses: bad token')]);
    expect(refused.stderr).not.toContain('secret');
    for (const argv of [['--rate', 'x'], ['--only-exports'], ['--nope']]) expect((await run(argv)).code).toBe(2);
    const garbled = { ...world.refuse, DescribeNamespace: Buffer.from([0xff]) };
    world.refuse = garbled;
    const malformed = await run([]);
    expect([malformed.code, malformed.stderr]).toEqual([1, expect.stringContaining('is not protobuf')]);
  });

  it.each([
    ['old', /"old" is not a key as inspect names it: such as codec-server\/old/],
    ['alias/codec', /may be another key tomorrow/],
    ['arn:aws:kms:eu-central-1:111122223333:alias/codec', /may be another key tomorrow/],
  ])('proves nothing of %s, which no payload names', async (key, sentence) => {
    world.workflows.push({ id: 'c', run: 'run-c', closed: 1_790_000_100, history: sealed });
    const { code, stdout, stderr } = await run(['--key', key]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(sentence);
  });

  it('asks about the spelling of a key that stands nowhere', async () => {
    world.workflows.push({ id: 'c', run: 'run-c', closed: 1_790_000_100, history: sealed });
    world.counted = 3;
    const { stdout } = await run(['--key', 'codec-server/odl']);
    expect(stdout).toContain('No payload names it: is it spelled as inspect spells it?');
    expect((await run(['--key', KEY])).stdout).not.toContain('spelled');
  });
});
