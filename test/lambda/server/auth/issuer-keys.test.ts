import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { IdentityUnavailableError } from '../../../../lambda/server/auth/caller.ts';
import type { HttpsResponse } from '../../../../lambda/server/auth/https-get.ts';
import { IssuerKeys } from '../../../../lambda/server/auth/issuer-keys.ts';
import { TestClock } from '../../../support/clock.ts';
import { HttpsIssuer, signingKeyOf } from '../../../support/https-issuer.ts';
import { standInGet } from '../../../support/https-stand-in.ts';

const MINUTE_MS = 60_000;
/** Age from which keys are fetched anew beside the requests. */
const REFRESH_AFTER_MS = 10 * MINUTE_MS;
/** Age from which a request waits for them. */
const MAX_UNASKED_MS = 15 * MINUTE_MS;
/** Age from which they serve nobody. */
const MAX_AGE_MS = 12 * 60 * MINUTE_MS;
const UNKNOWN_KID_INTERVAL_MS = 10_000;
const FETCH_TIMEOUT_MS = 3_000;

describe('the keys of an issuer, over HTTPS', () => {
  let issuer: HttpsIssuer;
  let clock: TestClock;
  let keys: IssuerKeys;
  let outcomes: string[];

  beforeEach(async () => {
    issuer = await HttpsIssuer.start();
    clock = new TestClock();
    // What hangs in one test must not be counted in the next.
    const mine: string[] = [];
    outcomes = mine;
    keys = new IssuerKeys(issuer.jwksUri, ['RS256'], {
      get: standInGet(),
      now: Date.now,
      onFetch: (outcome) => mine.push(outcome),
    });
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await issuer.close();
  });

  /** Waits for background work: until the issuer was asked this often and the answer is in. */
  async function until(outcomeCount: number): Promise<void> {
    while (outcomes.length < outcomeCount) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  it('are fetched once for all who wait, and found at once from then on', async () => {
    const waiting = Array.from({ length: 50 }, () => keys.find(issuer.signer.kid));
    for (const key of await Promise.all(waiting)) expect(key).toMatchObject({ kid: issuer.signer.kid });
    expect(keys.find(issuer.signer.kid)).not.toBeInstanceOf(Promise);
    expect(issuer.requests).toBe(1);
  });

  it('are there before the first request once warmed up', async () => {
    await keys.warmUp();
    await keys.warmUp();
    expect(keys.find(issuer.signer.kid)).toMatchObject({ kid: issuer.signer.kid });
    expect(issuer.requests).toBe(1);
  });

  it('do not keep a start waiting when the issuer is down', async () => {
    issuer.mood = { kind: 'cut-off' };
    await expect(keys.warmUp()).resolves.toBeUndefined();
  });

  it('cost one fetch in an interval for any number of unknown key ids', async () => {
    await keys.warmUp();
    for (let i = 0; i < 500; i++) expect(await keys.find(`invented-${i}`)).toBeUndefined();
    expect(issuer.requests).toBe(2);
    clock.advance(UNKNOWN_KID_INTERVAL_MS);
    await Promise.all(Array.from({ length: 500 }, (_, i) => keys.find(`invented-${i}`)));
    expect(issuer.requests).toBe(3);
  });

  it('are asked for a new key id after the clock was set back', async () => {
    await keys.warmUp();
    expect(await keys.find('invented')).toBeUndefined();
    clock.advance(-86_400_000);
    // The old keys are of an unknown age; those that come now are followed by a rotation.
    expect(await keys.find(issuer.signer.kid)).toMatchObject({ kid: issuer.signer.kid });
    expect(await keys.find(issuer.rotate().kid)).toMatchObject({ kid: issuer.signer.kid });
  });

  it('follow a rotation without a failed request, even right after the last fetch', async () => {
    await keys.warmUp();
    const old = issuer.signer;
    const fresh = issuer.rotate();
    expect(await keys.find(fresh.kid)).toMatchObject({ kid: fresh.kid });
    expect(keys.find(old.kid)).toMatchObject({ kid: old.kid });
    expect(issuer.requests).toBe(2);
  });

  it('follow a rotation that happens while they are being refreshed', async () => {
    await keys.warmUp();
    clock.advance(REFRESH_AFTER_MS + 1);
    void keys.find(issuer.signer.kid);
    while (issuer.requests < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    const fresh = issuer.rotate();
    expect(await keys.find(fresh.kid)).toMatchObject({ kid: fresh.kid });
    expect(issuer.requests).toBeLessThanOrEqual(3);
  });

  it('are refreshed beside a request when they get old, and a withdrawn key is found no more', async () => {
    await keys.warmUp();
    const old = issuer.signer;
    const oldKey = await keys.find(old.kid);
    issuer.rotate({ keepOld: false });
    clock.advance(REFRESH_AFTER_MS + 1);
    expect(keys.find(old.kid)).toBe(oldKey);
    await until(2);
    expect(oldKey !== undefined && keys.isCurrent(oldKey)).toBe(false);
    expect(issuer.requests).toBe(2);
  });

  it('are waited for by the request that finds them too old, so that a withdrawn key ends with its bound', async () => {
    await keys.warmUp();
    const old = issuer.signer;
    const oldKey = await keys.find(old.kid);
    const fresh = issuer.rotate({ keepOld: false });
    clock.advance(MAX_UNASKED_MS + 1);
    expect(oldKey !== undefined && keys.isCurrent(oldKey)).toBe(false);
    expect(await keys.find(old.kid)).toBeUndefined();
    expect(await keys.find(fresh.kid)).toMatchObject({ kid: fresh.kid });
    expect(issuer.requests).toBeLessThanOrEqual(3);
  });

  it('are as old as the question, however long the answer took', async () => {
    issuer.mood = { kind: 'slow', ms: 100 };
    const waiting = keys.warmUp();
    while (issuer.requests < 1) await new Promise((resolve) => setTimeout(resolve, 1));
    clock.advance(MAX_UNASKED_MS + 1);
    await waiting;
    const before = issuer.requests;
    await keys.find(issuer.signer.kid);
    expect(issuer.requests).toBe(before + 1);
  });

  it('do not lock out a new key because an attempt failed across a freeze', async () => {
    await keys.warmUp();
    issuer.mood = { kind: 'hangs' };
    clock.advance(REFRESH_AFTER_MS + 1);
    void keys.find(issuer.signer.kid);
    while (issuer.requests < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    clock.advance(2_000);
    issuer.mood = { kind: 'in-order' };
    const fresh = issuer.rotate({ keepOld: false });
    expect(await keys.find(fresh.kid)).toMatchObject({ kid: fresh.kid });
  });

  it('stay the same objects through a refresh that changes nothing', async () => {
    await keys.warmUp();
    const before = await keys.find(issuer.signer.kid);
    clock.advance(REFRESH_AFTER_MS + 1);
    void keys.find(issuer.signer.kid);
    await until(2);
    expect(keys.find(issuer.signer.kid)).toBe(before);
    expect(before !== undefined && keys.isCurrent(before)).toBe(true);
  });

  it('take over a key that changed under the same id', async () => {
    await keys.warmUp();
    const before = await keys.find(issuer.signer.kid);
    const changed = signingKeyOf(issuer.signer.kid, generateKeyPairSync('rsa', { modulusLength: 2048 }));
    issuer.published = [changed.jwk];
    clock.advance(REFRESH_AFTER_MS + 1);
    void keys.find(changed.kid);
    await until(2);
    expect(before !== undefined && keys.isCurrent(before)).toBe(false);
    expect((await keys.find(changed.kid))?.keyObject.equals(changed.publicKey)).toBe(true);
  });

  it('are kept through an outage for twelve hours, and then nothing is believed', async () => {
    await keys.warmUp();
    issuer.mood = { kind: 'status', status: 500 };
    clock.advance(MAX_AGE_MS - 60_000);
    const key = await keys.find(issuer.signer.kid);
    expect(key).toMatchObject({ kid: issuer.signer.kid });
    await until(2);
    clock.advance(61_000);
    expect(keys.isCurrent(key as never)).toBe(false);
    await expect(keys.find(issuer.signer.kid)).rejects.toThrow(IdentityUnavailableError);
    // Nor while nobody may ask again.
    expect(keys.isCurrent(key as never)).toBe(false);
    await expect(keys.find(issuer.signer.kid)).rejects.toThrow(IdentityUnavailableError);
    issuer.mood = { kind: 'in-order' };
    clock.advance(60_000);
    expect(await keys.find(issuer.signer.kid)).toMatchObject({ kid: issuer.signer.kid });
  });

  it('say unavailable, not unknown, for a new key id during an outage', async () => {
    await keys.warmUp();
    issuer.mood = { kind: 'cut-off' };
    await expect(keys.find('rotated-in')).rejects.toMatchObject({ dependency: 'jwks' });
    await expect(keys.find('rotated-in')).rejects.toMatchObject({ dependency: 'jwks' });
    expect(issuer.requests).toBe(2);
  });

  it.each([
    ['is cut off', { kind: 'cut-off' }],
    ['answers 500', { kind: 'status', status: 500 }],
    ['answers 404', { kind: 'status', status: 404 }],
    ['answers with a page of HTML', { kind: 'garbage', body: '<html>maintenance</html>' }],
    ['answers with other JSON', { kind: 'garbage', body: '{"keys":{}}' }],
    ['answers with no keys', { kind: 'garbage', body: '{"keys":[]}' }],
    [
      'answers with nonsense for keys',
      { kind: 'garbage', body: '{"keys":[null,1,{"kid":"a"},{"kid":"b","kty":"RSA"}]}' },
    ],
    ['answers without end', { kind: 'endless' }],
    ['redirects elsewhere', { kind: 'redirect', to: 'https://evil.example/jwks.json' }],
  ] as const)('are unavailable while the issuer %s, and there again afterwards', async (_, mood) => {
    issuer.mood = mood;
    const error = await Promise.resolve(keys.find(issuer.signer.kid)).catch((it) => it);
    expect(error).toBeInstanceOf(IdentityUnavailableError);
    expect(error).toMatchObject({ dependency: 'jwks', retryAfterSeconds: 1 });
    issuer.mood = { kind: 'in-order' };
    clock.advance(1_001);
    expect(await keys.find(issuer.signer.kid)).toMatchObject({ kid: issuer.signer.kid });
  });

  it('ask a broken issuer less and less often, and as late as it asks for', async () => {
    issuer.mood = { kind: 'status', status: 429, retryAfter: '7' };
    await expect(keys.find('x')).rejects.toMatchObject({ retryAfterSeconds: 7 });
    for (let i = 0; i < 100; i++) await expect(keys.find('x')).rejects.toThrow(IdentityUnavailableError);
    expect(issuer.requests).toBe(1);
    issuer.mood = { kind: 'status', status: 500 };
    const requestsOfAMinute = async () => {
      const before = issuer.requests;
      for (let second = 0; second < 60; second++) {
        clock.advance(1_000);
        await Promise.resolve(keys.find('x')).catch(() => undefined);
      }
      return issuer.requests - before;
    };
    // A busy machine lets one of them time out, which counts as asked.
    expect(await requestsOfAMinute()).toBeLessThanOrEqual(10);
    expect(await requestsOfAMinute()).toBeLessThanOrEqual(3);
  });

  it('are awaited for three seconds from an issuer that hangs, and no longer', async () => {
    issuer.mood = { kind: 'hangs' };
    const strict = new IssuerKeys(issuer.jwksUri, ['RS256'], { get: standInGet('strict'), now: Date.now });
    const started = performance.now();
    await expect(strict.find(issuer.signer.kid)).rejects.toMatchObject({
      cause: { message: expect.stringContaining(`did not answer within ${FETCH_TIMEOUT_MS} ms`) },
    });
    expect(performance.now() - started).toBeGreaterThan(FETCH_TIMEOUT_MS - 100);
  });

  it('serve without waiting while an issuer answers slowly, until they are too old', async () => {
    await keys.warmUp();
    issuer.mood = { kind: 'slow', ms: 200 };
    clock.advance(REFRESH_AFTER_MS + 1);
    for (let i = 0; i < 100; i++) expect(keys.find(issuer.signer.kid)).not.toBeInstanceOf(Promise);
    await until(2);
    expect(issuer.requests).toBe(2);
  });

  it('do not wait for a fetch that froze with its Lambda instance', async () => {
    issuer.mood = { kind: 'hangs' };
    const frozen = Promise.resolve(keys.find(issuer.signer.kid)).catch((it) => it);
    while (issuer.requests < 1) await new Promise((resolve) => setTimeout(resolve, 2));
    clock.advance(60_000);
    issuer.mood = { kind: 'in-order' };
    expect(await keys.find(issuer.signer.kid)).toMatchObject({ kid: issuer.signer.kid });
    await issuer.close();
    expect(await frozen).toMatchObject({ kid: issuer.signer.kid });
    expect(keys.find(issuer.signer.kid)).toMatchObject({ kid: issuer.signer.kid });
    issuer = await HttpsIssuer.start();
  });

  it('are not undone by an answer that a freeze held up', async () => {
    const [old, current] = [issuer.signer, issuer.rotate()];
    const answers: ((body: object) => void)[] = [];
    const get = () =>
      new Promise<HttpsResponse>((resolve) => {
        const answer = { status: 200, retryAfterSeconds: undefined, contentType: 'application/json' };
        answers.push((body) => resolve({ ...answer, body: JSON.stringify(body) }));
      });
    const held = new IssuerKeys(issuer.jwksUri, ['RS256'], { get, now: Date.now });
    const before = Promise.resolve(held.find(old.kid));
    await new Promise(setImmediate);
    clock.advance(60_000);
    const after = Promise.resolve(held.find(current.kid));
    await new Promise(setImmediate);
    answers[1]?.({ keys: [current.jwk] });
    expect(await after).toMatchObject({ kid: current.kid });
    answers[0]?.({ keys: [old.jwk] });
    // The old key is unknown by now, and is asked for once more.
    while (answers.length < 3) await new Promise(setImmediate);
    answers[2]?.({ keys: [current.jwk] });
    expect(await before).toBeUndefined();
    expect(held.find(current.kid)).toMatchObject({ kid: current.kid });
  });

  it('come over TLS that is verified', async () => {
    const { createHttpsGet } = await import('../../../../lambda/server/auth/https-get.ts');
    const strict = new IssuerKeys(issuer.jwksUri, ['RS256'], { get: createHttpsGet(), now: Date.now });
    await expect(strict.find(issuer.signer.kid)).rejects.toThrow(IdentityUnavailableError);
    expect(issuer.requests).toBe(0);
  });
});
