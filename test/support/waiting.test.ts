import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { freePort } from './free-port.ts';
import { until } from './patience.ts';
import { retried } from './retried.ts';

describe('until', () => {
  it('returns what a look shows, as soon as one does', async () => {
    let looks = 0;
    expect(await until(() => (++looks < 3 ? undefined : `look ${looks}`), 'nothing is there')).toBe('look 3');
  });

  it('fails with what did not happen, and with the error of a look at once', async () => {
    await expect(until(() => false, 'nothing is there', 20)).rejects.toThrow('after 0 seconds: nothing is there');
    await expect(until(() => Promise.reject(new Error('it has ended')), 'nothing is there')).rejects.toThrow(
      'it has ended',
    );
  });
});

describe('retried', () => {
  const failing = (times: number) => {
    let attempts = 0;
    return async () => {
      if (++attempts <= times) throw new Error(`attempt ${attempts}`);
      return attempts;
    };
  };

  it('does again what has failed, as often as there are pauses', async () => {
    await expect(retried(failing(2), [1, 1])).resolves.toBe(3);
    await expect(retried(failing(3), [1, 1])).rejects.toThrow('attempt 3');
  });
});

describe('freePort', () => {
  it('is below what the system hands out by itself, and free', async () => {
    const port = await freePort();
    expect(port).toBeLessThan(32_768);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await new Promise((resolve) => server.close(resolve));
  });
});
