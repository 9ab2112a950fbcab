/** The Web UI with people signed in: "Pass access token" over HTTPS, with an issuer of our own. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { signingKeyOf } from '../support/https-issuer.ts';
import { type Chromium, screenshot, startChromium } from './support/browser.ts';
import { type Certificate, selfSignedCertificate } from './support/certificates.ts';
import { assertAsDocumented } from './support/protocol.ts';
import { type Exchange, type Recorder, requestsAndPreflights, startRecorder } from './support/recorder.ts';
import { signInAs, startSignInWebUI } from './support/sign-in.ts';
import { API_AUDIENCE, CLIENT_ID, type SignInIssuer, startSignInIssuer } from './support/sign-in-issuer.ts';
import { NAMESPACE, type Stage, setStage, TASK_QUEUE } from './support/stage.ts';
import { keepTraffic } from './support/traffic.ts';
import { versions } from './support/versions.ts';
import type { RunAddress, WebUI } from './support/web-ui.ts';

const CARD = '4000-1234';
const ALICE = { sub: 'user-alice', email: 'alice@example.com', email_verified: true };
const MALLORY = { sub: 'user-mallory', email: 'mallory@example.com', email_verified: true };

describe(`Temporal Web UI ${versions.webUI} with sign-in`, () => {
  let certificate: Certificate;
  let issuer: SignInIssuer;
  let stage: Stage;
  let chromium: Chromium;
  /** HTTPS in front of the codec server. */
  let recorder: Recorder;
  let configured: string;
  let done: RunAddress;

  before(async () => {
    certificate = selfSignedCertificate();
    issuer = await startSignInIssuer(certificate);
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    const trust = { issuer: issuer.issuer, jwksUri: issuer.jwksUri };
    stage = await setStage({
      certificate,
      env: { NODE_EXTRA_CA_CERTS: certificate.certFile },
      origins: [origin],
      config: {
        identity: {
          issuers: [
            { type: 'oidc', ...trust, audience: API_AUDIENCE, from: 'authorization' },
            { type: 'oidc', ...trust, audience: CLIENT_ID, from: 'authorization-extras' },
          ],
          serviceTokens: null,
        },
        access: [
          {
            name: 'order desk',
            namespaces: [NAMESPACE],
            people: [{ email: ALICE.email }],
            allow: ['decode', 'encode'],
          },
        ],
      },
    });
    recorder = await startRecorder({ target: stage.codecServer.origin, certificate, hostname: 'localhost' });
    configured = await startSignInWebUI(stage.temporal, {
      issuer,
      certificate,
      port,
      codec: { endpoint: recorder.origin, passAccessToken: true },
    });
    chromium = await startChromium();
    const handle = await stage.client.workflow.start('order', {
      taskQueue: TASK_QUEUE,
      workflowId: 'order-4711',
      args: [{ customer: 'Ada Lovelace', card: CARD }],
    });
    await handle.result();
    done = { namespace: NAMESPACE, workflowId: 'order-4711', runId: handle.firstExecutionRunId };
  });
  after(async () => {
    await chromium?.close();
    await recorder?.stop();
    await stage?.stop();
    await issuer?.stop();
  });

  /** Has somebody who signed in use the Web UI. @returns what their browser sent to the codec server */
  const signedInAs = async (
    person: Record<string, unknown>,
    use: (ui: WebUI) => Promise<void>,
  ): Promise<Exchange[]> => {
    recorder.take();
    await signInAs(person, { chromium, issuer, origin: configured }, async (ui) => {
      await use(ui);
      // What a page still asks when it is closed has no answer.
      await recorder.settled();
    });
    return recorder.take();
  };
  const hidesEverything = async (ui: WebUI): Promise<void> => {
    const text = await ui.text();
    for (const secret of [CARD, 'Lovelace', 'receipt for']) assert.ok(!text.includes(secret), secret);
  };

  it('passes the access token and the ID token over HTTPS, and shows what the rules allow', async (t) => {
    const made = await signedInAs(ALICE, async (ui) => {
      await ui.openRun(done, 'history');
      await ui.shows('"customer": "Ada Lovelace"', `receipt for 4200 cents on ${CARD}`);
      await recorder.settled();
      await screenshot(ui.page, 'signed-in');
    });
    const posts = made.filter(({ method }) => method === 'POST');
    assert.ok(posts.length > 0);
    for (const { headers } of posts) {
      assert.match(headers.authorization ?? '', /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/);
      assert.match(String(headers['authorization-extras'] ?? ''), /^[\w-]+\.[\w-]+\.[\w-]+$/);
    }
    for (const { headers } of made.filter(({ method }) => method === 'OPTIONS')) {
      assert.equal(headers.authorization, undefined);
      const asked = headers['access-control-request-headers']?.split(',').sort();
      assert.deepEqual(asked, ['authorization', 'authorization-extras', 'content-type', 'x-namespace']);
    }
    const [requests, preflights] = requestsAndPreflights(made);
    assert.deepEqual(assertAsDocumented('Web UI', NAMESPACE, requests).operations, ['/decode']);
    assert.deepEqual(assertAsDocumented('Web UI, preflight', NAMESPACE, preflights).operations, ['/decode']);
    keepTraffic(`Temporal Web UI ${versions.webUI} with sign-in`, NAMESPACE, made);
    const size = Math.max(...posts.map(({ headers }) => JSON.stringify(headers).length));
    t.diagnostic(`${posts.length} requests and ${made.length - posts.length} preflights, headers of ${size} bytes`);
  });

  it('tells somebody without a rule who they are, what they may not read and which rule to ask for', async () => {
    await signedInAs(MALLORY, async (ui) => {
      await ui.openRun(done, 'history');
      await ui.shows('mallory@example.com may not decode', NAMESPACE, 'no access rule allows it');
      await hidesEverything(ui);
      await recorder.settled();
      await screenshot(ui.page, 'denied');
    });
  });

  it('shows ciphertext and a banner to a forged token', async () => {
    issuer.forgedBy = signingKeyOf('forged', generateKeyPairSync('rsa', { modulusLength: 2048 }), 'RS256');
    try {
      const made = await signedInAs(ALICE, async (ui) => {
        await ui.openRun(done, 'history');
        await ui.shows('Codec Server could not connect');
        await hidesEverything(ui);
        await screenshot(ui.page, 'forged-token');
      });
      const posts = made.filter(({ method }) => method === 'POST');
      assert.ok(posts.length > 0);
      for (const { status, answerHeaders } of posts) {
        assert.equal(status, 401);
        assert.equal(answerHeaders['access-control-allow-origin'], configured);
      }
    } finally {
      issuer.forgedBy = undefined;
    }
  });

  it('shows ciphertext when the browser is told not to pass the token', async () => {
    const made = await signedInAs(ALICE, async (ui) => {
      await ui.setBrowserEndpoint(NAMESPACE, recorder.origin);
      await recorder.settled();
      recorder.take();
      await ui.openRun(done, 'history');
      await ui.shows('Codec Server could not connect');
      await hidesEverything(ui);
    });
    for (const { headers } of made) assert.equal(headers.authorization, undefined);
    assert.deepEqual([...new Set(made.filter(({ method }) => method === 'POST').map(({ status }) => status))], [401]);
  });

  it('decodes with token and endpoint set in the browser', async () => {
    await signedInAs(ALICE, async (ui) => {
      await ui.setBrowserEndpoint(NAMESPACE, recorder.origin, { passAccessToken: true });
      await ui.openRun(done, 'history');
      await ui.shows('"customer": "Ada Lovelace"');
    });
  });

  it('keeps tokens and plaintext out of what the server prints', async () => {
    await stage.codecServer.prints(/alice@example\.com/);
    const printed = stage.codecServer.output();
    assert.doesNotMatch(printed, /Lovelace|4000-1234|eyJ[\w-]+\.eyJ/);
  });
});
