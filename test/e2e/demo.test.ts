/** `npm run demo`, as somebody who looks at the project for the first time runs it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Chromium, screenshot, startChromium } from './support/browser.ts';
import { suiteRoot } from './support/paths.ts';
import { freePort, type Running, start } from './support/processes.ts';
import { webUI } from './support/web-ui.ts';

describe('npm run demo', () => {
  let demo: Running;
  let chromium: Chromium;

  before(async () => {
    const [temporal, ui, codec] = await Promise.all([freePort(), freePort(), freePort()]);
    const ports = ['--temporal-port', `${temporal}`, '--ui-port', `${ui}`, '--codec-port', `${codec}`];
    demo = await start(process.execPath, [join(suiteRoot, 'demo.ts'), ...ports], {
      ready: 'Ctrl-C ends it.',
      patience: 120_000,
    });
    chromium = await startChromium();
  });
  after(async () => {
    await chromium?.close();
    await demo?.stop();
  });

  it('prints a Web UI address that shows an encrypted workflow in plain text', async () => {
    const address = /^Web UI +(\S+)$/m.exec(demo.output())?.[1] ?? '';
    const context = await chromium.newContext();
    const page = await context.newPage();
    await page.goto(address);
    await webUI(page, new URL(address).origin).shows('"customer": "Ada Lovelace"', '"card": "4000-1234"');
    await page.waitForTimeout(500);
    await screenshot(page, 'demo');
    await context.close();
  });

  it('prints the codec server, which is alive', async () => {
    const address = /^Codec server +(\S+)$/m.exec(demo.output())?.[1] ?? '';
    assert.equal((await fetch(`${address}/healthz`)).status, 200);
  });

  it('ends on Ctrl-C with everything it started', async () => {
    const address = /^Codec server +(\S+)$/m.exec(demo.output())?.[1] ?? '';
    assert.equal(await demo.stop('SIGINT'), 0);
    await assert.rejects(fetch(`${address}/healthz`));
  });
});
