import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import proto from '@temporalio/proto';
import { Message, message } from '../../cli/cluster/protobuf.ts';
import { reencrypt } from '../../cli/reencrypt.ts';
import { addKeyToKeyringFile } from '../../codec/keys/keyring/keyring-file.ts';
import { createPayloadCodec } from '../../codec/payload-codec.ts';
import { toTemporalPayload } from '../../codec/temporal-codec.ts';
import { TestCommandIo } from '../support/command-io.ts';
import { KmsStandIn } from '../support/kms-stand-in.ts';
import { jsonPlain } from '../support/payloads.ts';
import { startTemporalStandIn, type TemporalStandIn } from '../support/temporal-stand-in.ts';

const NAMESPACE = 'orders-dev.a1b2c';
const { api: temporal } = proto.temporal;
const api = temporal.workflowservice.v1;

let cwd: string;
let server: TemporalStandIn;

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'reencrypt-'));
  addKeyToKeyringFile(join(cwd, 'keyring.json'), 'old');
  const codec = createPayloadCodec({ namespace: NAMESPACE, keys: { keyring: join(cwd, 'keyring.json') } });
  const payloads = await codec.encode([toTemporalPayload(jsonPlain('input'))]);
  codec.close();
  const schedule = { action: { startWorkflow: { workflowId: 'nightly', input: { payloads } } } };
  server = await startTemporalStandIn({
    ListSchedules: () =>
      Buffer.from(
        api.ListSchedulesResponse.encode({ schedules: [{ scheduleId: 'nightly' }, { scheduleId: 'plain' }] }).finish(),
      ),
    DescribeSchedule: (request) => {
      const { scheduleId } = api.DescribeScheduleRequest.decode(request);
      const answer = scheduleId === 'nightly' ? { schedule, conflictToken: Buffer.from('t') } : {};
      return Buffer.from(api.DescribeScheduleResponse.encode(answer).finish());
    },
    // As a server that keeps no workflow for a schedule.
    GetWorkflowExecutionHistory: () => ({ code: 5, message: 'workflow not found' }),
  });
});
afterAll(async () => {
  await server.close();
  rmSync(cwd, { recursive: true });
});

async function run(...argv: string[]) {
  const io = new TestCommandIo({ cwd });
  const code = await reencrypt([...argv, '--address', server.address, '-n', NAMESPACE], io);
  return { code, stdout: io.out, stderr: io.err };
}

describe('codec-server reencrypt schedules', () => {
  it('says what it would do, and changes nothing unless it is told to', async () => {
    const { code, stdout } = await run('schedules', '--from', 'codec-server/old', '--keyring', 'keyring.json');
    expect(code).toBe(0);
    expect(stdout).toContain('nightly: 1 payload under codec-server/old');
    expect(stdout).toContain('2 schedules, 1 with payloads under codec-server/old.');
    expect(stdout).toContain('Nothing was changed: repeat it with --apply.');
    expect(new Set(server.calls.map(({ method }) => method))).toEqual(
      new Set(['ListSchedules', 'DescribeSchedule', 'GetWorkflowExecutionHistory']),
    );
  });

  it('leaves a schedule as it is while the old key is the one that writes', async () => {
    const { code, stdout } = await run(
      'schedules',
      '--from',
      'codec-server/old',
      '--keyring',
      'keyring.json',
      '--apply',
    );
    expect(code).toBe(1);
    expect(stdout).toContain('nightly: failed: The key that writes is still codec-server/old');
    expect(server.calls.some(({ method }) => method === 'UpdateSchedule')).toBe(false);
  });

  it('wants the key to get rid of, and the keys to do it with', async () => {
    expect((await run('schedules', '--keyring', 'keyring.json')).code).toBe(2);
    expect((await run('schedules', '--from', 'codec-server/old')).code).toBe(2);
    expect((await run('schedules', '--from', 'old', '--keyring', 'keyring.json')).stderr).toContain(
      '--from "old" is not a key as inspect names it: such as codec-server/old',
    );
    expect((await run('histories', '--from', 'codec-server/old', '--keyring', 'keyring.json')).code).toBe(2);
  });
});

