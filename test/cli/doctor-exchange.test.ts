/** What the doctor takes of an answer: whoever it examines may be anybody. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { exchangeWith, type Send, said } from '../../cli/doctor/exchange.ts';

async function exchange(listener: RequestListener, send: Partial<Send> = {}) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    return await exchangeWith(new URL(`http://127.0.0.1:${port}`))({ method: 'GET', path: '/', ...send });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('an exchange of the doctor', () => {
  it('reads an answer up to its bound, and gives up behind it while the server still sends', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    let sent = 0;
    const result = await exchange((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.on('drain', more);
      more();
    });
    expect(result).toMatchObject({ error: 'TOO_LARGE' });
    expect(sent).toBeLessThan(2 * 16 * 1024 * 1024);
    const whole = await exchange((_, response) => response.end(Buffer.alloc(16 * 1024 * 1024, 'x')));
    expect(whole).toMatchObject({ status: 200 });
  });

  it('waits no longer for an answer than it was told, and four times as long for its end', async () => {
    expect(await exchange(() => {}, { timeoutMs: 50 })).toMatchObject({ error: 'TIMEOUT' });
    const trickle = await exchange(
      (_, response) => {
        const timer = setInterval(() => response.write('x'), 10);
        response.on('close', () => clearInterval(timer));
      },
      { timeoutMs: 50 },
    );
    expect(trickle).toMatchObject({ error: expect.stringMatching(/TIMEOUT|ECONNRESET/) });
  });

  it('repeats the first words of a refusal, in one line', () => {
    expect(said('a\n b')).toBe('a b');
    expect(said('')).toBe('nothing');
    expect(said('x'.repeat(1000))).toHaveLength(161);
  });
});
