import { chmodSync, rmSync } from 'node:fs';
import { connect } from 'node:tls';
import { expect, it } from '@jest/globals';
import { type LocalTarget, startLocalTarget } from './local-target.ts';
import { describeAttacks } from './suite.ts';

describeAttacks('the local server over TLS', startLocalTarget, (world) => {
  const target = () => world().target as LocalTarget;

  it('leave no bug behind, and a line of audit for every request that reached the pipeline', () => {
    expect(target().bugs).toEqual([]);
    expect(target().audit.length).toBeGreaterThan(150);
    for (const { status, caller, unauthenticated } of target().audit) {
      if (status === 401)
        expect({ caller, unauthenticated }).toEqual({ caller: undefined, unauthenticated: expect.any(String) });
    }
  });

  it('make the server fetch its issuer’s keys a few times, not once an attack', () => {
    expect(world().issuer.requests).toBeLessThanOrEqual(5);
  });

  it('from a rebound name get nothing, with a valid token', async () => {
    const headers = [
      ['host', 'evil.example'],
      ['content-type', 'application/json'],
      ['authorization', world().token()],
    ] as const;
    const response = await target().send({ method: 'POST', path: '/decode', headers, body: world().body });
    expect([403, 421]).toContain(response.status);
  });

  it.each([
    ['a file that others may read', (file: string) => chmodSync(file, 0o644)],
    ['no file any more', (file: string) => rmSync(file)],
  ])('with a service token that was removed get nothing five minutes later: with %s', async (_, change) => {
    const { reader } = world();
    const ask = async () => {
      const headers = [
        ['content-type', 'application/json'],
        ['x-namespace', 'orders'],
        ['authorization', reader.token],
      ] as const;
      return (await target().send({ method: 'POST', path: '/decode', headers, body: world().body })).status;
    };
    expect(await ask()).toBe(200);
    change(target().tokensFile);
    await target().later(5 * 60_000 + 1_000);
    expect(await ask()).toBe(503);
    await target().logged('a secret cannot be used');
    rmSync(target().tokensFile, { force: true });
    target().putServiceTokens(world().serviceTokens);
    await target().restart();
  });

  it('on connections that send heads alone keep nobody from being served', async () => {
    const head =
      'POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n';
    const { port, ca } = target();
    const heads = Array.from({ length: 100 }, () => {
      const socket = connect({ port, host: '127.0.0.1', ca, servername: 'localhost' }, () => socket.write(head));
      return { socket, answer: new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data)))) };
    });
    const answers = await Promise.all(heads.map(({ answer }) => answer));
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 401 /);
    const headers = [
      ['content-type', 'application/json'],
      ['authorization', world().token()],
    ] as const;
    const served = await target().send({ method: 'POST', path: '/decode', headers, body: world().body });
    expect(served.status).toBe(200);
    for (const { socket } of heads) socket.destroy();
  });
});
