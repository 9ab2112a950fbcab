/** README.md in a browser, as wide as a code host shows it: what somebody sees before they scroll. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { marked } from 'marked';
import type { Page } from 'playwright-core';
import { type Chromium, screenshot, startChromium } from './support/browser.ts';
import { artifactRoot, projectRoot, suiteRoot } from './support/paths.ts';

/** Pixels: the column of a page, of which its frame takes 32 on each side, and the height of a small screen. */
const COLUMN = 1012;
const FRAME = 32;
const SCREEN = 800;
/** Below this, the letters in a picture are smaller than those of the page's small print. */
const LEAST_SCALE = 0.85;

describe('README.md at 1,012 pixels', () => {
  let chromium: Chromium;
  let page: Page;

  before(async () => {
    const css = readFileSync(join(suiteRoot, 'node_modules/github-markdown-css/github-markdown-light.css'), 'utf8');
    const body = await marked.parse(readFileSync(join(projectRoot, 'README.md'), 'utf8'), { gfm: true });
    const file = join(artifactRoot, 'readme.html');
    const style = `${css} body{margin:0} .markdown-body{box-sizing:border-box;width:${COLUMN}px;padding:${FRAME}px}`;
    const base = pathToFileURL(`${projectRoot}/`);
    writeFileSync(
      file,
      `<!doctype html><meta charset="utf-8"><base href="${base}"><style>${style}</style><article class="markdown-body">${body}</article>`,
    );
    chromium = await startChromium();
    const context = await chromium.newContext();
    page = await context.newPage();
    await page.setViewportSize({ width: COLUMN, height: SCREEN });
    await page.goto(String(pathToFileURL(file)));
    await page.waitForLoadState('load');
    await screenshot(page, 'readme');
  });
  after(async () => await chromium?.close());

  it('has its first command and what it prints within the first screen', async () => {
    const blocks = page.locator('pre');
    assert.equal((await blocks.nth(0).innerText()).trim(), 'npm ci && npm start');
    for (const index of [0, 1]) {
      const box = await blocks.nth(index).boundingBox();
      assert.ok(box !== null && box.y + box.height <= SCREEN, `block ${index} ends at ${box && box.y + box.height}`);
    }
  });

  it('shows its pictures at a size at which they can be read', async (t) => {
    const pictures = await page
      .locator('img')
      .evaluateAll((images) =>
        (images as HTMLImageElement[]).map((it) => ({ name: it.alt, natural: it.naturalWidth, shown: it.clientWidth })),
      );
    assert.equal(pictures.length, 3);
    for (const { name, natural, shown } of pictures) {
      assert.ok(natural > 0 && shown / natural >= LEAST_SCALE, `"${name}": ${shown} of ${natural} pixels`);
      assert.ok(name.length > 10, `"${name}" says too little to who cannot see it`);
    }
    t.diagnostic(
      `pictures at ${pictures.map(({ natural, shown }) => Math.round((100 * shown) / natural)).join(', ')} %`,
    );
  });

  it('is nowhere wider than its column', async () => {
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), COLUMN);
  });

  it('has a table of documentation that can be taken in', async () => {
    const rows = page.locator('h2:has-text("Documentation") ~ table').first().locator('tbody tr');
    assert.ok((await rows.count()) <= 10);
  });
});
