/** What the doctor tells of a namespace's limits: asked of Temporal, tried at the codec server. */
import { afterEach, describe, expect, it } from '@jest/globals';
import proto from '@temporalio/proto';
import type { Finding } from '../../cli/doctor/report.ts';
import { doctor } from '../../cli/doctor.ts';
import { TestCommandIo } from '../support/command-io.ts';
import { type Fault, GOOD_TOKEN, startFaultyCodecServer } from '../support/faulty-codec-server.ts';
import { type Answer, startTemporalStandIn } from '../support/temporal-stand-in.ts';

const { DescribeNamespaceRequest, DescribeNamespaceResponse } = proto.temporal.api.workflowservice.v1;
const NAMESPACE = 'orders-dev.a1b2c';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function limitsOf(limits: Record<string, number> | undefined): Buffer {
  const answer = DescribeNamespaceResponse.fromObject({ namespaceInfo: { name: NAMESPACE, limits } });
  return Buffer.from(DescribeNamespaceResponse.encode(answer).finish());
}

async function examine(answer: Answer | undefined, faults: readonly Fault[] = [], ...argv: string[]) {
  const server = await startFaultyCodecServer(...faults);
  const temporal = await startTemporalStandIn(answer === undefined ? {} : { DescribeNamespace: () => answer });
  closing.push(
    () => server.close(),
    () => temporal.close(),
  );
  const io = new TestCommandIo();
  await doctor(
    [server.url, '--json', '--token', GOOD_TOKEN, '-n', NAMESPACE, ...argv, '--address', temporal.address],
    io,
  );
  const { findings } = JSON.parse(io.out) as { findings: Finding[] };
  return { finding: findings.find(({ check }) => check === 'limits'), calls: temporal.calls };
}

describe('the limits of a namespace', () => {
  it('are shown with what encryption leaves of them, and the largest payload is tried', async () => {
    const { finding, calls } = await examine(limitsOf({ blobSizeLimitError: 2 ** 20, memoSizeLimitError: 40_960 }));
    // This codec writes base64 in JSON in a payload.
    expect(finding).toEqual({
      check: 'limits',
      status: 'ok',
      summary: expect.stringMatching(
        /^orders-dev\.a1b2c takes payloads of 1048576 bytes, memos of 40960; encryption adds \d+ and 33 % of it to each payload, and the largest comes back$/,
      ),
    });
    expect(calls.map(({ method, request }) => [method, DescribeNamespaceRequest.decode(request).namespace])).toEqual([
      ['DescribeNamespace', NAMESPACE],
    ]);
  });

  it('are a warning where the server does not serve the largest payload', async () => {
    const { finding } = await examine(limitsOf({ blobSizeLimitError: 2 ** 20 }), ['body-limit-100k']);
    expect(finding).toMatchObject({ status: 'skipped', summary: 'cannot be judged: sizes comes first' });
    const larger = await examine(limitsOf({ blobSizeLimitError: 2 ** 22 }), ['body-limit-4m']);
    expect(larger.finding).toMatchObject({
      status: 'warning',
      summary: expect.stringMatching(
        /^\/(?:en|de)code does not serve a payload of \d+ bytes, which the namespace takes$/,
      ),
      cause: expect.stringContaining('it gets a 413'),
    });
  });

  it('are not known of a server that names none, or that does not answer', async () => {
    expect((await examine(limitsOf(undefined))).finding).toMatchObject({
      status: 'skipped',
      summary: expect.stringContaining('names no limits'),
    });
    expect((await examine({ code: 7, message: 'Request unauthorized.' })).finding).toMatchObject({
      status: 'warning',
      summary: expect.stringContaining(`does not say what ${NAMESPACE} takes`),
      cause: expect.stringContaining('Request unauthorized.'),
    });
  });

  it('are asked of nobody without --address, whatever the environment names', async () => {
    const server = await startFaultyCodecServer();
    const temporal = await startTemporalStandIn({});
    closing.push(
      () => server.close(),
      () => temporal.close(),
    );
    const io = new TestCommandIo({ env: { TEMPORAL_ADDRESS: temporal.address } });
    await doctor([server.url, '--json', '--token', GOOD_TOKEN], io);
    expect(temporal.calls).toEqual([]);
    expect(io.out).toContain('needs --address of the Temporal server');
  });
});
