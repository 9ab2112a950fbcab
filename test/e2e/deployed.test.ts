/** The synthesized stack behind its gateway, with KMS, tokens and rules: what a team deploys, met by real clients. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeServiceToken } from '../../lambda/server/auth/service-tokens.ts';
import { freePort } from '../support/free-port.ts';
import { type Chromium, screenshot, startChromium } from './support/browser.ts';
import { type Certificate, selfSignedCertificate } from './support/certificates.ts';
import { type DeployedServer, startDeployedServer } from './support/deployed-server.ts';
import { type Outcome, run } from './support/processes.ts';
import { type Exchange, type Recorder, startRecorder } from './support/recorder.ts';
import { signInAs, startSignInWebUI } from './support/sign-in.ts';
import { CLIENT_ID, type SignInIssuer, startSignInIssuer } from './support/sign-in-issuer.ts';
import { NAMESPACE, type Stage, setStageWith, storedText, TASK_QUEUE } from './support/stage.ts';
import { temporalCli } from './support/tools.ts';
import { versions } from './support/versions.ts';
import type { RunAddress, WebUI } from './support/web-ui.ts';

const CARD = '4000-1234';
const ALICE = { sub: 'user-alice', email: 'alice@example.com', email_verified: true };
const MALLORY = { sub: 'user-mallory', email: 'mallory@example.com', email_verified: true };

describe(`The deployed stack with Temporal CLI ${versions.temporalCli} and Web UI ${versions.webUI}`, () => {
  let certificate: Certificate;
  let issuer: SignInIssuer;
  let stage: Stage<DeployedServer>;
  let recorder: Recorder;
  let chromium: Chromium;
  let origin: string;
  let done: RunAddress;
  let bulk: RunAddress;
  const ci = makeServiceToken('ci');

  before(async () => {
    certificate = selfSignedCertificate();
    issuer = await startSignInIssuer(certificate);
    const port = await freePort();
    const trust = { issuer: issuer.issuer, jwksUri: issuer.jwksUri };
    stage = await setStageWith(
      startDeployedServer({
        certificate,
        serviceTokens: JSON.stringify({ tokens: [ci.entry] }),
        config: {
          cors: { origins: [`http://localhost:${port}`], credentials: false },
          identity: {
            issuers: [{ type: 'oidc', ...trust, audience: CLIENT_ID, from: 'authorization-extras' }],
            serviceTokens: { secret: 'created-by-stack' },
          },
          access: [
            {
              name: 'order desk',
              namespaces: [NAMESPACE],
              people: [{ email: ALICE.email }, { serviceToken: 'ci' }],
              allow: ['decode', 'encode'],
            },
          ],
        },
      }),
    );
    recorder = await startRecorder({ target: stage.codecServer.origin, certificate, hostname: 'localhost' });
    const codec = { endpoint: recorder.origin, passAccessToken: true };
    origin = await startSignInWebUI(stage.temporal, { issuer, certificate, port, codec });
    chromium = await startChromium();
    const finish = async (workflowId: string, type: string, args: unknown[]): Promise<RunAddress> => {
      const handle = await stage.client.workflow.start(type, { taskQueue: TASK_QUEUE, workflowId, args });
      await handle.result();
      return { namespace: NAMESPACE, workflowId, runId: handle.firstExecutionRunId };
    };
    done = await finish('order-4711', 'order', [{ customer: 'Ada Lovelace', card: CARD }]);
    bulk = await finish('bulk-order', 'bulkOrder', [100]);
  });
  after(async () => {
    await chromium?.close();
    await recorder?.stop();
    await stage?.stop();
    await issuer?.stop();
  });

  const cli = async (...args: string[]): Promise<Outcome & { plain: string }> => {
    const where = ['--address', stage.temporal.address, '-n', NAMESPACE, '--codec-endpoint', stage.recorder.origin];
    const outcome = await run(await temporalCli(), [...where, ...args], { env: { NO_COLOR: '1' } });
    const decode = (_: string, data: string): string => Buffer.from(data, 'base64').toString('latin1');
    return { ...outcome, plain: outcome.stdout.replaceAll(/"data": ?"([^"]*)"/g, decode) };
  };
  const signedInAs = async (
    person: Record<string, unknown>,
    use: (ui: WebUI) => Promise<void>,
  ): Promise<Exchange[]> => {
    recorder.take();
    await signInAs(person, { chromium, issuer, origin }, async (ui) => {
      await use(ui);
      // What a page still asks when it is closed has no answer.
      await recorder.settled();
    });
    return recorder.take();
  };
  const invocations = (): number => stage.codecServer.deployed.lambda.invocations;

  it('the CLI decodes with a service token, and not without', async () => {
    const args = ['workflow', 'show', '-w', 'order-4711', '-o', 'json'];
    const { code, plain } = await cli(...args, '--codec-auth', `Bearer ${ci.token}`);
    assert.equal(code, 0);
    assert.match(plain, /"card":"4000-1234"/);
    const without = await cli(...args);
    assert.notEqual(without.code, 0);
    assert.doesNotMatch(without.plain, /4000-1234|Lovelace/);
  });

  it('the CLI starts a workflow through /encode that the worker understands', async () => {
    const input = JSON.stringify({ customer: 'Grace Hopper', card: '4000-7777' });
    const args = ['-w', 'started', '--type', 'order', '--task-queue', TASK_QUEUE, '-i', input];
    const { code, stderr } = await cli('workflow', 'start', ...args, '--codec-auth', `Bearer ${ci.token}`);
    assert.equal(code, 0, stderr);
    const handle = stage.client.workflow.getHandle('started');
    assert.deepEqual(await handle.result(), { receipt: 'receipt for 4200 cents on 4000-7777', shippedTo: 'none' });
    assert.ok(!(await storedText(handle)).includes('Hopper'));
  });

  it('the Web UI shows the person with a rule what they may read, and the gateway answers preflights', async (t) => {
    const before = invocations();
    let first: Exchange[] = [];
    const second = await signedInAs(ALICE, async (ui) => {
      await ui.openRun(done, 'history');
      await ui.shows('"customer": "Ada Lovelace"', `receipt for 4200 cents on ${CARD}`);
      await recorder.settled();
      await screenshot(ui.page, 'deployed');
      first = recorder.take();
      await ui.openRun(done, 'history');
      await ui.shows('"customer": "Ada Lovelace"');
    });
    const preflights = first.filter(({ method }) => method === 'OPTIONS');
    assert.ok(preflights.length > 0);
    for (const { answerHeaders } of preflights) assert.equal(answerHeaders['access-control-max-age'], '7200');
    assert.ok(second.length > 0);
    assert.ok(second.every(({ method }) => method === 'POST'));
    assert.equal(invocations() - before, first.length - preflights.length + second.length);
    const counted = `${first.length - preflights.length} requests and ${preflights.length} preflights`;
    t.diagnostic(`first view ${counted}, second view ${second.length} requests and none`);
  });

  it('the Web UI tells somebody without a rule whom to ask', async () => {
    await signedInAs(MALLORY, async (ui) => {
      await ui.openRun(done, 'history');
      await ui.shows('mallory@example.com may not decode', NAMESPACE, 'no access rule allows it');
      assert.doesNotMatch(await ui.text(), /4000-1234|Lovelace/);
    });
  });

  it('the Web UI shows a page of 100 activities within the throttling of the stack', async (t) => {
    const made = await signedInAs(ALICE, async (ui) => {
      await ui.openRun(bulk, 'history');
      await ui.shows('receipt for');
    });
    const posts = made.filter(({ method }) => method === 'POST');
    assert.deepEqual([...new Set(posts.map(({ status }) => status))], [200]);
    t.diagnostic(`${posts.length} requests, ${made.length - posts.length} preflights`);
  });

  it('keeps tokens and plaintext out of the log', () => {
    const { log } = stage.codecServer.deployed.lambda;
    const text = log.join('\n');
    assert.match(text, /alice@example\.com/);
    assert.doesNotMatch(text, /Lovelace|4000-\d{4}|bulk-card|eyJ[\w-]+\.eyJ/);
    assert.ok(!text.includes(ci.token));
  });
});
