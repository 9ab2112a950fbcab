/** Attacks on the sign-in and on its sessions: nothing decodes, and no key is touched. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createSeal } from '../../lambda/server/sign-in/seal.ts';
import { newSessionKeys, parseSessionKeys } from '../../lambda/server/sign-in/session-keys.ts';
import type { BrowserAnswer, BrowserLike } from '../support/browser-like.ts';
import { CODEC_CLIENT } from '../support/identity-provider.ts';
import { ALICE, MALLORY, SESSION, SIGN_IN, SignInWorld, UI_ORIGIN } from '../support/sign-in-world.ts';
import { declareSignInCampaigns } from './sign-in-campaigns.ts';

describe('attacks on the sign-in', () => {
  let world: SignInWorld;
  /** A cookie of Alice's that counts. */
  let valid: string;

  beforeAll(async () => {
    world = await SignInWorld.start();
    valid = (await world.signedIn()).cookie(world.publicUrl, SESSION) ?? '';
  });

  afterAll(() => world.close());

  afterEach(() => expect(world.bugs.splice(0)).toEqual([]));

  function withCookie(value: string, name = SESSION): BrowserLike {
    const browser = world.browser();
    browser.setCookie(world.publicUrl, name, value);
    return browser;
  }

  async function gets(statuses: readonly number[], attempt: () => Promise<BrowserAnswer>): Promise<BrowserAnswer> {
    const before = world.keyCalls;
    const answer = await attempt();
    expect(statuses).toContain(answer.status);
    expect(world.leaks(answer)).toBe(false);
    expect(world.keyCalls).toBe(before);
    return answer;
  }

  /** The address at which a browser comes back from the provider, and that it has not opened yet. */
  async function comingBack(browser: BrowserLike): Promise<string> {
    const answer = await browser.open(`${world.publicUrl}/login`, ({ headers }) =>
      String(headers['location']).startsWith(`${world.publicUrl}/callback`),
    );
    return String(answer.headers['location']);
  }

  it('are aimed at a server that serves who signed in', async () => {
    const answer = await world.decode(withCookie(valid));
    expect([answer.status, world.leaks(answer)]).toEqual([200, true]);
  });

  const cookies: Record<string, (cookie: string) => string> = {
    empty: () => '',
    'made up': () => randomBytes(400).toString('base64url'),
    'a session in plain text': () => Buffer.from(JSON.stringify({ v: 1, ...ALICE })).toString('base64url'),
    'cut short': (cookie) => cookie.slice(0, -8),
    'made longer': (cookie) => `${cookie}AAAA`,
    'in another spelling': (cookie) => `${cookie}=`,
    'in quotes': (cookie) => `"${cookie}"`,
    'with a changed byte': (cookie) => {
      const bytes = Buffer.from(cookie, 'base64url');
      bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
      return bytes.toString('base64url');
    },
    'with a changed issuer in the open part': (cookie) => {
      const text = Buffer.from(cookie, 'base64url')
        .toString('latin1')
        .replace('https://localhost', 'https://evilhost1');
      return Buffer.from(text, 'latin1').toString('base64url');
    },
    'of 6,000 bytes': () => 'A'.repeat(6_000),
  };

  it.each(Object.entries(cookies))('get nothing: a cookie that is %s', async (_, change) => {
    await gets([401], () => world.decode(withCookie(change(valid))));
  });

  function forged(owner: Partial<{ publicUrl: string; issuer: string; clientId: string }>, keys: string): string {
    const now = Date.now();
    const session = {
      v: 1,
      id: 'x',
      start: now,
      seen: now,
      iss: world.provider.issuer,
      sub: ALICE.sub,
      email: ALICE.email,
    };
    const whole = { publicUrl: world.publicUrl, issuer: world.provider.issuer, clientId: CODEC_CLIENT, ...owner };
    const parsed = parseSessionKeys({ current: keys, previous: undefined });
    return createSeal(whole).seal('session', JSON.stringify(session), parsed) ?? '';
  }

  it('get nothing: a perfect session under another key', async () => {
    await gets([401], () => world.decode(withCookie(forged({}, newSessionKeys()))));
  });

  it('get nothing: a session of another environment, issuer or client that has the same key', async () => {
    const { readFileSync } = await import('node:fs');
    const keys = readFileSync(`${world.folder}/session-keys.json`, 'utf8');
    const control = await world.decode(withCookie(forged({}, keys)));
    expect(world.leaks(control)).toBe(true);
    for (const owner of [
      { publicUrl: 'https://dev.example.com' },
      { issuer: 'https://evil.example' },
      { clientId: 'ui' },
    ])
      await gets([401], () => world.decode(withCookie(forged(owner, keys))));
  });

  it('get nothing: the cookie of a sign-in under way in place of a session, and the other way round', async () => {
    const browser = world.browser();
    await browser.get(`${world.publicUrl}/login`);
    await gets([401], () => world.decode(withCookie(browser.cookie(world.publicUrl, SIGN_IN) ?? '')));
    await gets([400], () => withCookie(valid, SIGN_IN).get(`${world.publicUrl}/callback?code=x&state=y`));
  });

  it('get nothing: a session that was signed out, replayed', async () => {
    const browser = await world.signedIn();
    const copy = browser.cookie(world.publicUrl, SESSION) ?? '';
    await browser.get(`${world.publicUrl}/logout`, { 'sec-fetch-site': 'none' });
    await gets([401], () => world.decode(withCookie(copy)));
    expect((await world.browser().get(`${world.publicUrl}/`)).body).toContain('not signed in');
  });

  it('get nothing: a session fixed by somebody else, beside or instead of one’s own', async () => {
    const fixed = (await world.signedIn(MALLORY)).cookie(world.publicUrl, SESSION) ?? '';
    const both = { cookie: `${SESSION}=${fixed}; ${SESSION}=${valid}` };
    await gets([401], () => world.decode(world.browser(), both));
    const browser = withCookie(fixed);
    world.provider.person = ALICE;
    await browser.open(`${world.publicUrl}/login`);
    expect(browser.cookie(world.publicUrl, SESSION)).not.toBe(fixed);
  });

  it.each([
    ['a foreign origin', { origin: 'https://evil.example' }, 403],
    ['an origin that starts like the right one', { origin: `${UI_ORIGIN}.evil.example` }, 403],
    ['the null origin', { origin: 'null' }, 403],
    ['a form', { 'content-type': 'text/plain' }, 415],
    ['a form with JSON in it', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ])('get nothing: %s with the cookie', async (_, headers, status) => {
    await gets([status], () => world.decode(withCookie(valid), headers));
  });

  it('get nothing: the cookie without an origin, as a link or an image sends it', async () => {
    const headers = { 'content-type': 'application/json', 'x-namespace': 'orders' };
    await gets([401], () => withCookie(valid).post(`${world.publicUrl}/decode`, world.body, headers));
    await gets([405], () => withCookie(valid).get(`${world.publicUrl}/decode`));
  });

  it('get nothing: the status page read by a script of another site', async () => {
    for (const origin of [UI_ORIGIN, 'https://evil.example', 'null']) {
      const answer = await gets([403], () => withCookie(valid).get(`${world.publicUrl}/`, { origin }));
      expect(answer.body).not.toContain(ALICE.email);
    }
  });

  it('get nothing: login CSRF, a link back to the server with the attacker’s own code and state', async () => {
    world.provider.person = MALLORY;
    const link = await comingBack(world.browser());
    const victim = world.browser();
    await gets([400], () => victim.get(link));
    await victim.get(`${world.publicUrl}/login`);
    await gets([403], () => victim.get(link));
    expect(victim.cookie(world.publicUrl, SESSION)).toBeUndefined();
  });

  it('get nothing: a way back that is used twice', async () => {
    const browser = world.browser();
    const link = await comingBack(browser);
    const cookie = browser.cookie(world.publicUrl, SIGN_IN) ?? '';
    expect((await browser.get(link)).status).toBe(303);
    await gets([400], () => withCookie(cookie, SIGN_IN).get(link));
  });

  it.each([
    ['another issuer', (query: URLSearchParams) => query.set('iss', 'https://evil.example')],
    ['no issuer', (query: URLSearchParams) => query.delete('iss')],
    ['two issuers', (query: URLSearchParams) => query.append('iss', 'https://evil.example')],
    ['another state', (query: URLSearchParams) => query.set('state', 'x'.repeat(43))],
    ['two states', (query: URLSearchParams) => query.append('state', 'x')],
    ['another code', (query: URLSearchParams) => query.set('code', 'x'.repeat(43))],
    ['no code', (query: URLSearchParams) => query.delete('code')],
    ['a token in place of a code', (query: URLSearchParams) => query.set('response', 'a.b.c')],
  ])('get nothing: a way back with %s', async (_, change) => {
    const browser = world.browser();
    const link = new URL(await comingBack(browser));
    change(link.searchParams);
    const answer = await browser.get(link.href);
    expect([400, 401, 403]).toContain(answer.status);
    expect(browser.cookie(world.publicUrl, SESSION)).toBeUndefined();
  });

  it('get nothing: a redirect to anywhere but the provider and ourselves', async () => {
    const query = ['next', 'return', 'returnTo', 'redirect_uri', 'url', 'post_logout_redirect_uri']
      .map((name) => `${name}=https://evil.example/`)
      .join('&');
    const headers = { 'x-forwarded-host': 'evil.example', referer: 'https://evil.example/' };
    const login = await world.browser().get(`${world.publicUrl}/login?${query}`, headers);
    const to = new URL(String(login.headers['location']));
    expect([to.origin, to.searchParams.get('redirect_uri')]).toEqual([
      world.provider.issuer,
      `${world.publicUrl}/callback`,
    ]);
    const browser = world.browser();
    const back = await browser.get(`${await comingBack(browser)}&${query}`, headers);
    expect(back.headers['location']).toBe('/');
    const out = await withCookie('x').get(`${world.publicUrl}/logout?${query}`, headers);
    expect([out.headers['location'], out.body.includes('evil.example')]).toEqual([undefined, false]);
    for (const path of ['//evil.example/login', '/login/', '/%6Cogin', '/x/callback', '/\\evil.example'])
      expect((await world.browser().get(`${world.publicUrl}${path}`)).status).toBe(404);
  });

  declareSignInCampaigns(() => world);

  it('repeat nothing of what cookies and queries hold', async () => {
    const canary = `canary-${randomBytes(9).toString('hex')}`;
    const cookie = `refresh=${canary}; ${SESSION}=${valid}`;
    const answers = [
      await world.decode(world.browser(), { cookie }),
      await world.browser().get(`${world.publicUrl}/`, { cookie }),
      await world
        .browser()
        .get(`${world.publicUrl}/callback?code=${canary}&state=${canary}&error=${canary}`, { cookie }),
      await world.browser().get(`${world.publicUrl}/logout`, { cookie: `refresh=${canary}` }),
    ];
    const all = JSON.stringify([answers.map(({ headers, body }) => ({ headers, body })), world.audit]);
    expect(all).not.toContain(canary);
    expect(JSON.stringify(world.audit)).not.toContain(valid);
  });
});
