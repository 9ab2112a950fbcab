import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { IdentityUnavailableError, UnauthenticatedError } from '../../../../lambda/server/auth/caller.ts';
import {
  createServiceTokens,
  makeServiceToken,
  parseServiceTokens,
  readServiceTokenEntries,
  type ServiceTokenList,
  type ServiceTokens,
} from '../../../../lambda/server/auth/service-tokens.ts';
import { TestClock } from '../../../support/clock.ts';
import { TestSecret } from '../../../support/secret.ts';

describe('service tokens', () => {
  const ci = makeServiceToken('ci');
  let clock: TestClock;
  let secret: TestSecret<ServiceTokenList>;
  let tokens: ServiceTokens;

  beforeEach(() => {
    clock = new TestClock();
    secret = new TestSecret(JSON.stringify({ tokens: [ci.entry] }), parseServiceTokens);
    tokens = createServiceTokens(secret.source);
  });

  afterEach(() => void jest.restoreAllMocks());

  async function rejection(token: string): Promise<string> {
    try {
      await tokens.verify(token);
    } catch (error) {
      if (error instanceof UnauthenticatedError) return error.reason;
      throw error;
    }
    return 'accepted';
  }

  it('prove their holder by name: the same caller, at once, from the second time on', async () => {
    const caller = await tokens.verify(ci.token);
    expect(caller).toMatchObject({ method: 'service-token', subject: 'ci', email: undefined, claims: {} });
    expect(tokens.verify(ci.token)).toBe(caller);
    expect(secret.reads).toBe(1);
  });

  it('are refused when unknown, changed or cut', async () => {
    const flipped = ci.token.slice(0, -1) + (ci.token.endsWith('A') ? 'E' : 'A');
    for (const token of [makeServiceToken('ci').token, flipped, ci.token.slice(0, -1), `${ci.token}A`, 'codec_', '']) {
      expect(await rejection(token)).toBe('unknown-service-token');
    }
    expect(await rejection(ci.entry.sha256)).toBe('unknown-service-token');
    expect(await rejection(`codec_${ci.entry.sha256.slice(0, 43)}`)).toBe('unknown-service-token');
  });

  it('rotate with an overlap, and an entry that is taken away is gone', async () => {
    const next = makeServiceToken('ci');
    await tokens.verify(ci.token);
    clock.advance(31_000);
    secret.text = JSON.stringify({ tokens: [ci.entry, next.entry] });
    expect(await rejection(next.token)).toBe('accepted');
    expect(await rejection(ci.token)).toBe('accepted');
    secret.text = JSON.stringify({ tokens: [next.entry] });
    clock.advance(301_000);
    expect(await rejection(ci.token)).toBe('unknown-service-token');
    expect(await rejection(next.token)).toBe('accepted');
  });

  it('that cannot be one cost no reading', async () => {
    await tokens.verify(ci.token);
    clock.advance(31_000);
    for (const token of [
      'codec_',
      `${ci.token}A`,
      `codec_${'A'.repeat(12_000)}`,
      ci.token.replace('codec_', 'codec_ '),
    ])
      expect(await rejection(token)).toBe('unknown-service-token');
    expect(secret.reads).toBe(1);
  });

  it('that are invented cost one reading in thirty seconds, however many there are', async () => {
    await tokens.verify(ci.token);
    clock.advance(31_000);
    for (let i = 0; i < 100; i++) expect(await rejection(makeServiceToken('x').token)).toBe('unknown-service-token');
    expect(secret.reads).toBe(2);
  });

  it('expire when their entry says so', async () => {
    const short = makeServiceToken('ci', new Date(Date.now() + 60_000));
    secret.text = JSON.stringify({ tokens: [short.entry] });
    expect(await rejection(short.token)).toBe('accepted');
    clock.advance(61_000);
    expect(await rejection(short.token)).toBe('service-token-expired');
  });

  it('are unavailable, not invalid, while the list cannot be read', async () => {
    secret.failure = new Error('connect ECONNREFUSED');
    await expect(tokens.verify(ci.token)).rejects.toBeInstanceOf(IdentityUnavailableError);
    await expect(Promise.resolve().then(() => tokens.verify(ci.token))).rejects.toMatchObject({
      dependency: 'secrets',
    });
  });

  it('go on working through an outage for an hour', async () => {
    await tokens.verify(ci.token);
    secret.failure = new Error('connect ECONNREFUSED');
    clock.advance(3_600_000);
    expect(await rejection(ci.token)).toBe('accepted');
    clock.advance(400_000);
    await expect(rejection(ci.token)).rejects.toBeInstanceOf(IdentityUnavailableError);
  });

  it.each([
    ['{', 'it is not valid JSON'],
    ['{}', 'it has no "tokens"'],
    ['{"tokens":{}}', 'tokens must be an array'],
    ['{"tokens":[1]}', 'tokens[0] must be an object'],
    ['{"tokens":[{"name":"a","token":"codec_secret"}]}', 'tokens[0] has the unknown field'],
    ['{"tokens":[{"name":"","sha256":"HEX"}]}', 'tokens[0].name must be'],
    ['{"tokens":[{"name":"a","sha256":"HEX","expires":"soon"}]}', 'tokens[0].expires must be a time'],
    ['{"tokens":[{"name":"a","sha256":"00"}]}', 'tokens[0].sha256 must be 64 hex digits'],
  ])('are not read from %s', (text, problem) => {
    expect(() => parseServiceTokens({ current: text.replace('HEX', '0'.repeat(64)) })).toThrow(problem);
    expect(() => parseServiceTokens({ current: text })).not.toThrow('codec_secret');
  });

  it('may be none', async () => {
    expect(readServiceTokenEntries('{"tokens":[]}')).toEqual([]);
  });
});
