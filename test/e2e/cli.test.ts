/** The Temporal CLI against the codec server: `--codec-endpoint`, `--codec-auth`, `--codec-header`. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from '../support/patience.ts';
import { startGrpcProxy } from './support/grpc-proxy.ts';
import { artifactRoot, projectRoot } from './support/paths.ts';
import { type Outcome, run, runOrThrow } from './support/processes.ts';
import { assertAsDocumented } from './support/protocol.ts';
import type { Exchange } from './support/recorder.ts';
import { NAMESPACE, type Stage, setStage, storedText, TASK_QUEUE } from './support/stage.ts';
import { temporalCli } from './support/tools.ts';
import { keepTraffic } from './support/traffic.ts';
import { versions } from './support/versions.ts';

const CARD = '4000-1234';
const order = { customer: 'Ada', card: CARD };

describe(`Temporal CLI ${versions.temporalCli}`, () => {
  let stage: Stage;
  let program: string;
  const recorded: Exchange[] = [];

  before(async () => {
    program = await temporalCli();
    stage = await setStage();
    const options = { taskQueue: TASK_QUEUE, memo: { note: `memo for ${CARD}` } };
    const done = await stage.client.workflow.start('order', {
      ...options,
      workflowId: 'done',
      args: [order],
      staticSummary: `summary for ${CARD}`,
      staticDetails: `static details for ${CARD}`,
    });
    await done.result();
    await stage.client.workflow.start('order', {
      ...options,
      workflowId: 'open',
      args: [{ ...order, waitForShipping: true }],
    });
  });
  after(async () => await stage?.stop());

  /** Runs the CLI as a person would in the namespace of the checks. */
  const cli = async (...args: string[]): Promise<Outcome> => {
    const home = { TEMPORAL_CONFIG_FILE: '/nonexistent', NO_COLOR: '1' };
    return await run(program, ['--address', stage.temporal.address, '-n', NAMESPACE, ...args], { env: home });
  };
  /** The same, with the codec endpoint; fails when the CLI does. @returns what it printed and what it asked for */
  const decoded = async (endpoint: string, ...args: string[]) => {
    stage.recorder.take();
    const outcome = await cli(...args, '--codec-endpoint', endpoint);
    assert.equal(outcome.code, 0, outcome.stderr + outcome.stdout);
    const requests = stage.recorder.take();
    recorded.push(...requests);
    return { ...outcome, requests };
  };

  it('has the server and the Web UI built in that these pages name', async () => {
    const { server, webUI } = versions.devServer;
    const { stdout } = await run(program, ['--version']);
    assert.equal(stdout.trim(), `temporal version ${versions.temporalCli} (Server ${server}, UI ${webUI})`);
  });

  it('without a codec endpoint shows ciphertext only', async () => {
    for (const command of ['show', 'describe']) {
      const { stdout, code } = await cli('workflow', command, '-w', 'done', '-o', 'json');
      assert.equal(code, 0);
      assert.match(stdout, /[A-Za-z0-9+/]{100}/);
      assertHides(readable(stdout), '4000-1234', 'Ada', 'receipt for');
    }
  });

  const endpoints: [string, (origin: string) => string, string][] = [
    ['as the server prints it', (origin) => origin, '/decode'],
    ['with a trailing slash', (origin) => `${origin}/`, '//decode'],
    ['behind a prefix', (origin) => `${origin}/codec/v1`, '/codec/v1/decode'],
    ['with {namespace}', (origin) => `${origin}/{namespace}`, `/${NAMESPACE}/decode`],
  ];
  for (const [how, endpoint, path] of endpoints) {
    it(`workflow show decodes with the endpoint ${how}`, async () => {
      const args = ['workflow', 'show', '-w', 'done', '-o', 'json'];
      const { stdout, requests } = await decoded(endpoint(stage.recorder.origin), ...args);
      assertShows(readable(stdout), '"card":"4000-1234"', 'receipt for 4200 cents on 4000-1234');
      assert.deepEqual([...new Set(requests.map(({ url }) => url))], [path]);
    });
  }

  it('without -n names the namespace default', async () => {
    stage.recorder.take();
    const where = ['--address', stage.temporal.address, '--codec-endpoint', stage.recorder.origin];
    const args = ['-w', 'unnamed', '--type', 'order', '--task-queue', 'nobody-listens', '-i', '{"card":"4000-2222"}'];
    const env = { TEMPORAL_CONFIG_FILE: '/nonexistent', NO_COLOR: '1' };
    const { code, stderr } = await run(program, [...where, 'workflow', 'start', ...args], { env });
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      stage.recorder.take().map(({ headers, status }) => [headers['x-namespace'], status]),
      [['default', 200]],
    );
  });

  it('workflow show prints the result', async () => {
    const { stdout } = await decoded(stage.recorder.origin, 'workflow', 'show', '-w', 'done');
    assert.match(stdout, /Result +\{"receipt":"receipt for 4200 cents on 4000-1234"/);
  });

  it('workflow describe decodes result, memo, summary and details', async (t) => {
    const args = ['workflow', 'describe', '-w', 'done', '-o', 'json'];
    const { stdout, requests } = await decoded(stage.recorder.origin, ...args);
    assertShows(stdout, 'receipt for 4200', 'memo for 4000', 'summary for 4000', 'static details for 4000');
    t.diagnostic(`${requests.length} requests`);
  });

  it('workflow list decodes memos', async () => {
    // Visibility is written a moment after the workflow starts.
    await until(async () => {
      const { stdout } = await decoded(stage.recorder.origin, 'workflow', 'list', '-o', 'json');
      const memos = (JSON.parse(stdout) as { memo: object }[]).map(({ memo }) =>
        readable(JSON.stringify(memo, null, 1)),
      );
      return memos.length >= 2 && memos.every((memo) => memo.includes(`memo for ${CARD}`));
    }, 'the list does not show both memos');
  });

  it('workflow start sends its input encrypted, and the worker understands it', async () => {
    const input = JSON.stringify({ customer: 'Grace', card: '4000-7777' });
    const args = ['-w', 'started', '--type', 'order', '--task-queue', TASK_QUEUE, '-i', input];
    const { requests } = await decoded(stage.recorder.origin, 'workflow', 'start', ...args);
    assert.deepEqual(
      requests.map(({ url }) => url),
      ['/encode'],
    );
    const handle = stage.client.workflow.getHandle('started');
    assert.deepEqual(await handle.result(), { receipt: 'receipt for 4200 cents on 4000-7777', shippedTo: 'none' });
    assert.doesNotMatch(await storedText(handle), /Grace|4000-7777/);
  });

  it('workflow execute encodes the input and decodes the result', async () => {
    const input = JSON.stringify({ customer: 'Grace', card: '4000-8888' });
    const args = ['-w', 'executed', '--type', 'order', '--task-queue', TASK_QUEUE, '-i', input];
    const { stdout } = await decoded(stage.recorder.origin, 'workflow', 'execute', ...args);
    assert.match(stdout, /receipt for 4200 cents on 4000-8888/);
  });

  it('workflow query encodes the argument and decodes the answer', async () => {
    const args = ['-w', 'open', '--type', 'customerOf', '-i', '"who asks"'];
    const { stdout, requests } = await decoded(stage.recorder.origin, 'workflow', 'query', ...args);
    assert.match(stdout, /QueryResult +\{"asked":"who asks","customer":"Ada"\}/);
    assert.deepEqual(
      requests.map(({ url }) => url),
      ['/encode', '/decode'],
    );
  });

  it('workflow update encodes the argument and decodes the outcome', async () => {
    const args = ['-w', 'open', '--name', 'rename', '-i', '"Barbara"'];
    const { stdout } = await decoded(stage.recorder.origin, 'workflow', 'update', 'execute', ...args);
    assert.match(stdout, /after:Barbara before:Ada/);
  });

  it('workflow signal is understood by the worker', async () => {
    const args = ['-w', 'open', '--name', 'ship', '-i', '{"address":"12 Secret Street"}'];
    await decoded(stage.recorder.origin, 'workflow', 'signal', ...args);
    const handle = stage.client.workflow.getHandle('open');
    assert.equal(((await handle.result()) as { shippedTo: string }).shippedTo, '12 Secret Street');
    assert.doesNotMatch(await storedText(handle), /Secret Street/);
  });

  it('a schedule keeps its input encrypted, shows it decoded, and its workflow understands it', async () => {
    const input = JSON.stringify({ customer: 'Sofia', card: '4000-6666' });
    const id = ['--schedule-id', 'nightly'];
    const action = ['--workflow-id', 'scheduled', '--type', 'order', '--task-queue', TASK_QUEUE, '-i', input];
    await decoded(stage.recorder.origin, 'schedule', 'create', ...id, '--interval', '24h', ...action);
    const plain = await cli('schedule', 'describe', ...id, '-o', 'json');
    assertHides(readable(plain.stdout), 'Sofia', '4000-6666');
    const { stdout } = await decoded(stage.recorder.origin, 'schedule', 'describe', ...id, '-o', 'json');
    assertShows(readable(stdout), 'Sofia', '4000-6666');
    await decoded(stage.recorder.origin, 'schedule', 'trigger', ...id);
    await until(async () => {
      const { stdout: result } = await decoded(stage.recorder.origin, 'workflow', 'list', '-o', 'json');
      const run = (JSON.parse(result) as { execution: { workflowId: string } }[]).find(({ execution }) =>
        execution.workflowId.startsWith('scheduled'),
      );
      if (run === undefined) return false;
      const outcome = await stage.client.workflow.getHandle(run.execution.workflowId).result();
      assert.match(JSON.stringify(outcome), /4000-6666/);
      return true;
    }, 'the schedule has started nothing');
  });

  it('an UNAVAILABLE between CLI and Temporal does not encrypt the input twice', async (t) => {
    const proxy = await startGrpcProxy(stage.temporal.address);
    try {
      proxy.failing.set('StartWorkflowExecution', 1);
      stage.recorder.take();
      const input = JSON.stringify({ customer: 'Hedy', card: '4000-5555' });
      const args = ['-w', 'retried', '--type', 'order', '--task-queue', TASK_QUEUE, '-i', input];
      const endpoint = ['--codec-endpoint', stage.recorder.origin];
      const outcome = await run(program, [
        '--address',
        proxy.address,
        '-n',
        NAMESPACE,
        'workflow',
        'start',
        ...args,
        ...endpoint,
      ]);
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.equal(proxy.calls.get('StartWorkflowExecution'), 2);
      const encoded = stage.recorder.take();
      recorded.push(...encoded);
      const last = encoded.at(-1) as Exchange;
      if (encoded.length > 1) {
        // The second call carries what the first returned, and gets the very same payload back.
        assert.deepEqual(JSON.parse(last.body), JSON.parse((encoded[0] as Exchange).answer));
        assert.deepEqual(JSON.parse(last.answer), JSON.parse(last.body));
      }
      t.diagnostic(`${encoded.length} calls of /encode for one start`);
      const handle = stage.client.workflow.getHandle('retried');
      assert.deepEqual(await handle.result(), { receipt: 'receipt for 4200 cents on 4000-5555', shippedTo: 'none' });
    } finally {
      await proxy.stop();
    }
  });

  it('exports a history of 1,000 events within its own time limits', async (t) => {
    const handle = await stage.client.workflow.start('bulkOrder', {
      taskQueue: TASK_QUEUE,
      workflowId: 'bulk',
      args: [330],
    });
    await handle.result();
    const { stdout, requests, took } = await decoded(
      stage.recorder.origin,
      'workflow',
      'show',
      '-w',
      'bulk',
      '-o',
      'json',
    );
    const { events } = JSON.parse(stdout) as { events: unknown[] };
    assert.ok(events.length >= 1000, `${events.length} events`);
    assertShows(readable(stdout), '"bulk-card-0"', '"bulk-card-329"', 'receipt for 329 cents');
    t.diagnostic(`${events.length} events, ${requests.length} requests, ${(took / 1000).toFixed(1)} s`);
  });

  it('sends what the protocol page says it sends', () => {
    assert.ok(recorded.length > 0);
    keepTraffic(`Temporal CLI ${versions.temporalCli}`, NAMESPACE, recorded);
    assert.deepEqual(assertAsDocumented('CLI', NAMESPACE, recorded).operations, ['/decode', '/encode']);
    for (const { headers, status } of recorded) {
      assert.equal(headers.authorization, undefined);
      assert.equal(status, 200);
    }
  });
});

