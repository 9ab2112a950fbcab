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
});
