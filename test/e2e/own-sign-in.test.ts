/** People sign in at the codec server itself, and read in a Web UI on the same site with credentials switched on. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { CODEC_CLIENT, CODEC_CLIENT_SECRET, IdentityProvider } from '../support/identity-provider.ts';
import { type Chromium, screenshot, startChromium } from './support/browser.ts';
import { selfSignedCertificate } from './support/certificates.ts';
import { NAMESPACE, type Stage, setStage, TASK_QUEUE } from './support/stage.ts';
import { versions } from './support/versions.ts';
import { type RunAddress, webUI } from './support/web-ui.ts';

const CARD = '4000-1234';
const ALICE = { sub: 'user-alice', email: 'alice@example.com', email_verified: true };

describe(`Temporal Web UI ${versions.webUI} with sessions of the codec server's own sign-in`, () => {
  let provider: IdentityProvider;
  let stage: Stage;
  let chromium: Chromium;
  let codec: string;
  let ui: string;
  let done: RunAddress;

  before(async () => {
    const certificate = selfSignedCertificate();
    const [codecPort, uiPort] = [await freePort(), await freePort()];
    codec = `https://localhost:${codecPort}`;
    provider = await IdentityProvider.start({ certificate, redirectUris: [`${codec}/callback`] });
    provider.person = ALICE;
    const folder = dirname(certificate.certFile);
    const secretFile = join(folder, 'client-secret');
    writeFileSync(secretFile, CODEC_CLIENT_SECRET, { mode: 0o600 });
    stage = await setStage({
      certificate,
      port: codecPort,
      env: { NODE_EXTRA_CA_CERTS: certificate.certFile },
      origins: [`https://localhost:${uiPort}`],
      config: {
        identity: {
          issuers: [],
          serviceTokens: null,
          signIn: {
            issuer: provider.issuer,
            clientId: CODEC_CLIENT,
            clientSecret: { file: secretFile },
            publicUrl: codec,
            sessionKeys: { file: join(folder, 'session-keys.json') },
          },
        },
        access: [{ name: 'order desk', namespaces: [NAMESPACE], people: [{ email: ALICE.email }], allow: ['decode'] }],
      },
    });
    const { certFile, keyFile } = certificate;
    const settings = { codec: { endpoint: codec, includeCredentials: true }, uiServerTLS: { certFile, keyFile } };
    ui = await stage.temporal.webUI(settings, {}, uiPort);
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
    await stage?.stop();
    await provider?.close();
  });

  it('reads once signed in, and no more once signed out', async () => {
    const context = await chromium.newContext({ ignoreHTTPSErrors: true });
    try {
      const page = await context.newPage();
      const web = webUI(page, ui);
      await web.openRun(done, 'history');
      await web.shows('Codec Server could not connect');
      assert.ok(!(await web.text()).includes(CARD));

      await page.goto(`${codec}/login`);
      await page.waitForURL(`${codec}/`);
      const status = await page.innerText('body');
      for (const text of [ALICE.email, NAMESPACE, 'Include cross-origin credentials'])
        assert.ok(status.includes(text), text);
      await screenshot(page, 'own-sign-in-status');
      const cookies = await context.cookies(codec);
      const session = cookies.find(({ name }) => name === '__Host-codec-server-session');
      assert.deepEqual(
        [session?.httpOnly, session?.secure, session?.sameSite, session?.path, session?.domain],
        [true, true, 'None', '/', 'localhost'],
      );

      await web.openRun(done, 'history');
      await web.shows('"customer": "Ada Lovelace"', `receipt for 4200 cents on ${CARD}`);
      await screenshot(page, 'own-sign-in-history');

      await page.goto(`${codec}/`);
      await page.getByRole('link', { name: 'Sign out' }).click();
      await page.getByText('You are signed out').waitFor();
      await web.openRun(done, 'history');
      await web.shows('Codec Server could not connect');
      assert.ok(!(await web.text()).includes(CARD));
    } finally {
      await context.close();
    }
  });

  it('says who read, and keeps cookies and plaintext out of what the server prints', async () => {
    const { prints, output } = stage.codecServer;
    await prints(/"caller":\{"method":"session","subject":"user-alice","email":"alice@example\.com"/);
    await prints(/"operation":"sign-in-callback","status":303/);
    const printed = output();
    assert.doesNotMatch(printed, /Lovelace|4000-1234|__Host-|client-secret-of/);
  });
});