/** Schedules on a server: what is read is what was written, under conflict tokens; tests interfere. */
describe('codec-server reencrypt schedules --apply', () => {
  interface Kept {
    schedule: Buffer;
    token: number;
    /** What the server's own workflow of it has in its history. */
    history: Buffer;
  }
  let schedules: Map<string, Kept>;
  let onUpdate: (id: string, kept: Kept) => 'taken' | 'dropped' | 'conflict' | 'connection lost';
  let live: TemporalStandIn;
  let old: Buffer;
  const encoded = (input: object[], notes = '') =>
    Buffer.from(
      temporal.schedule.v1.Schedule.encode({
        action: { startWorkflow: { workflowId: 'nightly', input: { payloads: input } } },
        state: { notes },
      }).finish(),
    );
  const notesOf = (id: string) => temporal.schedule.v1.Schedule.decode(kept(id).schedule).state?.notes;
  const kept = (id: string) => schedules.get(id) as Kept;
  const made = (method: string) => live.calls.filter((it) => it.method === method).length;
  const answer = (type: { encode(message: never): { finish(): Uint8Array } }, it: object) =>
    Buffer.from(type.encode(it as never).finish());

  beforeAll(async () => {
    const before = createPayloadCodec({ namespace: NAMESPACE, keys: { keyring: join(cwd, 'keyring.json') } });
    old = encoded(await before.encode([toTemporalPayload(jsonPlain('input'))]));
    before.close();
    copyFileSync(join(cwd, 'keyring.json'), join(cwd, 'new.json'));
    addKeyToKeyringFile(join(cwd, 'new.json'), 'new');
  });

  beforeEach(async () => {
    schedules = new Map(['a', 'b', 'c'].map((id) => [id, { schedule: old, token: 1, history: old }]));
    onUpdate = () => 'taken';
    live = await startTemporalStandIn({
      ListSchedules: () =>
        answer(api.ListSchedulesResponse, { schedules: [...schedules.keys()].map((scheduleId) => ({ scheduleId })) }),
      DescribeSchedule: (request) => {
        const { schedule, token } = kept(api.DescribeScheduleRequest.decode(request).scheduleId);
        const described = answer(api.DescribeScheduleResponse, { conflictToken: Buffer.from(`${token}`) });
        return Buffer.concat([message([1, schedule]), described]);
      },
      UpdateSchedule: (request) => {
        const { scheduleId: id, conflictToken } = api.UpdateScheduleRequest.decode(request);
        const it = kept(id);
        const became = onUpdate(id, it);
        if (became === 'conflict') return { code: 9, message: 'mismatched conflict token' };
        // The server's own workflow drops it without a word.
        if (became !== 'dropped' && Buffer.from(conflictToken).toString() === `${it.token}`) {
          it.schedule = new Message(request).bytes(3);
          it.token++;
        }
        return became === 'connection lost' ? undefined : Buffer.alloc(0);
      },
      GetWorkflowExecutionHistory: (request) => {
        const { execution } = api.GetWorkflowExecutionHistoryRequest.decode(request);
        return message([1, kept(execution?.workflowId?.replace('temporal-sys-scheduler:', '') ?? '').history]);
      },
      SignalWorkflowExecution: (request) => {
        const { workflowExecution } = api.SignalWorkflowExecutionRequest.decode(request);
        kept(workflowExecution?.workflowId?.replace('temporal-sys-scheduler:', '') ?? '').history = Buffer.alloc(0);
        return Buffer.alloc(0);
      },
    });
  });
  afterEach(() => live.close());

  async function applyWith(argv: readonly string[], stop?: AbortSignal) {
    const io = new TestCommandIo({ cwd });
    const schedulesOf = ['schedules', '--from', 'codec-server/old', '--address', live.address, '-n', NAMESPACE];
    const code = await reencrypt([...schedulesOf, ...argv], io, stop);
    return { code, stdout: io.out, stderr: io.err };
  }
  const apply = (stop?: AbortSignal, ...more: string[]) =>
    applyWith(['--keyring', 'new.json', ...(more.length > 0 ? more : ['--apply'])], stop);
  const holdsOld = (bytes: Buffer) => bytes.includes('old');

  it('leaves nothing under the key, in schedules and in the histories of their workflows', async () => {
    expect(await apply()).toMatchObject({ code: 0, stderr: '' });
    for (const { schedule, history } of schedules.values())
      expect([holdsOld(schedule), holdsOld(history)]).toEqual([false, false]);
    expect((await apply()).stdout).toBe('3 schedules, 0 with payloads under codec-server/old.\n');
  });

  it('ends between two schedules when it is told to, says how many are left, and goes on from there', async () => {
    const stop = new AbortController();
    onUpdate = () => {
      stop.abort();
      return 'taken';
    };
    const ended = await apply(stop.signal);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('a: 1 of 1 payload under codec-server/old encrypted again');
    expect(ended.stderr).toContain('2 schedules were not looked at: run it again, it goes on from there.');
    expect([...schedules.values()].map(({ schedule }) => holdsOld(schedule))).toEqual([false, true, true]);
    expect(holdsOld(kept('a').history)).toBe(false);
    expect((await apply()).code).toBe(0);
  });

  it('tidies up after a run that was killed between an update and what follows it', async () => {
    expect((await apply()).code).toBe(0);
    kept('b').history = old;
    const dry = await apply(undefined, '--json');
    expect(JSON.parse(dry.stdout).results.map((it: { isInHistory: boolean }) => it.isInHistory)).toEqual([
      false,
      true,
      false,
    ]);
    const again = await apply();
    expect(again.stdout).toContain(
      "b: the server's own workflow of it has payloads under codec-server/old in its history, and was told to begin anew",
    );
    expect(holdsOld(kept('b').history)).toBe(false);
  });

  it('counts what was taken though the connection was lost before the answer', async () => {
    let lost = false;
    onUpdate = (id) => {
      if (id !== 'b' || lost) return 'taken';
      lost = true;
      return 'connection lost';
    };
    const { code, stdout } = await apply();
    expect(code).toBe(0);
    expect(stdout).toContain('b: 1 of 1 payload under codec-server/old encrypted again');
    for (const { schedule, history } of schedules.values())
      expect([holdsOld(schedule), holdsOld(history)]).toEqual([false, false]);
  });

  it.each(['dropped', 'conflict'] as const)('keeps what somebody else wrote meanwhile (%s)', async (became) => {
    onUpdate = (id, it) => {
      if (id !== 'b' || it.token > 1) return 'taken';
      const theirs = temporal.schedule.v1.Schedule.decode(it.schedule);
      it.schedule = encoded(theirs.action?.startWorkflow?.input?.payloads ?? [], 'changed by somebody else');
      it.token++;
      return became;
    };
    expect(await apply()).toMatchObject({ code: 0, stderr: '' });
    expect(notesOf('b')).toBe('changed by somebody else');
    expect(holdsOld(kept('b').schedule)).toBe(false);
    expect(made('UpdateSchedule')).toBe(4);
  });

  it('gives one schedule up that somebody changes all the time, and does the others', async () => {
    onUpdate = (id, it) => {
      if (id === 'b') it.token++;
      return id === 'b' ? 'dropped' : 'taken';
    };
    const { code, stdout } = await apply();
    expect(code).toBe(1);
    expect(stdout).toContain('b: failed: The schedule b was updated, and its server still shows it as it was');
    expect([...schedules.values()].map(({ schedule }) => holdsOld(schedule))).toEqual([false, true, false]);
  });

  it('says what was done and what was not when the key service fails midway, and goes on from there', async () => {
    const kms = await KmsStandIn.start();
    const before = { ...process.env };
    const aws = { AWS_ENDPOINT_URL_KMS: kms.endpoint, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    Object.assign(process.env, aws);
    try {
      const write = kms.createKey();
      const config = {
        defaultNamespace: null,
        cors: { origins: ['http://localhost:8233'], credentials: false },
        failures: 'explain',
        compression: null,
        identity: null,
        access: [{ name: 'me', namespaces: ['*'], people: ['anyone-on-loopback'], allow: ['decode', 'encode'] }],
        keys: {
          keyring: { file: 'keyring.json' },
          kms: [{ namespaces: [NAMESPACE], write }],
          staticKeys: null,
          // Each schedule takes a data key of its own.
          cache: { maxMessages: 1 },
        },
      };
      writeFileSync(join(cwd, 'kms.mjs'), `export default ${JSON.stringify(config)};`);
      onUpdate = (id) => {
        if (id === 'a') kms.setState(write, 'disabled');
        return 'taken';
      };
      const withConfig = ['--apply', '--config', 'kms.mjs'];
      const ended = await applyWith(withConfig);
      expect(ended).toEqual({
        code: 1,
        stdout:
          'a: 1 of 1 payload under codec-server/old encrypted again\n1 schedule, 1 with payloads under codec-server/old.\nWhat they started before, and the last result that the next run gets, stays as it is: see keys-in-use.\n',
        stderr: expect.stringMatching(
          /KMS refuses the writing key arn:\S+: DisabledException\n.*2 schedules were not looked at/s,
        ),
      });
      expect([...schedules.values()].map(({ schedule }) => schedule.equals(old))).toEqual([false, true, true]);
      kms.setState(write, 'enabled');
      onUpdate = () => 'taken';
      expect(await applyWith(withConfig)).toMatchObject({ code: 0, stderr: '' });
      expect([...schedules.values()].map(({ schedule }) => holdsOld(schedule))).toEqual([false, false, false]);
    } finally {
      process.env = before;
      await kms.close();
    }
  });
});
