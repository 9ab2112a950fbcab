/** Chromium without a screen, as a person's browser that has never been used. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { PATIENCE_MS } from '../../support/patience.ts';
import { artifactRoot } from './paths.ts';
import { chromium as findChromium } from './tools.ts';

/** A browser and the pages opened in it. */
export interface Chromium {
  readonly version: string;
  /** A context of its own: no cookies, no settings, an empty preflight cache. */
  newContext(options?: { readonly ignoreHTTPSErrors?: boolean }): Promise<BrowserContext>;
  close(): Promise<void>;
}

/** Starts a headless Chromium that talks to nobody but the pages it is told to open. */
export async function startChromium(): Promise<Chromium> {
  const executablePath = await findChromium();
  const browser: Browser = await chromium.launch({
    executablePath,
    timeout: PATIENCE_MS,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return {
    version: browser.version(),
    async newContext(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      context.setDefaultTimeout(PATIENCE_MS);
      return context;
    },
    close: () => browser.close(),
  };
}

/** Where the Web UI shows the input of a workflow, in pixels of the window that {@link startChromium} opens. */
const FIRST_PAYLOAD = { x: 280, y: 356, width: 488, height: 216 };

/** Keeps a picture of the page among the artifacts. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const directory = join(artifactRoot, 'screenshots');
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`) });
  // A page shows what a person reads, at its own size: the first payload of the history.
  mkdirSync(join(directory, 'payload'), { recursive: true });
  await page.screenshot({ path: join(directory, 'payload', `${name}.png`), clip: FIRST_PAYLOAD });
}
