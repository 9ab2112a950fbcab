/** An environment with sign-in as it is deployed: its routes, its secrets, and cookies through the gateway's events. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { declareSignInCampaigns } from '../attack/sign-in-campaigns.ts';
import { ALICE, SESSION, SIGN_IN, UI_ORIGIN } from '../support/sign-in-world.ts';
import type { FrontUnderTest } from './fronts.ts';
import { PLAIN, SignInEnvironment } from './support/sign-in-environment.ts';

/** @param behind the front that the stack has; the HTTP API unless given */
export function describeSignIn(behind?: FrontUnderTest): void {
  describe(`the synthesized stack of an environment with sign-in${behind === undefined ? '' : `, behind ${behind.name}`}`, () => {
    let environment: SignInEnvironment;

    beforeAll(async () => {
      environment = await SignInEnvironment.start({ behind });
    });

    afterAll(() => environment?.close());

    const routeOf = (path: string) => environment.deployed.api.accesses.findLast((line) => line.path === path)?.route;

    it('signs somebody in through its routes, reads with the session, signs out, and reads no more', async () => {
      const browser = environment.browser();
      expect((await environment.decode(browser)).status).toBe(401);

      const copy = await environment.signIn(browser);
      const page = await browser.get(`${environment.endpoint}/`);
      expect([page.status, page.body.includes(ALICE.email)]).toEqual([200, true]);
      const read = await environment.decode(browser);
      expect([read.status, JSON.parse(read.body)]).toEqual([200, JSON.parse(PLAIN)]);
      expect(read.headers['access-control-allow-credentials']).toBe('true');
      expect(read.headers['access-control-allow-origin']).toBe(UI_ORIGIN);

      const out = await browser.get(`${environment.endpoint}/logout`, { 'sec-fetch-site': 'none' });
      expect(out.status).toBe(200);
      expect((await environment.decode(browser)).status).toBe(401);
      expect((await environment.decode(environment.browserWith(copy))).status).toBe(401);
      for (const path of ['/', '/login', '/callback', '/logout']) expect(routeOf(path)).toBe(`GET ${path}`);
    });

    it('sets two cookies with one answer, each in a header of its own', async () => {
      const browser = environment.browser();
      const back = await browser.open(`${environment.endpoint}/login`, ({ url }) => url.includes('/callback?'));
      expect(back.status).toBe(303);
      expect(back.setCookies.map((text) => text.slice(0, text.indexOf('=')))).toEqual([SESSION, SIGN_IN]);
      expect(back.setCookies[0]).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=None; Max-Age=\d+$/);
      expect(browser.cookie(environment.endpoint, SIGN_IN)).toBeUndefined();
    });

    it('finds its cookie among those of others, wherever it stands, and takes no two of its own', async () => {
      const session = await environment.signIn();
      const headerOf = (...cookies: string[]) => ({ cookie: cookies.join('; ') });
      const others = ['refresh=a.b.c', 'theme=dark; mode=1'];
      const ours = `${SESSION}=${session}`;
      for (const cookies of [
        [...others, ours],
        [ours, ...others],
        [others[0] ?? '', ours, 'z=1'],
      ]) {
        expect((await environment.decode(environment.browser(), headerOf(...cookies))).status).toBe(200);
      }
      const twice = headerOf(ours, `${SESSION}=${await environment.signIn()}`);
      expect((await environment.decode(environment.browser(), twice)).status).toBe(401);
    });

    it('gives nothing for the session from a foreign origin, or without one', async () => {
      const browser = environment.browserWith(await environment.signIn());
      for (const origin of ['https://evil.example', 'null']) {
        const answer = await environment.decode(browser, { origin });
        expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([403, undefined]);
      }
      const headers = { 'content-type': 'application/json', 'x-namespace': 'orders' };
      expect((await browser.post(`${environment.endpoint}/decode`, '{"payloads":[]}', headers)).status).toBe(401);
    });

    declareSignInCampaigns(() => ({
      publicUrl: environment.endpoint,
      provider: environment.provider,
      browser: () => environment.browser(),
      signedIn: async () => environment.browserWith(await environment.signIn()),
      decode: (browser) => environment.decode(browser),
    }));

    it('writes none of what proves a person into its log', async () => {
      const browser = environment.browser();
      const hops: string[] = [];
      await browser.open(`${environment.endpoint}/login`, ({ url, headers }) => {
        hops.push(url, String(headers['location'] ?? ''));
        return false;
      });
      const session = browser.cookie(environment.endpoint, SESSION);
      expect((await environment.decode(browser)).status).toBe(200);
      const { log } = environment.deployed.lambda;
      await environment.deployed.lambda.logged((line) => line.includes('"sign-in-callback"'));
      const secrets = hops
        .filter((url) => url.startsWith('https:'))
        .flatMap((url) =>
          ['code', 'state', 'nonce', 'code_challenge'].map((name) => new URL(url).searchParams.get(name)),
        )
        .filter((value) => value !== null);
      expect(secrets.length).toBeGreaterThanOrEqual(4);
      const text = log.join('\n');
      for (const secret of [session, ...secrets]) expect(text).not.toContain(secret);
    });

    it('keeps people signed in through a cold start, which asks the provider for nothing', async () => {
      const browser = environment.browserWith(await environment.signIn());
      await environment.deployed.lambda.coolDown();
      environment.provider.mood = 'down';
      try {
        const asked = environment.provider.asked.length;
        expect((await environment.decode(browser)).status).toBe(200);
        expect(environment.provider.asked.length).toBe(asked);
        expect((await environment.browser().get(`${environment.endpoint}/login`)).status).toBe(503);
      } finally {
        environment.provider.mood = 'in-order';
      }
    });
  });
}
