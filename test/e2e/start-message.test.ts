/** What `codec-server start` prints, and the page on HTTPS: every line of it typed by somebody with a Temporal CLI. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { createPayloadCodec } from '../../codec/index.ts';
import { freePort } from '../support/free-port.ts';
import { type Chromium, startChromium } from './support/browser.ts';
import { artifactRoot, projectRoot } from './support/paths.ts';
import { type Outcome, type Running, run, start } from './support/processes.ts';
import { startTemporal, type Temporal } from './support/temporal.ts';
import { temporalCli } from './support/tools.ts';
import { webUI } from './support/web-ui.ts';
import { dataConverterWith } from './support/worker.ts';

const WORKFLOW = 'order-4711';
const SECRET = { customer: 'Ada Lovelace' };

let temporal: Temporal;
let ui: string;
let folder: string;
let shellPath: string;

/** Types a command line, with a `temporal` on the PATH. */
const shell = (line: string, env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  run('bash', ['-c', line], { cwd: folder, env: { PATH: shellPath, ...env } });

/** Starts a workflow that nobody works on, encrypted with a server's keyring. @returns its run */
async function startOrder(keyring: string, address: string): Promise<string> {
  const connection = await Connection.connect({ address });
  try {
    const codec = createPayloadCodec({ namespace: 'default', keys: { keyring } });
    const client = new Client({ connection, dataConverter: dataConverterWith(codec) });
    const options = { taskQueue: 'nobody-listens', workflowId: WORKFLOW, args: [SECRET] };
    return (await client.workflow.start('order', options)).firstExecutionRunId;
  } finally {
    await connection.close();
  }
}

before(async () => {
  mkdirSync(artifactRoot, { recursive: true });
  folder = mkdtempSync(join(artifactRoot, 'start-message-'));
  shellPath = `${dirname(await temporalCli())}:${process.env['PATH']}`;
  const port = await freePort();
  ui = `http://localhost:${port}`;
  temporal = await startTemporal(['default'], { ui: { port } });
});
after(async () => await temporal?.stop());

describe('what codec-server start prints', () => {
  let server: Running;
  let chromium: Chromium;
  let runId: string;
  const printed = (pattern: RegExp): string => {
    const [, text] = pattern.exec(server.output()) ?? [];
    assert.ok(text !== undefined, `it prints nothing like ${pattern}: ${server.output()}`);
    return text;
  };

  before(async () => {
    const program = join(projectRoot, 'bin/codec-server.ts');
    const args = ['start', '--port', `${await freePort()}`, '--keyring', 'keyring.json', '--origin', ui];
    server = await start(process.execPath, [program, ...args], { cwd: folder, ready: 'Ctrl-C stops it.' });
    runId = await startOrder(printed(/^Keyring: +(\/\S+keyring\.json), made just now/m), temporal.address);
    chromium = await startChromium();
  });
  after(async () => {
    await chromium?.close();
    await server?.stop();
  });

  const shows = async (origin: string, run: string, use: (page: ReturnType<typeof webUI>) => Promise<void>) => {
    const context = await chromium.newContext();
    const page = webUI(await context.newPage(), origin);
    await use(page);
    await page.openRun({ namespace: 'default', workflowId: WORKFLOW, runId: run }, 'history');
    await page.shows('"customer": "Ada Lovelace"');
    await context.close();
  };

  it('a command line of the CLI that shows the input, which the same line without the endpoint does not', async () => {
    const line = `${printed(/^CLI: +(temporal .+)$/m).replace('YOUR-WORKFLOW', WORKFLOW)} --address ${temporal.address}`;
    const [read, stored] = [await shell(line), await shell(line.replace(/ --codec-endpoint \S+/, ''))];
    assert.match(read.stdout, /^input\[0\]\.customer: Ada Lovelace$/m, read.stderr);
    assert.equal(stored.code, 0);
    assert.doesNotMatch(stored.stdout, /Lovelace/);
  });

  it('the endpoint for the glasses of a Web UI, whose origin --origin has added', async () => {
    const endpoint = printed(/^Web UI: +Configure Codec Server \(glasses, top right\): (\S+)$/m);
    assert.ok(printed(/^Origins: +(.+) \(start with --origin to allow one more\)$/m).includes(ui));
    await shows(ui, runId, async (page) => await page.setBrowserEndpoint('default', endpoint));
  });

  it('a development server whose Web UI decodes for everybody who opens it', async () => {
    const [port, uiPort] = [await freePort(), new URL(ui).port];
    const line = `exec ${printed(/^ +or for all who use a dev server: (temporal .+)$/m)} --ip 127.0.0.1 --port ${port} --ui-port ${uiPort}`;
    await temporal.stop();
    const dev = await start('bash', ['-c', line], { env: { PATH: shellPath }, ready: 'Temporal Metrics:' });
    try {
      await shows(ui, await startOrder(join(folder, 'keyring.json'), `127.0.0.1:${port}`), async () => {});
    } finally {
      await dev.stop();
      temporal = await startTemporal(['default']);
    }
  });

  it('a curl that decodes, and what makes its answer readable', async () => {
    const [curl, append] = [printed(/^(curl .+)$/m), printed(/^ {2}(\| node .+)$/m)];
    assert.equal((await shell(`${curl} ${append}`)).stdout.trim(), '"Hello from your codec server"');
  });
});

describe('docs/local-https.md', () => {
  const started: Running[] = [];
  after(async () => {
    for (const it of started) await it.stop();
  });

  it('shows the token of alice to the CLI, and nothing without', async () => {
    const page = readFileSync(join(projectRoot, 'docs/local-https.md'), 'utf8').replaceAll(/\\\n\s*/g, '');
    const [serve = '', use = ''] = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
    const [port, issuerPort] = [`${await freePort()}`, `${await freePort()}`];
    const config = readFileSync(join(projectRoot, 'examples/local-https/config.ts'), 'utf8');
    writeFileSync(
      join(folder, 'config.ts'),
      config
        .replaceAll('localhost:8899', `localhost:${issuerPort}`)
        .replaceAll(/\.\.\/\.\.\/(?=config|environments)/g, `${projectRoot}/`),
    );
    // The lines of the page, with the root for the folder, other ports, and the keyring of the workflow below.
    const here = (text: string) =>
      text
        .replaceAll(/(?<![\w.])(node_modules|examples\/local-https\/issuer)/g, `${projectRoot}/$1`)
        .replace('cert.pem key.pem &', `cert.pem key.pem ${issuerPort} &`)
        .replace(
          'npm start -- --config examples/local-https/config.ts',
          `npm start --prefix ${projectRoot} -- --config config.ts --keyring https.json --port ${port}`,
        )
        .replaceAll('localhost:8888', `localhost:${port}`);
    // As a group, as in a terminal: the issuer ends with it.
    const running = await start('bash', ['-c', here(serve)], {
      cwd: folder,
      // What npm says of this process is not so of that shell.
      env: { INIT_CWD: folder },
      ready: 'Ctrl-C stops it.',
      group: true,
    });
    started.push(running);
    const token = (await running.prints(/(?<=valid for 8 hours:\n)\S+(?=\n)/)) ?? '';
    await startOrder(join(folder, 'https.json'), temporal.address);

    const lines = here(use).replace('TOKEN=…', `TOKEN=${token}`).replace('my-workflow', WORKFLOW);
    const { stdout, stderr } = await shell(lines.replace(/(?=\n$)/, ` --address ${temporal.address}`));
    assert.match(stdout, /\{"payloads":\[\{"metadata"/);
    assert.match(stdout, /^input\[0\]\.customer: Ada Lovelace$/m, stderr);
    const curl = /^curl .+$/m.exec(lines)?.[0].replace(/-H "Authorization[^"]+"/, '-w " %{http_code}"') ?? '';
    assert.match((await shell(curl)).stdout, / 401$/);

    // And the line that the server itself prints over https.
    const printed = /^CLI: +(SSL_CERT_FILE=.+)$/m.exec(running.output())?.[1] ?? '';
    const own = printed.replace('YOUR-WORKFLOW', WORKFLOW).replace('TOKEN', token);
    assert.match((await shell(`${own} --address ${temporal.address}`)).stdout, /Ada Lovelace/);
  });
});
