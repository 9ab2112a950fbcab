/** What proves a person while they sign in is looked for in everything that the server writes and answers. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserAnswer, BrowserLike } from '../support/browser-like.ts';
import { CODEC_CLIENT_SECRET } from '../support/identity-provider.ts';
import { ALICE, MALLORY, SESSION, SIGN_IN, SignInWorld, UI_ORIGIN } from '../support/sign-in-world.ts';

describe('secrets of a sign-in', () => {
  let world: SignInWorld;
  /** With what each is. */
  const secrets = new Map<string, string>();
  const answers: BrowserAnswer[] = [];

  beforeAll(async () => {
    world = await SignInWorld.start();
    secrets.set(CODEC_CLIENT_SECRET, 'the client secret');
    secrets.set(JSON.parse(readFileSync(join(world.folder, 'session-keys.json'), 'utf8')).key, 'the session key');
  });

  afterAll(() => world.close());

  function secret(kind: string, value = `${kind}-${randomBytes(12).toString('hex')}`): string {
    secrets.set(value, kind);
    return value;
  }

  /** Notes what an address and the cookies of a browser hold. */
  function note(browser: BrowserLike, answer: BrowserAnswer): void {
    if (answer.url.startsWith(world.publicUrl)) answers.push(answer);
    for (const name of [SESSION, SIGN_IN]) {
      const cookie = browser.cookie(world.publicUrl, name);
      if (cookie !== undefined) secret(name, cookie);
    }
    for (const text of [answer.url, String(answer.headers['location'] ?? '')]) {
      const query = URL.parse(text)?.searchParams;
      for (const name of ['code', 'state', 'nonce', 'code_challenge']) {
        const value = query?.get(name);
        if (value) secret(name, value);
      }
    }
  }

  async function get(browser: BrowserLike, path: string, headers = {}): Promise<BrowserAnswer> {
    const answer = await browser.get(`${world.publicUrl}${path}`, headers);
    note(browser, answer);
    return answer;
  }

  /** As far as the way back from the provider, which is answered and not yet opened. */
  async function comingBack(browser: BrowserLike, person: typeof ALICE | typeof MALLORY = ALICE): Promise<string> {
    world.provider.person = person;
    const answer = await browser.open(`${world.publicUrl}/login`, (it) => {
      note(browser, it);
      return String(it.headers['location']).startsWith(`${world.publicUrl}/callback`);
    });
    return String(answer.headers['location']).slice(world.publicUrl.length);
  }

  async function decode(browser: BrowserLike, headers = {}): Promise<number> {
    const answer = await world.decode(browser, headers);
    note(browser, answer);
    return answer.status;
  }

  it('go there and back, and are used', async () => {
    for (const person of [ALICE, MALLORY]) {
      const browser = world.browser();
      const { status } = await get(browser, await comingBack(browser, person));
      expect(status).toBe(303);
      await get(browser, '/');
      expect(await decode(browser)).toBe(200);
      const refresh = `refresh=${secret('a cookie of the Web UI')}; ${browser.cookieHeader(world.publicUrl)}`;
      expect(await decode(browser, { cookie: refresh })).toBe(200);
      await get(browser, '/logout', { 'sec-fetch-site': 'none' });
      expect(await decode(browser, { cookie: refresh })).toBe(401);
    }
  });

  it('are used where they do not belong', async () => {
    const browser = world.browser();
    const back = await comingBack(browser);
    expect((await get(world.browser(), back)).status).toBe(400);
    expect((await get(browser, `${back}&error=${secret('error')}`)).status).toBe(403);
    expect((await get(browser, back)).status).toBe(400);
    const other = world.browser();
    const changed = new URLSearchParams((await comingBack(other)).split('?')[1]);
    changed.set('code', secret('code'));
    expect((await get(other, `/callback?${changed}`)).status).toBe(403);
    for (const [path, origin] of [
      ['/', UI_ORIGIN],
      [`/login?next=${secret('query')}`, undefined],
      [`/callback?code=${secret('code')}&state=${secret('state')}`, undefined],
      [`/${secret('path')}`, undefined],
    ] as const) {
      await get(other, path, origin === undefined ? {} : { origin });
    }
    for (const name of [SESSION, SIGN_IN]) other.setCookie(world.publicUrl, name, secret('cookie'));
    expect(await decode(other)).toBe(401);
    await get(other, '/');
    await get(other, '/logout');
  });

  it('are used while something is out', async () => {
    for (const mood of ['down', 'no-keys', 'refuses'] as const) {
      world.provider.mood = 'in-order';
      await world.serve();
      const browser = world.browser();
      const back = await comingBack(browser);
      world.provider.mood = mood;
      if (mood === 'refuses') {
        const refused = world.browser();
        note(refused, await refused.open(`${world.publicUrl}/login`));
      } else expect((await get(browser, back)).status).toBe(503);
    }
    world.provider.mood = 'in-order';
  });

  describe('are then', () => {
    it('many, and looked for in much', () => {
      for (const text of world.provider.exchanged) secret('what was exchanged with the provider', text);
      for (const kind of ['code', 'state', 'nonce', 'code_challenge', SESSION, SIGN_IN, 'the client secret'])
        expect([...secrets.values()]).toContain(kind);
      expect(world.provider.exchanged.length).toBeGreaterThanOrEqual(10);
      expect(world.provider.exchanged.some((text) => text.split('.').length === 3)).toBe(true);
      expect(answers.length).toBeGreaterThan(25);
      for (const type of ['"type":"audit"', '"type":"metrics"', '"type":"log"'])
        expect(world.lines.some((line) => line.includes(type))).toBe(true);
      for (const operation of ['sign-in', 'sign-in-callback', 'sign-out'])
        expect(world.lines.some((line) => line.includes(`"operation":"${operation}"`))).toBe(true);
    });

    it('in no line', () => {
      const all = world.lines.join('\n');
      for (const [value, kind] of secrets) expect([kind, all.includes(value)]).toEqual([kind, false]);
    });

    it('in no page, and in no header but those that take them along', () => {
      for (const { headers, body } of answers) {
        const { location: _, 'set-cookie': __, ...others } = headers;
        const text = `${JSON.stringify(others)}\n${body}`;
        for (const [value, kind] of secrets) expect([kind, text.includes(value)]).toEqual([kind, false]);
      }
    });

    it('as far as they are emails, in audit lines alone, and on no page but their owner’s', () => {
      const others = world.lines.filter((line) => !line.includes('"type":"audit"')).join('\n');
      for (const { email } of [ALICE, MALLORY]) {
        expect(others).not.toContain(email);
        expect(answers.some(({ body }) => body.includes(email))).toBe(true);
      }
      expect(answers.some(({ body }) => body.includes(ALICE.email) && body.includes(MALLORY.email))).toBe(false);
    });
  });
});
