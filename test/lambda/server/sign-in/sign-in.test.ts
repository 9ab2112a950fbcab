import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TestClock } from '../../../support/clock.ts';
import { ALICE, MALLORY, SESSION, SIGN_IN, SignInWorld, UI_ORIGIN } from '../../../support/sign-in-world.ts';

const HOUR = 3_600_000;

describe('the sign-in', () => {
  let world: SignInWorld;

  beforeAll(async () => {
    world = await SignInWorld.start();
  });

  afterAll(() => world.close());

  beforeEach(() => {
    world.provider.mood = 'in-order';
    world.provider.person = ALICE;
  });

  afterEach(() => {
    jest.restoreAllMocks();
    expect(world.bugs.splice(0)).toEqual([]);
  });

  it('takes a person to the provider and back, and decodes with the session', async () => {
    const browser = await world.signedIn();
    const answer = await world.decode(browser);
    expect(answer.status).toBe(200);
    expect(world.leaks(answer)).toBe(true);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': UI_ORIGIN,
      'access-control-allow-credentials': 'true',
    });
    expect(world.audit.at(-1)).toMatchObject({
      operation: 'decode',
      caller: { method: 'session', subject: ALICE.sub, email: ALICE.email, issuer: world.provider.issuer },
    });
  });

  it('gives a cookie that only this host gets, over https, and no script', async () => {
    const browser = world.browser();
    world.provider.person = ALICE;
    const answer = await browser.open(`${world.publicUrl}/login`, ({ url }) => url.includes('/callback'));
    const cookie = answer.setCookies.find((text) => text.startsWith(`${SESSION}=`)) ?? '';
    expect(cookie).toMatch(
      /^__Host-codec-server-session=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=None; Max-Age=3600$/,
    );
    expect(cookie.length).toBeLessThan(1500);
    expect(answer).toMatchObject({ status: 303, headers: { location: '/' } });
    expect(browser.cookie(world.publicUrl, SIGN_IN)).toBeUndefined();
  });

  it('asks the provider with PKCE, state and nonce, and keeps them in a cookie of ten minutes', async () => {
    const browser = world.browser();
    const answer = await browser.get(`${world.publicUrl}/login`);
    expect(answer.status).toBe(303);
    const to = new URL(String(answer.headers['location']));
    expect(to.origin).toBe(world.provider.issuer);
    expect(Object.fromEntries(to.searchParams)).toMatchObject({
      redirect_uri: `${world.publicUrl}/callback`,
      response_type: 'code',
      scope: 'openid email profile',
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(answer.setCookies).toEqual([
      expect.stringMatching(/; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/),
    ]);
    expect(answer.setCookies.join()).not.toContain(to.searchParams.get('state'));
  });

  it('takes what came back once, also with a copy of its cookie', async () => {
    const browser = world.browser();
    const back = ({ headers }: { readonly headers: object }) => String(Object(headers).location).includes('/callback');
    const { headers } = await browser.open(`${world.publicUrl}/login`, back);
    const copy = world.browser();
    copy.setCookie(world.publicUrl, SIGN_IN, browser.cookie(world.publicUrl, SIGN_IN) ?? '');
    const location = String(headers['location']);
    expect((await browser.get(location)).status).toBe(303);
    expect(browser.cookie(world.publicUrl, SESSION)).toBeDefined();
    const again = await copy.get(location);
    expect([again.status, copy.cookie(world.publicUrl, SESSION)]).toEqual([400, undefined]);
    expect(world.audit.at(-1)).toMatchObject({ operation: 'sign-in-callback', unauthenticated: 'sign-in-state' });
  });

  it('has pages for people alone, and none for the script of any site', async () => {
    const browser = await world.signedIn();
    for (const page of ['/', '/login', '/callback', '/logout']) {
      const answer = await browser.get(`${world.publicUrl}${page}`, { origin: UI_ORIGIN });
      expect([page, answer.status, answer.setCookies]).toEqual([page, 403, []]);
    }
    expect((await world.decode(browser)).status).toBe(200);
  });

  it('shows who somebody is, until when, and what they may read', async () => {
    const browser = await world.signedIn({ ...ALICE, permissions: ['billing:read', 'other'] });
    const page = await browser.get(`${world.publicUrl}/`);
    expect(page.status).toBe(200);
    for (const text of [
      ALICE.email,
      world.provider.issuer,
      '<code>orders</code>',
      '<code>billing</code>',
      'order desk',
    ])
      expect(page.body).toContain(text);
    expect(page.body).toMatch(/<time datetime="20/);
    expect(page.body).toContain('“Include cross-origin credentials”');
    expect(page.body).not.toMatch(/<script|\son\w+=|style=/i);
    expect(page.headers).toMatchObject({
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; style-src 'sha256-[^']+'; .*frame-ancestors 'none'$/,
      ),
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
  });

  it('escapes what the provider says of a person', async () => {
    const browser = await world.signedIn({ sub: '<script>alert(1)</script>"&' });
    const page = await browser.get(`${world.publicUrl}/`);
    expect(page.body).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;');
    expect(page.body).toContain('no access rule is about you');
  });

  it('tells somebody who is not signed in where to sign in', async () => {
    const page = await world.browser().get(`${world.publicUrl}/`);
    expect(page).toMatchObject({ status: 200, body: expect.stringContaining('<a href="/login">') });
    const answer = await world.decode(world.browser());
    expect(answer).toMatchObject({ status: 401, body: expect.stringContaining(`${world.publicUrl}/login`) });
    expect(answer.headers['access-control-allow-origin']).toBe(UI_ORIGIN);
  });

  it('explains to somebody without a rule what they may not read', async () => {
    const answer = await world.decode(await world.signedIn(MALLORY));
    expect(answer.status).toBe(200);
    expect(world.leaks(answer)).toBe(false);
    expect(Buffer.from(JSON.parse(answer.body).payloads[0].data, 'base64').toString()).toContain(MALLORY.email);
  });

  it('takes no email that the provider does not vouch for', async () => {
    const answer = await world.decode(await world.signedIn({ ...ALICE, email_verified: false }));
    expect(world.leaks(answer)).toBe(false);
  });

  it('signs out', async () => {
    const browser = await world.signedIn();
    const before = browser.cookie(world.publicUrl, SESSION) ?? '';
    const page = await browser.get(`${world.publicUrl}/logout`, { 'sec-fetch-site': 'same-origin' });
    expect(page).toMatchObject({ status: 200, body: expect.stringContaining('signed out') });
    expect(browser.cookie(world.publicUrl, SESSION)).toBeUndefined();
    expect((await world.decode(browser)).status).toBe(401);
    browser.setCookie(world.publicUrl, SESSION, before);
    expect((await world.decode(browser)).status).toBe(401);
    expect(world.audit.filter(({ operation }) => operation === 'sign-out').at(-1)).toMatchObject({
      caller: { subject: ALICE.sub },
    });
  });

  it('asks before it signs somebody out whom another site sent', async () => {
    const browser = await world.signedIn();
    const page = await browser.get(`${world.publicUrl}/logout`, { 'sec-fetch-site': 'cross-site' });
    expect(page.body).toContain('Sign out?');
    expect((await world.decode(browser)).status).toBe(200);
  });

  it.each([{}, { 'sec-fetch-site': 'cross-site' }])(
    'signs out with %j by the link of its own page alone',
    async (headers) => {
      const browser = await world.signedIn();
      const page = await browser.get(`${world.publicUrl}/logout`, headers as Record<string, string>);
      expect(page.body).toContain('Sign out?');
      expect((await world.decode(browser)).status).toBe(200);
      const link = /href="(\/logout\?[^"]+)"/.exec(page.body)?.[1] ?? '';
      await browser.get(`${world.publicUrl}/logout?proof=${'A'.repeat(43)}`, headers as Record<string, string>);
      expect((await world.decode(browser)).status).toBe(200);
      const other = await world.signedIn();
      await other.get(`${world.publicUrl}${link}`, headers as Record<string, string>);
      expect((await world.decode(other)).status).toBe(200);
      await browser.get(`${world.publicUrl}${link}`, headers as Record<string, string>);
      expect((await world.decode(browser)).status).toBe(401);
    },
  );

  it('ends a session that is not used, and prolongs one that is', async () => {
    const idle = await world.signedIn();
    const used = await world.signedIn();
    const clock = new TestClock();
    clock.advance(0.4 * HOUR);
    expect((await world.decode(used)).setCookies).toEqual([]);
    clock.advance(0.4 * HOUR);
    expect((await world.decode(used)).setCookies).toHaveLength(1);
    // Any page can ask for health, in the background and with the person's cookie.
    const health = await idle.get(`${world.publicUrl}/healthz`, { origin: 'https://elsewhere.example' });
    expect([health.status, health.setCookies]).toEqual([200, []]);
    clock.advance(0.4 * HOUR);
    expect((await world.decode(used)).status).toBe(200);
    expect((await world.decode(idle)).status).toBe(401);
  });

  it('ends every session eight hours after the sign-in, however much it is used', async () => {
    const browser = await world.signedIn();
    const clock = new TestClock();
    for (let hours = 0; hours < 7.5; hours += 0.75) {
      expect((await world.decode(browser)).status).toBe(200);
      clock.advance(0.75 * HOUR);
    }
    expect((await world.decode(browser)).status).toBe(200);
    clock.advance(0.5 * HOUR + 1000);
    expect((await world.decode(browser)).status).toBe(401);
  });

  it('decodes with a session while the provider is down, and signs nobody in', async () => {
    const browser = await world.signedIn();
    world.provider.mood = 'down';
    await world.serve();
    expect((await world.decode(browser)).status).toBe(200);
    const answer = await world.browser().get(`${world.publicUrl}/login`);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
  });

  it('signs nobody in while the keys of the provider cannot be had', async () => {
    world.provider.mood = 'no-keys';
    await world.serve();
    const browser = world.browser();
    const answer = await browser.open(`${world.publicUrl}/login`);
    expect([answer.status, browser.cookie(world.publicUrl, SESSION)]).toEqual([503, undefined]);
    world.provider.mood = 'in-order';
    await world.serve();
  });

  it('lets nobody in by keys that were fetched too long ago', async () => {
    await world.signedIn();
    world.provider.mood = 'no-keys';
    const clock = new TestClock();
    clock.advance(30 * 24 * HOUR);
    world.provider.mood = 'in-order';
    const browser = world.browser();
    const back = await browser.open(`${world.publicUrl}/login`, ({ headers }) =>
      String(headers['location']).startsWith(`${world.publicUrl}/callback`),
    );
    world.provider.mood = 'no-keys';
    const answer = await browser.get(String(back.headers['location']));
    expect(answer.status).toBe(503);
    expect(browser.cookie(world.publicUrl, SESSION)).toBeUndefined();
    world.provider.mood = 'in-order';
    await world.serve();
  });

  it('tells whoever runs it why nobody can sign in: a wrong client secret, a provider that is out', async () => {
    const file = join(world.folder, 'client-secret');
    const secret = readFileSync(file, 'utf8');
    writeFileSync(file, 'put-the-client-secret-here');
    await world.serve();
    const answer = await world.browser().open(`${world.publicUrl}/login`);
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining('client id and client secret') });
    expect(world.lines.some((line) => line.includes('refused an exchange') && line.includes('invalid_client'))).toBe(
      true,
    );
    writeFileSync(file, secret);
    world.provider.mood = 'down';
    await world.serve();
    expect((await world.browser().get(`${world.publicUrl}/login`)).status).toBe(503);
    const outage = world.lines.findLast((line) => line.includes('the identity provider cannot be asked'));
    expect(outage).toContain('localhost');
    world.provider.mood = 'in-order';
    await world.serve();
  });

  it('says no where the provider does, without repeating what it says', async () => {
    world.provider.mood = 'refuses';
    const answer = await world.browser().open(`${world.publicUrl}/login`);
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining('(access_denied)') });
    expect(answer.body).not.toContain('<b>no</b>');
    expect(world.audit.at(-1)).toMatchObject({ operation: 'sign-in-callback', unauthenticated: 'sign-in-refused' });
  });

  it('lets a token decide where there is a session, too', async () => {
    const browser = await world.signedIn();
    const answer = await world.decode(browser, { authorization: 'Bearer opaque' });
    expect(answer.status).toBe(401);
    expect(answer.setCookies).toEqual([]);
  });

  it.each<[string, (at: Date) => string]>([
    ['in UTC', (at) => at.toISOString()],
    ['with an offset', (at) => `${new Date(at.getTime() + 7_200_000).toISOString().slice(0, 23)}+02:00`],
  ])('ends what was signed in before a validFrom %s', async (_, text) => {
    const browser = await world.signedIn();
    const file = join(world.folder, 'session-keys.json');
    const document = JSON.parse(readFileSync(file, 'utf8'));
    const validFrom = text(new Date(Date.now() + 1000));
    writeFileSync(file, JSON.stringify({ ...document, validFrom }));
    const clock = new TestClock();
    expect((await world.decode(browser)).status).toBe(200);
    clock.advance(61_000);
    // the first request after a minute reads the file anew
    expect((await world.decode(browser)).status).toBe(401);
    expect((await world.decode(await world.signedIn())).status).toBe(200);
    writeFileSync(file, JSON.stringify(document));
  });
});