describe(`Temporal CLI ${versions.temporalCli} with --codec-auth and --codec-header`, () => {
  let stage: Stage;
  let program: string;
  /** A service token with a rule, and one without. */
  let token: string;
  let strangersToken: string;

  before(async () => {
    program = await temporalCli();
    const tokens = join(mkdtempSync(join(artifactRoot, 'tokens-')), 'tokens.json');
    [token, strangersToken] = [await makeToken('ci', tokens), await makeToken('stranger', tokens)];
    stage = await setStage({
      config: {
        identity: { issuers: [], serviceTokens: { file: tokens } },
        access: [
          { name: 'ci', namespaces: [NAMESPACE], people: [{ serviceToken: 'ci' }], allow: ['decode', 'encode'] },
        ],
      },
    });
    const done = await stage.client.workflow.start('order', {
      taskQueue: TASK_QUEUE,
      workflowId: 'done',
      args: [order],
    });
    await done.result();
    await stage.client.workflow.start('order', {
      taskQueue: 'nobody-listens',
      workflowId: 'open',
      args: [order],
      memo: { note: `memo for ${CARD}` },
    });
  });
  after(async () => await stage?.stop());

  const cli = async (...args: string[]): Promise<Outcome & { requests: Exchange[] }> => {
    stage.recorder.take();
    const where = ['--address', stage.temporal.address, '-n', NAMESPACE, '--codec-endpoint', stage.recorder.origin];
    const outcome = await run(program, [...where, ...args], { env: { NO_COLOR: '1' } });
    return { ...outcome, requests: stage.recorder.take() };
  };
  const show = ['workflow', 'show', '-w', 'done', '-o', 'json'];

  for (const prefix of ['Bearer ', '']) {
    it(`decodes with the right token ${prefix === '' ? 'alone' : 'behind "Bearer "'}`, async () => {
      const { stdout, requests, code } = await cli(...show, '--codec-auth', `${prefix}${token}`);
      assert.equal(code, 0);
      assertShows(readable(stdout), '"card":"4000-1234"', 'receipt for 4200 cents on 4000-1234');
      for (const { headers } of requests) assert.equal(headers.authorization, `${prefix}${token}`);
    });
  }

  it('encodes with the right token', async () => {
    const input = JSON.stringify({ customer: 'Grace', card: '4000-7777' });
    const args = ['-w', 'started', '--type', 'order', '--task-queue', TASK_QUEUE, '-i', input];
    const { code } = await cli('workflow', 'start', ...args, '--codec-auth', `Bearer ${token}`);
    assert.equal(code, 0);
    const handle = stage.client.workflow.getHandle('started');
    assert.deepEqual(await handle.result(), { receipt: 'receipt for 4200 cents on 4000-7777', shippedTo: 'none' });
  });

  for (const [how, args] of [
    ['a wrong token', ['--codec-auth', 'Bearer not-a-token-of-ours']],
    ['no token', []],
  ] as const) {
    it(`with ${how} tries for its ten seconds and shows nothing`, async (t) => {
      const { stdout, stderr, code, requests } = await cli('workflow', 'describe', '-w', 'open', '-o', 'json', ...args);
      assert.notEqual(code, 0);
      assertHides(readable(stdout + stderr), '4000-1234', 'Ada');
      assert.deepEqual([...new Set(requests.map(({ status }) => status))], [401]);
      t.diagnostic(`${requests.length} requests, then: ${stderr.trim().replace(/.*msg=/, '')}`);
    });
  }

  it('starts nothing when it may not encode', async () => {
    const args = ['-w', 'refused', '--type', 'order', '--task-queue', TASK_QUEUE, '-i', '{"card":"4000-3333"}'];
    const { code } = await cli('workflow', 'start', ...args, '--codec-auth', `Bearer ${strangersToken}`);
    assert.notEqual(code, 0);
    await assert.rejects(stage.client.workflow.getHandle('refused').describe(), /not found/i);
  });

  it('shows ciphertext to a token without a rule for the namespace', async () => {
    const { stdout, code } = await cli(...show, '--codec-auth', `Bearer ${strangersToken}`);
    assert.equal(code, 0);
    assertHides(readable(stdout), '4000-1234', 'Ada', 'receipt for');
  });

  it('may name another namespace in --codec-header, which widens nothing', async () => {
    const header = ['--codec-header', 'X-Namespace=somebody-elses.namespace'];
    const right = await cli(...show, '--codec-auth', `Bearer ${token}`, ...header);
    assert.equal(right.code, 0);
    assert.ok(right.requests.every(({ headers }) => headers['x-namespace'] === 'somebody-elses.namespace'));
    // What counts is the namespace that the payload is bound to.
    assertShows(readable(right.stdout), '"card":"4000-1234"');
    const wrong = await cli(...show, '--codec-auth', `Bearer ${strangersToken}`, ...header);
    assertHides(readable(wrong.stdout), '4000-1234', 'Ada', 'receipt for');
  });

  it('keeps tokens and plaintext out of what the server prints', async () => {
    await stage.codecServer.prints(/"ci"/);
    const printed = stage.codecServer.output();
    for (const secret of [token, strangersToken, 'not-a-token-of-ours', '4000-1234', '4000-7777', '4000-3333']) {
      assert.ok(!printed.includes(secret), `${secret} is in it`);
    }
  });
});

/** Makes a service token as its user does. */
async function makeToken(name: string, file: string): Promise<string> {
  const program = join(projectRoot, 'bin/codec-server.ts');
  const printed = await runOrThrow(process.execPath, [program, 'token', name, '--file', file, '--json']);
  return (JSON.parse(printed) as { token: string }).token;
}

/** The CLI prints payloads as they travel, with `data` in base64; this prints what is inside. */
function readable(json: string): string {
  return json.replaceAll(/"data": ?"([A-Za-z0-9+/=]*)"/g, (_, data: string) =>
    Buffer.from(data, 'base64').toString('latin1'),
  );
}

function assertShows(text: string, ...expected: string[]): void {
  for (const it of expected) assert.ok(text.includes(it), `${it} is not in it:\n${text.slice(0, 4000)}`);
}

function assertHides(text: string, ...secrets: string[]): void {
  for (const it of secrets) assert.ok(!text.includes(it), `${it} is in it`);
}
