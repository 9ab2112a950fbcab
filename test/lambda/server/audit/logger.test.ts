import { describe, expect, it } from '@jest/globals';
import { CannotOpenError, KeyUnavailableError } from '../../../../codec/errors.ts';
import { createLogger, describeError, type LogLevel } from '../../../../lambda/server/audit/logger.ts';
import { IdentityUnavailableError } from '../../../../lambda/server/auth/caller.ts';
import { HttpsGetError } from '../../../../lambda/server/auth/https-get.ts';

function loggerOf(level: LogLevel) {
  const lines: string[] = [];
  return { lines, logger: createLogger((line) => lines.push(line), level) };
}

describe('the log', () => {
  it('keeps lines of its level and above', () => {
    for (const [level, count] of [
      ['DEBUG', 4],
      ['INFO', 3],
      ['WARN', 2],
      ['ERROR', 1],
    ] as const) {
      const { lines, logger } = loggerOf(level);
      logger.debug('a');
      logger.info('b');
      logger.warn('c');
      logger.error('d');
      expect(lines).toHaveLength(count);
    }
  });

  it('writes JSON with a time, a level, a sentence and named values', () => {
    const { lines, logger } = loggerOf('DEBUG');
    logger.info('The server listens.', { port: 8888, host: 'localhost', tls: false, none: undefined });
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      type: 'log',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      level: 'INFO',
      message: 'The server listens.',
      port: 8888,
      host: 'localhost',
      tls: false,
    });
  });

  it('cuts long values and takes out what looks like a token', () => {
    const { lines, logger } = loggerOf('DEBUG');
    logger.warn('x', { long: 'x'.repeat(10_000), header: 'Bearer abc.def', jwt: 'eyJhbGciOiJSUzI1NiJ9.e30.x' });
    expect(lines[0]?.length).toBeLessThan(500);
    expect(lines[0]).not.toMatch(/abc\.def|eyJ/);
  });

  it('writes nothing that moves a cursor or turns the text around it', () => {
    const { lines, logger } = loggerOf('DEBUG');
    logger.warn('x', { namespace: 'größe\u009b2J\u202egnp' });
    expect(lines[0]).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ namespace: 'größe\u009b2J\u202egnp' });
  });

  it('writes the message of our own errors, their reason, and the chain of causes', () => {
    const cause = new HttpsGetError('login.example did not answer within 3000 ms');
    const error = new IdentityUnavailableError('jwks', 'no keys', 1, { cause });
    expect(describeError(error)).toEqual({
      name: 'IdentityUnavailableError',
      message: 'no keys',
      cause: { name: 'HttpsGetError', message: 'login.example did not answer within 3000 ms' },
    });
    expect(describeError(new CannotOpenError('not-authentic', 'the tag does not verify'))).toMatchObject({
      code: 'not-authentic',
    });
    expect(describeError(new KeyUnavailableError('throttled', 'KMS throttles'))).toMatchObject({ code: 'throttled' });
  });

  it('never writes the message of anybody else’s error, only its name, code and places in the code', () => {
    const secret = 'PLAINTEXT\n    at PLAINTEXT (PLAINTEXT)';
    const foreign = Object.assign(new TypeError(`cannot read ${secret}`), { code: 'ERR_X', reason: secret });
    foreign.cause = new Error(secret, { cause: { secret } });
    const description = describeError(foreign);
    expect(description).toMatchObject({ name: 'TypeError', code: 'ERR_X', cause: { name: 'Error' } });
    expect(description.stack?.[0]).toMatch(/^at .*logger\.test\.ts/);
    expect(JSON.stringify(description)).not.toContain('PLAINTEXT');
    for (const thrown of ['PLAINTEXT', { PLAINTEXT: 1 }, null, undefined, 7]) {
      expect(JSON.stringify(describeError(thrown))).not.toContain('PLAINTEXT');
    }
    const named = Object.assign(new Error('x'), { name: 'a PLAINTEXT b', code: 'PLAIN TEXT' });
    expect(JSON.stringify(describeError(named))).not.toMatch(/PLAINTEXT|PLAIN TEXT/);
  });

  it('ends a chain of causes that has no end', () => {
    const error = new Error('x');
    error.cause = error;
    expect(() => describeError(error)).not.toThrow();
  });
});
