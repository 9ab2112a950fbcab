import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { KeyUnavailableError } from '../../../../codec/errors.ts';
import { createSecretSource } from '../../../../codec/keys/secrets/secret-source.ts';
import type { Caller } from '../../../../lambda/server/auth/caller.ts';
import { createSeal, SESSION_COOKIE } from '../../../../lambda/server/sign-in/seal.ts';
import { newSessionKeys, parseSessionKeys } from '../../../../lambda/server/sign-in/session-keys.ts';
import { Sessions } from '../../../../lambda/server/sign-in/sessions.ts';
import { TestClock } from '../../../support/clock.ts';

const ISSUER = 'https://login.example.com/';
const ALICE: Caller = {
  method: 'session',
  subject: 'user|alice',
  issuer: ISSUER,
  email: 'alice@acme.com',
  claims: { groups: ['orders'] },
};

describe('sessions of several instances', () => {
  let current: string;
  let previous: string | undefined;
  let isOut: boolean;
  let clock: TestClock;

  beforeEach(() => {
    current = newSessionKeys();
    previous = undefined;
    isOut = false;
    clock = new TestClock();
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  function instance(publicUrl = 'https://codec.example.com'): Sessions {
    const keys = createSecretSource({
      parse: parseSessionKeys,
      ttlSeconds: 60,
      refreshSeconds: 5,
      read: async () => {
        if (isOut) throw new KeyUnavailableError('unreachable', 'out', 5, { dependency: 'secrets' });
        return { current, previous };
      },
    });
    const seal = createSeal({ publicUrl, issuer: ISSUER, clientId: 'codec' });
    const limits = { absoluteSeconds: 28_800, idleSeconds: 3_600 };
    return new Sessions({ seal, keys, issuer: ISSUER, limits, signInAddress: `${publicUrl}/login` });
  }

  function rotate(): void {
    previous = current;
    current = newSessionKeys();
  }

  async function start(sessions: Sessions): Promise<string[]> {
    const [pair = ''] = ((await sessions.start(ALICE)) ?? '').split(';');
    return [`temporal-ui-refresh=a-secret-of-the-ui; ${pair}; theme=dark`];
  }

  const who = async (sessions: Sessions, cookies: readonly string[]): Promise<string> => {
    try {
      return (await sessions.authenticate(cookies))?.subject ?? 'nobody';
    } catch (error) {
      return (error as Error).name;
    }
  };

  it('know a person that another one signed in, and keep what the rules ask for', async () => {
    const cookies = await start(instance());
    expect(await instance().authenticate(cookies)).toEqual(ALICE);
  });

  it('give the same caller for the same cookie, at once when the keys are there', async () => {
    const sessions = instance();
    const cookies = await start(sessions);
    const first = sessions.authenticate(cookies);
    expect(first).not.toBeInstanceOf(Promise);
    expect(sessions.authenticate(cookies)).toBe(first);
  });

  it('survive a new key, and end with the one after it', async () => {
    const cookies = await start(instance());
    rotate();
    expect(await who(instance(), cookies)).toBe(ALICE.subject);
    rotate();
    expect(await who(instance(), cookies)).toBe('UnauthenticatedError');
  });

  it('end with the second new key at an instance that had opened them, too', async () => {
    const sessions = instance();
    const cookies = await start(sessions);
    expect(await who(sessions, cookies)).toBe(ALICE.subject);
    rotate();
    rotate();
    clock.advance(60_000);
    expect(await who(sessions, cookies)).toBe('UnauthenticatedError');
  });

  it('from the future count as far as clocks of instances differ, and no further', async () => {
    const cookies = await start(instance());
    clock.advance(-59_000);
    expect(await who(instance(), cookies)).toBe(ALICE.subject);
    clock.advance(-10_000);
    expect(await who(instance(), cookies)).toBe('UnauthenticatedError');
  });

  it('of a new key count at an instance that has not read it yet', async () => {
    const late = instance();
    await start(late);
    clock.advance(6_000);
    rotate();
    expect(await who(late, await start(instance()))).toBe(ALICE.subject);
  });

  it('go on for an hour while the keys cannot be read, and then nobody knows', async () => {
    const sessions = instance();
    const cookies = await start(sessions);
    isOut = true;
    clock.advance(3_000_000);
    expect(await who(sessions, cookies)).toBe(ALICE.subject);
    expect(await who(instance(), cookies)).toBe('IdentityUnavailableError');
  });

  it('of another environment do not count, though it has the same key', async () => {
    expect(await who(instance(), await start(instance('https://dev.example.com')))).toBe('UnauthenticatedError');
  });

  it('that were ended do not count where that is known', async () => {
    const sessions = instance();
    const cookies = await start(sessions);
    await sessions.end(cookies);
    expect(await who(sessions, cookies)).toBe('UnauthenticatedError');
  });

  it('that were ended do not come back to life with a clock that is set back', async () => {
    const sessions = instance();
    const cookies = await start(sessions);
    clock.advance(20_000);
    await sessions.end(cookies);
    clock.advance(-10_000);
    expect(await who(sessions, cookies)).toBe('UnauthenticatedError');
  });

  it('are not prolonged for somebody who signs out at that moment', async () => {
    const sessions = instance();
    const cookies = await start(sessions);
    clock.advance(2_000_000);
    expect(await sessions.prolong(cookies)).toContain(SESSION_COOKIE);
    const prolonging = sessions.prolong(cookies);
    await sessions.end(cookies);
    expect(await prolonging).toBeUndefined();
  });

  it('are refused when the cookie comes twice', async () => {
    const sessions = instance();
    const cookies = await start(sessions);
    expect(await who(sessions, [`${cookies[0]}; ${cookies[0]}`])).toBe('UnauthenticatedError');
    expect(await who(sessions, [...cookies, ...cookies])).toBe('UnauthenticatedError');
  });

  it('are nobody’s where there is no such cookie', () => {
    const sessions = instance();
    for (const cookies of [[], [''], ['a=b'], [`x${SESSION_COOKIE}=abc`], ['codec-server-session=abc']])
      expect(sessions.authenticate(cookies)).toBeUndefined();
  });

  it('say where to sign in once they do not count', async () => {
    const refused = instance().authenticate([`${SESSION_COOKIE}=made-up`]);
    await expect(refused).rejects.toThrow('https://codec.example.com/login');
  });

  it('have no place for a person of whom too much is to be kept', async () => {
    const groups = Array.from({ length: 300 }, (_, at) => `group-${at}`);
    expect(await instance().start({ ...ALICE, claims: { groups } })).toBeUndefined();
  });
});
