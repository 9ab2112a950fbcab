/** `npm run demo`, as somebody who looks at the project for the first time runs it: everything that it prints is tried. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/patience.ts';
import { sideBySide } from './demo/side-by-side.ts';
import { type Chromium, screenshot, startChromium } from './support/browser.ts';
import { projectRoot, suiteRoot } from './support/paths.ts';
import { type Outcome, type Running, run, start } from './support/processes.ts';
import { type WebUI, webUI } from './support/web-ui.ts';

const SECRETS = /Lovelace|4000-1234|4200|packers/;

describe('npm run demo', () => {
  let demo: Running;
  let chromium: Chromium;
  /** Printed lines that are commands, addresses or outputs, until a check has tried them. */
  let untried: string[] = [];
  let ui: string;

  before(async () => {
    const [temporal, uiPort, codec] = await Promise.all([freePort(), freePort(), freePort()]);
    ui = `${uiPort}`;
    const ports = ['--temporal-port', `${temporal}`, '--ui-port', ui, '--codec-port', `${codec}`];
    demo = await start(process.execPath, [join(suiteRoot, 'demo.ts'), ...ports], {
      cwd: projectRoot,
      env: { INIT_CWD: projectRoot },
      ready: 'Ctrl-C ends the demo.',
    });
    untried = [...demo.output().matchAll(/^ {4}(.*\S)$/gm)].map(([, line = '']) => line.trim());
    chromium = await startChromium();
  });
  after(async () => {
    await chromium?.close();
    await demo?.stop();
  });

  /** Takes the lines that match off the list of what is to be tried. */
  const take = (pattern: RegExp): string[] => {
    const taken = untried.filter((line) => pattern.test(line));
    assert.ok(taken.length > 0, `it prints no line like ${pattern}`);
    untried = untried.filter((line) => !pattern.test(line));
    return taken;
  };
  /** Runs a line as it stands, in the shell of somebody who has no `temporal` on the PATH. */
  const shell = (line: string): Promise<Outcome> => run('bash', ['-c', line], { cwd: projectRoot });
  const open = async (address: string, use: (page: WebUI) => Promise<void>): Promise<void> => {
    const context = await chromium.newContext();
    const page = await context.newPage();
    await page.goto(address);
    await use(webUI(page, new URL(address).origin));
    await context.close();
  };

  it('shows ciphertext beside plaintext, as the two commands that it prints do', async () => {
    const commands = take(/^\S+temporal workflow show --detailed /);
    const [stored, read] = await Promise.all(commands.map(shell));
    assert.equal(commands.length, 2);
    assert.doesNotMatch(stored?.stdout ?? '', SECRETS);
    assert.match(read?.stdout ?? '', /^input\[0\]\.customer: Ada Lovelace$/m);
    const rows = take(/^(\[\d+\] \w+$|.*\| )/);
    assert.deepEqual(
      rows,
      sideBySide(stored?.stdout ?? '', read?.stdout ?? '', 116).map((row) => row.trim()),
    );
    assert.ok(
      rows.some((row) => /^input\S+: AgR4\S+… \| input\[0\]\.card: 4000-1234$/.test(row)),
      rows.join('\n'),
    );
    assert.ok(rows.some((row) => /^result\S+: AgR4\S+… \| result\[0\]\.receipt: receipt for 4200 cents/.test(row)));
  });

  it('prints two addresses of one page in a browser: as it is stored, and readable', async () => {
    const [stored = ''] = take(/^http:\/\/127\.0\.0\.1:\S+\/history$/);
    const [readable = ''] = take(/^http:\/\/localhost:\S+\/order-4711\/\S+\/history$/);
    await open(readable, async ({ page, shows }) => {
      await shows('"customer": "Ada Lovelace"', '"card": "4000-1234"');
      await page.waitForTimeout(500);
      await screenshot(page, 'demo');
    });
    await open(stored, async ({ page, shows, text }) => {
      await shows('"AgR4');
      await page.waitForTimeout(500);
      assert.doesNotMatch(await text(), SECRETS);
      await screenshot(page, 'demo-stored');
    });
  });

  it('prints an address where somebody without a right reads why, in the very words that it prints', async () => {
    const [address = ''] = take(/^http:\/\/localhost:\S+\/payroll\/\S+\/history$/);
    const [sentence = ''] = take(/^"Codec server: /);
    assert.match(
      sentence,
      /may not decode payloads of the namespace payroll: no access rule allows it \(request \S+\)"$/,
    );
    await open(address, async ({ page, shows, text }) => {
      await shows(sentence.slice(1).replace(/\(request.*/, ''));
      assert.doesNotMatch(await text(), SECRETS);
      await page.waitForTimeout(500);
      await screenshot(page, 'demo-denied');
    });
  });

  it('prints the audit lines of both, and the file in which one appears for each request', async () => {
    const [served, denied] = take(/^\{"type":"audit"/).map((line) => JSON.parse(line));
    assert.deepEqual([served.opened, served.payloads.decoded > 0], [['default'], true]);
    assert.deepEqual([denied.namespaces.denied, denied.payloads], [['payroll'], { denied: 1 }]);
    const [tail = ''] = take(/^tail -f /);
    const following = await start('bash', ['-c', `exec ${tail} -n +1`], { cwd: projectRoot, ready: 'audit' });
    const lines = (text: string) =>
      following
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{"type":"audit"') && line.includes(text)).length;
    try {
      // Those of the pages that were opened above, and of the demo itself.
      await until(
        () => lines(`"origin":"http://localhost:${ui}"`) > 2 && lines('"denied":["payroll"]') > 1,
        () => `not every request is in it: ${following.output()}`,
      );
      await following.prints(/got a 403: .*127\.0\.0\.1/);
      assert.doesNotMatch(following.output(), SECRETS);
    } finally {
      await following.stop();
    }
  });

  it('prints a signal and a result that can be sent and read as they stand', async () => {
    const [signal = ''] = take(/^\S+temporal workflow signal /);
    const [result = ''] = take(/^\S+temporal workflow result /);
    assert.equal((await shell(signal)).code, 0);
    assert.match((await shell(result)).stdout, /12 Secret Street/);
    const stored = await shell(result.replace(/ --codec-endpoint \S+/, ''));
    assert.doesNotMatch(stored.stdout, /Secret/);
  });

  it('prints nothing else that could be tried', () => {
    assert.deepEqual(untried, []);
  });

  it('ends on Ctrl-C with everything it started', async () => {
    const [endpoint = ''] = /http:\/\/localhost:\d+(?= --name ship)/.exec(demo.output()) ?? [];
    assert.equal((await fetch(`${endpoint}/healthz`)).status, 200);
    assert.equal(await demo.stop('SIGINT'), 0);
    await assert.rejects(fetch(`${endpoint}/healthz`));
  });
});
