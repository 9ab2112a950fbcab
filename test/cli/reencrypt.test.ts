import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import proto from '@temporalio/proto';
import { reencrypt } from '../../cli/reencrypt.ts';
import { addKeyToKeyringFile } from '../../codec/keys/keyring/keyring-file.ts';
import { createPayloadCodec } from '../../codec/payload-codec.ts';
import { toTemporalPayload } from '../../codec/temporal-codec.ts';
import { TestCommandIo } from '../support/command-io.ts';
import { jsonPlain } from '../support/payloads.ts';
import { startTemporalStandIn, type TemporalStandIn } from '../support/temporal-stand-in.ts';

const NAMESPACE = 'orders-dev.a1b2c';
const api = proto.temporal.api.workflowservice.v1;

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
    expect(new Set(server.calls.map(({ method }) => method))).toEqual(new Set(['ListSchedules', 'DescribeSchedule']));
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
    expect((await run('histories', '--from', 'codec-server/old', '--keyring', 'keyring.json')).code).toBe(2);
  });
});
