/** Temporal's Web UI in Chromium against the codec server: what a person sees, and what their browser sends. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { BrowserContext } from 'playwright-core';
import { freePort } from '../support/free-port.ts';
import { type Chromium, screenshot, startChromium } from './support/browser.ts';
import { strangersCodec } from './support/codec-server.ts';
import { assertAsDocumented } from './support/protocol.ts';
import { type Exchange, requestsAndPreflights } from './support/recorder.ts';
import { NAMESPACE, type Stage, setStage, storedText, TASK_QUEUE } from './support/stage.ts';
import { keepTraffic } from './support/traffic.ts';
import { versions } from './support/versions.ts';
import { type RunAddress, type WebUI, webUI } from './support/web-ui.ts';

const CARD = '4000-1234';
/** The most that Chromium keeps a preflight's answer, in seconds; the server is expected to ask for it. */
const MAX_AGE = '7200';

describe(`Temporal Web UI ${versions.webUI}`, () => {
  let stage: Stage;
  let chromium: Chromium;
  /** A Web UI whose codec endpoint its server sets. */
  let configured: string;
  /** The same with a trailing slash. */
  let configuredWithSlash: string;
  /** A Web UI without one. */
  let unconfigured: string;
  let done: RunAddress;
  let open: RunAddress;
  let refused: RunAddress;
  let bulk: RunAddress;
  const recorded: Exchange[] = [];

  before(async () => {
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    stage = await setStage({ origins: ports.map((port) => `http://localhost:${port}`) });
    configured = await stage.temporal.webUI({ codec: { endpoint: stage.recorder.origin } }, {}, ports[0]);
    unconfigured = await stage.temporal.webUI({}, {}, ports[1]);
    const slash = `${stage.recorder.origin}/`;
    configuredWithSlash = await stage.temporal.webUI({ codec: { endpoint: slash } }, {}, ports[2]);
    chromium = await startChromium();
    const run = async (workflowId: string, type: string, args: unknown[], finish: boolean): Promise<RunAddress> => {
      const handle = await stage.client.workflow.start(type, {
        taskQueue: TASK_QUEUE,
        workflowId,
        args,
        memo: { note: `memo for ${CARD}` },
        staticSummary: `summary for ${CARD}`,
        staticDetails: `static details for ${CARD}`,
      });
      if (finish) await handle.result().catch(() => {});
      return { namespace: NAMESPACE, workflowId, runId: handle.firstExecutionRunId };
    };
    const order = { customer: 'Ada Lovelace', card: CARD };
    done = await run('order-4711', 'order', [order], true);
    open = await run('order-4712', 'order', [{ ...order, waitForShipping: true }], false);
    refused = await run('order-4713', 'refusedOrder', ['4000-9999'], true);
    bulk = await run('bulk-order', 'bulkOrder', [100], true);
  });
  after(async () => {
    await chromium?.close();
    await stage?.stop();
  });

  /** Runs a check in a browser that was never used before, and keeps what it sent. */
  const inBrowser = async (
    origin: string,
    use: (ui: WebUI, context: BrowserContext) => Promise<void>,
  ): Promise<void> => {
    const context = await chromium.newContext();
    stage.recorder.take();
    try {
      await use(webUI(await context.newPage(), origin), context);
      // What a page still asks when it is closed has no answer.
      await stage.recorder.settled();
    } finally {
      await context.close();
    }
  };
  const requests = async (): Promise<Exchange[]> => {
    await stage.recorder.settled();
    const taken = stage.recorder.take();
    recorded.push(...taken);
    return taken;
  };
  const count = (exchanges: readonly Exchange[]): string => {
    const [requests, preflights] = requestsAndPreflights(exchanges);
    return `${requests.length} requests and ${preflights.length} preflights`;
  };

  it('without a codec endpoint shows ciphertext only', async () => {
    await inBrowser(unconfigured, async (ui) => {
      await ui.openRun(done, 'history');
      // Until the history has arrived the page shows an input, too: null.
      await ui.shows(/Input "[\w+/]{100}/);
      const text = await ui.text();
      for (const secret of [CARD, 'Lovelace', 'receipt for']) assert.ok(!text.includes(secret));
      await screenshot(ui.page, 'without-codec-server');
    });
    assert.equal(stage.recorder.take().length, 0);
  });

  it('shows the input and the result', async (t) => {
    await inBrowser(configured, async (ui) => {
      await ui.openRun(done, 'history');
      await ui.shows(
        '"customer": "Ada Lovelace"',
        `"card": "${CARD}"`,
        `"receipt": "receipt for 4200 cents on ${CARD}"`,
      );
      const made = await requests();
      await screenshot(ui.page, 'history');
      t.diagnostic(`${count(made)} for a history of 11 events`);
    });
  });

  it('sends no preflight for a second page view', async (t) => {
    await inBrowser(configured, async (ui) => {
      await ui.openRun(done, 'history');
      await ui.shows(`"card": "${CARD}"`);
      const first = await requests();
      await ui.openRun(done, 'history');
      await ui.shows(`"card": "${CARD}"`);
      const second = await requests();
      const preflights = first.filter(({ method }) => method === 'OPTIONS');
      assert.ok(preflights.length > 0);
      for (const { answerHeaders } of preflights) assert.equal(answerHeaders['access-control-max-age'], MAX_AGE);
      assert.ok(second.length > 0);
      assert.deepEqual(
        second.filter(({ method }) => method === 'OPTIONS').map(({ url }) => url),
        [],
      );
      t.diagnostic(`first ${count(first)}, then ${count(second)}`);
    });
  });

  it("shows an activity's input and summary", async () => {
    await inBrowser(configured, async (ui) => {
      await ui.openRun(done, 'history');
      await ui.page.getByText('Activity Task Scheduled').first().click();
      await ui.shows(`summary: charging ${CARD}`, `"${CARD}"`, '4200');
      await requests();
    });
  });

  it('shows what failed, in the encoded attributes of the failure', async () => {
    await inBrowser(configured, async (ui) => {
      await ui.openRun(refused, 'history');
      await ui.shows('"message": "card 4000-9999 was refused"');
      await screenshot(ui.page, 'failure');
      await requests();
    });
  });

  it('shows the memo', async () => {
    await inBrowser(configured, async (ui) => {
      await ui.openRun(done, 'memo');
      await ui.shows(`memo for ${CARD}`);
      await requests();
    });
  });

  it('shows summary, details and current details', async () => {
    await inBrowser(configured, async (ui) => {
      await ui.openRun(open, 'user-metadata');
      await ui.shows(`summary for ${CARD}`, `static details for ${CARD}`, `details: waiting with ${CARD}`);
      await screenshot(ui.page, 'user-metadata');
      await requests();
    });
  });

  it('runs a query, whose answer travels encrypted', async (t) => {
    await inBrowser(configured, async (ui) => {
      await ui.openRun(open, 'query');
      await ui.query('customerOf', '"who asks"');
      await ui.shows('"asked": "who asks"', '"customer": "Ada Lovelace"');
      const made = operations(await requests());
      assert.ok(made.includes('decode'));
      // Encrypting it or not is up to the Web UI; the worker understands both.
      t.diagnostic(made.includes('encode') ? 'the argument travels encrypted' : 'the argument is sent as plain text');
    });
  });

  it('sends a signal that the worker understands', async () => {
    await inBrowser(configured, async (ui) => {
      await ui.openRun(open, 'history');
      await ui.signal('ship', '{"address":"12 Secret Street"}');
    });
    await requests();
    const handle = stage.client.workflow.getHandle(open.workflowId);
    assert.equal(((await handle.result()) as { shippedTo: string }).shippedTo, '12 Secret Street');
    assert.ok(!(await storedText(handle)).includes('Secret Street'));
  });

  it('starts a workflow through /encode that the worker understands', async () => {
    await inBrowser(configured, async (ui) => {
      const form = { namespace: NAMESPACE, workflowId: 'from-the-ui', taskQueue: TASK_QUEUE, type: 'order' };
      await ui.startWorkflow({ ...form, input: '{"customer":"Grace Hopper","card":"4000-7777"}' });
    });
    assert.ok(operations(await requests()).includes('encode'));
    const handle = stage.client.workflow.getHandle('from-the-ui');
    assert.deepEqual(await handle.result(), { receipt: 'receipt for 4200 cents on 4000-7777', shippedTo: 'none' });
    assert.ok(!(await storedText(handle)).includes('Hopper'));
  });

  it('exports a history of 100 activities decoded, and one encoded', async (t) => {
    await inBrowser(configured, async (ui) => {
      await ui.openRun(bulk, 'history');
      await ui.shows('receipt for');
      await requests();
      const begin = performance.now();
      const readable = await ui.downloadHistory('Human Readable');
      const took = performance.now() - begin;
      const made = await requests();
      for (let i = 0; i < 100; i++) assert.ok(readable.includes(`receipt for ${i} cents on bulk-card-${i}`), `${i}`);
      const { events } = JSON.parse(readable) as { events: unknown[] };
      t.diagnostic(`${events.length} events, ${count(made)}, ${(took / 1000).toFixed(1)} s`);
    });
    await inBrowser(configured, async (ui) => {
      await ui.openRun(refused, 'history');
      const failed = await ui.downloadHistory('Human Readable');
      // Too far down for the page, which renders only what fits.
      assert.match(failed, /card 4000-9999 was refused/);
      assert.match(failed, /secret-limit/);
      assert.doesNotMatch(await ui.downloadHistory('Encoded'), /4000-9999|secret-limit/);
    });
  });

  it('shows a page of 100 activities', async (t) => {
    await inBrowser(configured, async (ui) => {
      const begin = performance.now();
      await ui.openRun(bulk, 'history');
      await ui.shows('receipt for');
      const took = performance.now() - begin;
      const made = await requests();
      t.diagnostic(`${count(made)}, readable after ${(took / 1000).toFixed(1)} s`);
    });
  });

  for (const [how, suffix, path] of [
    ['as it is', '', '/decode'],
    ['with a trailing slash, which the Web UI takes off', '/', '/decode'],
    ['behind a prefix', '/codec/v1', '/codec/v1/decode'],
    ['with a literal {namespace}', '/{namespace}', '/%7Bnamespace%7D/decode'],
  ] as const) {
    it(`decodes with an endpoint set in the browser, ${how}`, async () => {
      await inBrowser(unconfigured, async (ui) => {
        await ui.setBrowserEndpoint(NAMESPACE, `${stage.recorder.origin}${suffix}`);
        if (suffix === '') await screenshot(ui.page, 'browser-endpoint');
        await requests();
        await ui.openRun(done, 'history');
        await ui.shows('"customer": "Ada Lovelace"');
        const paths = new Set((await requests()).map(({ url }) => url));
        assert.deepEqual([...paths], [`${path}?preserveStorageRefs=true`]);
      });
    });
  }

  it('decodes with a trailing slash in the endpoint that its server sets', async () => {
    await inBrowser(configuredWithSlash, async (ui) => {
      await ui.openRun(done, 'history');
      await ui.shows('"customer": "Ada Lovelace"');
      assert.deepEqual([...new Set((await requests()).map(({ url }) => url))], ['//decode?preserveStorageRefs=true']);
    });
  });

  it('decodes with cross-origin credentials included', async () => {
    await inBrowser(unconfigured, async (ui) => {
      await ui.setBrowserEndpoint(NAMESPACE, stage.recorder.origin, { includeCredentials: true });
      await requests();
      await ui.openRun(done, 'history');
      await ui.shows('"customer": "Ada Lovelace"');
      for (const { answerHeaders, headers } of await requests()) {
        assert.equal(answerHeaders['access-control-allow-origin'], headers.origin);
        assert.equal(answerHeaders['access-control-allow-credentials'], 'true');
      }
    });
  });

  it('gives a page of a foreign origin nothing', async () => {
    const foreign = await stage.temporal.webUI({ codec: { endpoint: stage.recorder.origin } });
    await inBrowser(foreign, async (ui) => {
      await ui.openRun(done, 'history');
      await ui.shows('Codec Server could not connect');
      await stage.recorder.settled();
      const text = await ui.text();
      for (const secret of [CARD, 'Lovelace', 'receipt for']) assert.ok(!text.includes(secret));
      const made = stage.recorder.take();
      assert.ok(made.length > 0);
      for (const { answer, answerHeaders } of made) {
        assert.equal(answerHeaders['access-control-allow-origin'], undefined);
        assert.doesNotMatch(Buffer.from(answer, 'base64').toString('latin1') + answer, /Lovelace|4000-1234/);
      }
    });
  });

  it('tells the person why a payload cannot be decoded, and shows the others', async () => {
    const stranger = stage.clientWith(strangersCodec(NAMESPACE));
    const { firstExecutionRunId: runId } = await stranger.workflow.start('order', {
      taskQueue: 'nobody-listens',
      workflowId: 'unreadable',
      args: [{ customer: 'Ada Lovelace', card: CARD }],
    });
    await inBrowser(configured, async (ui) => {
      await ui.openRun({ namespace: NAMESPACE, workflowId: 'unreadable', runId }, 'history');
      await ui.shows('this payload cannot be opened');
      await requests();
      await screenshot(ui.page, 'undecodable');
    });
  });

  it('shows ciphertext and a banner while the server is down, and the page still works', async () => {
    await inBrowser(configured, async (ui) => {
      stage.recorder.intercept = () => 'hang-up';
      try {
        await ui.openRun(done, 'history');
        await ui.shows('Codec Server could not connect');
        const text = await ui.text();
        for (const secret of [CARD, 'Lovelace', 'receipt for']) assert.ok(!text.includes(secret));
        await screenshot(ui.page, 'server-down');
      } finally {
        await stage.recorder.settled();
        stage.recorder.intercept = undefined;
        stage.recorder.take();
      }
      await ui.openRun(done, 'history');
      await ui.shows('"customer": "Ada Lovelace"');
    });
  });

  it('sends what the protocol page says it sends', () => {
    const [posts, preflights] = requestsAndPreflights(recorded);
    assert.ok(posts.length > 100);
    keepTraffic(`Temporal Web UI ${versions.webUI}`, NAMESPACE, recorded);
    assert.deepEqual(assertAsDocumented('Web UI', NAMESPACE, posts).operations, ['/decode', '/encode']);
    assert.deepEqual(assertAsDocumented('Web UI, preflight', NAMESPACE, preflights).operations, ['/decode', '/encode']);
    for (const { headers, status } of posts) {
      assert.equal(headers.authorization, undefined);
      assert.equal(status, 200);
    }
  });
});

function operations(exchanges: readonly Exchange[]): string[] {
  const posts = exchanges.filter(({ method }) => method === 'POST');
  return [...new Set(posts.map(({ url }) => /\/(\w+)\?/.exec(url)?.[1] ?? url))].sort();
}
