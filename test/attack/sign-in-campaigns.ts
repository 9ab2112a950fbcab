/** Attacks on the sign-in that take several requests, for any server that has one. */
import { expect, it } from '@jest/globals';
import type { BrowserAnswer, BrowserLike } from '../support/browser-like.ts';

/** A server with a sign-in, under attack. */
export interface SignInTarget {
  readonly publicUrl: string;
  readonly provider: { readonly asked: readonly string[] };
  browser(): BrowserLike;
  /** A browser in which somebody signed in. */
  signedIn(): Promise<BrowserLike>;
  decode(browser: BrowserLike): Promise<BrowserAnswer>;
}

/** Declares them. */
export function declareSignInCampaigns(target: () => SignInTarget): void {
  it('25 made-up ways back ask the provider nothing, and keep nobody from signing in', async () => {
    const { publicUrl, provider } = target();
    const strangers = Array.from({ length: 25 }, () => target().browser());
    // A sign-in under way of their own, and a state that is not its own.
    for (const stranger of strangers.slice(0, 5)) await stranger.get(`${publicUrl}/login`);
    const asked = provider.asked.length;
    const link = `${publicUrl}/callback?code=made-up&state=${'x'.repeat(43)}`;
    const answers = await Promise.all(strangers.map((stranger) => stranger.get(link)));
    for (const { status } of answers) expect([400, 403]).toContain(status);
    expect(provider.asked.length).toBe(asked);
    expect((await target().decode(await target().signedIn())).status).toBe(200);
  });

  it('a link to /logout signs nobody out, also where the browser says nothing of the site, and its own page does', async () => {
    const { publicUrl } = target();
    const browser = await target().signedIn();
    const page = await browser.get(`${publicUrl}/logout`);
    expect((await target().decode(browser)).status).toBe(200);
    const [, link = ''] = /href="(\/logout\?[^"]+)"/.exec(page.body) ?? [];
    await browser.get(`${publicUrl}/logout?proof=${'A'.repeat(43)}`);
    expect((await target().decode(browser)).status).toBe(200);
    await browser.get(`${publicUrl}${link}`);
    expect((await target().decode(browser)).status).toBe(401);
  });
}
