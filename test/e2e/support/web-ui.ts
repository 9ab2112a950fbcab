/** What a person does in Temporal's Web UI, by the labels they see where there are any. */
import type { Page } from 'playwright-core';
import { until } from '../../support/patience.ts';

/** The parts of a workflow's page, by the last segment of their address. */
export type RunTab = 'timeline' | 'history' | 'query' | 'user-metadata' | 'memo' | 'pending-activities';

/** A workflow's page. */
export interface RunAddress {
  readonly namespace: string;
  readonly workflowId: string;
  readonly runId: string;
}

/** A page of the Web UI. */
export interface WebUI {
  readonly page: Page;
  /** Opens one tab of a workflow and waits for the tab to show. */
  openRun(run: RunAddress, tab: RunTab): Promise<void>;
  /** Waits until everything is to be read on the page. Line breaks and the editor's indentation do not matter. */
  shows(...texts: readonly (string | RegExp)[]): Promise<void>;
  /** The page's text as a person reads it. */
  text(): Promise<string>;
  /** Sets the codec endpoint in the browser, as somebody does who was given no cluster-wide one. */
  setBrowserEndpoint(
    namespace: string,
    endpoint: string,
    options?: { readonly passAccessToken?: boolean; readonly includeCredentials?: boolean },
  ): Promise<void>;
  /** Sends a signal by the dialog of the opened workflow. */
  signal(name: string, json: string): Promise<void>;
  /** Runs a query of the opened workflow's query tab. */
  query(name: string, json: string): Promise<void>;
  /** Starts a workflow by the form. */
  startWorkflow(start: StartForm): Promise<void>;
  /** Downloads the opened workflow's history. @returns the file's text */
  downloadHistory(as: 'Encoded' | 'Decoded' | 'Human Readable'): Promise<string>;
}

/** What the form for starting a workflow asks. */
export interface StartForm {
  readonly namespace: string;
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly type: string;
  readonly input: string;
}

/** The Web UI at an origin, in a page of a browser. */
export function webUI(page: Page, origin: string): WebUI {
  /** Frames too: the Web UI renders summaries and details, which are Markdown of a stranger's making, in frames. */
  const text = async (): Promise<string> => {
    const parts = page.frames().map((frame) => frame.evaluate(() => document.body?.innerText ?? '').catch(() => ''));
    return collapse((await Promise.all(parts)).join('\n'));
  };
  const dialog = () => page.locator('dialog[open]');
  const submit = () => dialog().getByTestId('confirm-modal-button');
  /** The editors are not form fields: they take what is typed. */
  const typeInto = async (label: string, json: string): Promise<void> => {
    const editor = page.getByRole('textbox', { name: label }).locator('visible=true').first();
    await editor.click();
    await page.keyboard.insertText(json);
  };
  const choose = async (field: string, option: string): Promise<void> => {
    await page.getByTestId(`${field}-button`).locator('visible=true').click();
    await page.getByRole('option', { name: option, exact: true }).click();
  };

  return {
    page,
    text,
    async openRun({ namespace, workflowId, runId }, tab) {
      await page.goto(`${origin}/namespaces/${namespace}/workflows/${workflowId}/${runId}/${tab}`);
      await page.locator(`a[href*="/${tab}"]`).first().waitFor();
    },
    async shows(...texts) {
      const wanted = texts.map((it) => (typeof it === 'string' ? collapse(it) : it));
      let seen = '';
      const absent = () => wanted.filter((it) => (typeof it === 'string' ? !seen.includes(it) : !it.test(seen)));
      await until(
        async () => {
          seen = await text();
          return absent().length === 0;
        },
        () =>
          `the page does not show ${absent()
            .map((it) => `"${it}"`)
            .join(', ')}; it reads: ${seen}`,
      );
    },
    async setBrowserEndpoint(namespace, endpoint, { passAccessToken = false, includeCredentials = false } = {}) {
      await page.goto(`${origin}/namespaces/${namespace}/workflows`);
      await page.locator('[data-testid^="data-encoder-status"]').first().click();
      await dialog().locator('label', { hasText: 'Use my browser setting' }).click();
      await dialog().getByLabel('Codec Server browser endpoint').fill(endpoint);
      if (passAccessToken) await dialog().getByTestId('data-encoder-pass-access-token').click();
      if (includeCredentials) await dialog().getByTestId('data-encoder-include-credentials').click();
      await submit().click();
      await dialog().waitFor({ state: 'hidden' });
    },
    async signal(name, json) {
      await page.getByRole('button', { name: 'More Actions' }).click();
      await page.getByTestId('signal-button').locator('visible=true').first().click();
      await choose('signal-select', name);
      await typeInto('Data', json);
      await submit().click();
      await dialog().waitFor({ state: 'hidden' });
    },
    async query(name, json) {
      await choose('query-select', name);
      await typeInto('Query Arg', json);
      await page.getByRole('button', { name: 'Run Query' }).click();
    },
    async startWorkflow({ namespace, workflowId, taskQueue, type, input }) {
      await page.goto(`${origin}/namespaces/${namespace}/workflows/start-workflow`);
      await page.getByLabel('Workflow ID').fill(workflowId);
      await page.getByLabel('Task Queue').fill(taskQueue);
      await page.getByLabel('Workflow Type').fill(type);
      await typeInto('Data', input);
      // The form grows while it looks for workers and when the editor is left, and a click on a button that moves is lost.
      await page.getByLabel('Workflow Type').click();
      await page.getByText('Task Queue is Active').waitFor();
      const answered = page.waitForResponse(
        (it) => it.request().method() === 'POST' && it.url().includes('/workflows/'),
      );
      await page.getByRole('button', { name: 'Start Workflow' }).locator('visible=true').last().click();
      const answer = await answered;
      if (!answer.ok()) throw new Error(`starting the workflow was answered with ${answer.status()}`);
    },
    async downloadHistory(as) {
      await page.getByRole('button', { name: 'Download' }).first().click();
      await dialog().locator('label', { hasText: as }).click();
      const [download] = await Promise.all([page.waitForEvent('download'), submit().click()]);
      const stream = await download.createReadStream();
      return Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>)).toString();
    },
  };
}

function collapse(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
