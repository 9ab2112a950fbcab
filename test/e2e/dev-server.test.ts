/** The Web UI inside `temporal server start-dev`, with its flag for a codec endpoint: what somebody new sees first. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { type Chromium, startChromium } from './support/browser.ts';
import { assertAsDocumented } from './support/protocol.ts';
import { type Exchange, requestsAndPreflights } from './support/recorder.ts';
import { NAMESPACE, type Stage, setStage, storedText, TASK_QUEUE } from './support/stage.ts';
import { keepTraffic } from './support/traffic.ts';
import { versions } from './support/versions.ts';
import { type RunAddress, type WebUI, webUI } from './support/web-ui.ts';

const CARD = '4000-1234';
const client = `Temporal Web UI ${versions.devServer.webUI} of temporal server start-dev`;

describe(client, () => {
  let stage: Stage;
  let chromium: Chromium;
  let origin: string;
  let open: RunAddress;
  const recorded: Exchange[] = [];

  before(async () => {
    const uiPort = await freePort();
    origin = `http://localhost:${uiPort}`;
    stage = await setStage({ origins: [origin] }, uiPort);
    chromium = await startChromium();
    const handle = await stage.client.workflow.start('order', {
      taskQueue: TASK_QUEUE,
      workflowId: 'order-4711',
      args: [{ customer: 'Ada Lovelace', card: CARD, waitForShipping: true }],
      memo: { note: `memo for ${CARD}` },
    });
    open = { namespace: NAMESPACE, workflowId: 'order-4711', runId: handle.firstExecutionRunId };
  });
  after(async () => {
    await chromium?.close();
    await stage?.stop();
  });

  /** Runs a check in a browser that was never used before. @returns what it sent */
  const inBrowser = async (use: (ui: WebUI) => Promise<void>): Promise<Exchange[]> => {
    const context = await chromium.newContext();
    stage.recorder.take();
    try {
      await use(webUI(await context.newPage(), origin));
      // What a page still asks when it is closed has no answer.
      await stage.recorder.settled();
    } finally {
      await context.close();
    }
    const taken = stage.recorder.take();
    recorded.push(...taken);
    return taken;
  };

  it('shows input and memo, and sends no preflight for a second page view', async (t) => {
    const views: [requests: number, preflights: number][] = [];
    await inBrowser(async (ui) => {
      for (let view = 1; view <= 2; view++) {
        await ui.openRun(open, 'history');
        await ui.shows('"customer": "Ada Lovelace"', `"card": "${CARD}"`);
        await stage.recorder.settled();
        const [requests, preflights] = requestsAndPreflights(stage.recorder.take());
        recorded.push(...requests, ...preflights);
        views.push([requests.length, preflights.length]);
      }
      await ui.openRun(open, 'memo');
      await ui.shows(`memo for ${CARD}`);
    });
    const [first, second] = views;
    assert.ok(first !== undefined && first[0] > 0 && first[1] > 0, `${first}`);
    assert.ok(second !== undefined && second[0] > 0 && second[1] === 0, `${second}`);
    t.diagnostic(`first ${first[0]} requests and ${first[1]} preflights, then ${second[0]} and none`);
  });

  it('sends a signal that the worker understands', async () => {
    await inBrowser(async (ui) => {
      await ui.openRun(open, 'history');
      await ui.signal('ship', '{"address":"12 Secret Street"}');
    });
    const handle = stage.client.workflow.getHandle(open.workflowId);
    assert.equal(((await handle.result()) as { shippedTo: string }).shippedTo, '12 Secret Street');
    assert.ok(!(await storedText(handle)).includes('Secret Street'));
  });

  it('starts a workflow through /encode that the worker understands', async () => {
    await inBrowser(async (ui) => {
      const form = { namespace: NAMESPACE, workflowId: 'from-the-ui', taskQueue: TASK_QUEUE, type: 'order' };
      await ui.startWorkflow({ ...form, input: '{"customer":"Grace Hopper","card":"4000-7777"}' });
    });
    const handle = stage.client.workflow.getHandle('from-the-ui');
    assert.deepEqual(await handle.result(), { receipt: 'receipt for 4200 cents on 4000-7777', shippedTo: 'none' });
    assert.ok(!(await storedText(handle)).includes('Hopper'));
  });

  it('sends what the protocol page says it sends', () => {
    keepTraffic(client, NAMESPACE, recorded);
    const [requests, preflights] = requestsAndPreflights(recorded);
    assert.deepEqual(assertAsDocumented('Web UI', NAMESPACE, requests).operations, ['/decode', '/encode']);
    assert.deepEqual(assertAsDocumented('Web UI, preflight', NAMESPACE, preflights).operations, ['/decode', '/encode']);
    for (const { status } of requests) assert.equal(status, 200);
  });
});
