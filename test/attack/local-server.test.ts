import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
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

  describe('with a service token that was withdrawn', () => {
    const now = Date.now;
    let moved = 0;

    afterEach(() => {
      jest.restoreAllMocks();
    });

    async function statusOfReader(): Promise<number> {
      const headers = [
        ['content-type', 'application/json'],
        ['x-namespace', 'orders'],
        ['authorization', world().reader.token],
      ] as const;
      return (await target().send({ method: 'POST', path: '/decode', headers, body: world().body })).status;
    }

    function later(milliseconds: number): void {
      moved += milliseconds;
      jest.spyOn(Date, 'now').mockImplementation(() => now() + moved);
    }

    const slips: Record<string, [change: (file: string, digest: string) => void, status: number]> = {
      'no slip': [(file) => writeFileSync(file, '{"tokens":[]}'), 401],
      'a trailing comma': [(file) => writeFileSync(file, '{"tokens":[],}'), 503],
      'half of a digest': [
        (file, digest) => writeFileSync(file, readFileSync(file, 'utf8').replace(digest, digest.slice(32))),
        503,
      ],
      'a file that others may read': [(file) => chmodSync(file, 0o644), 503],
      'no file any more': [(file) => rmSync(file), 503],
    };

    it.each(Object.entries(slips))('get nothing five minutes later: with %s', async (_, [change, status]) => {
      const file = target().tokensFile;
      const text = readFileSync(file, 'utf8');
      expect(await statusOfReader()).toBe(200);
      change(file, world().reader.entry.sha256);
      try {
        later(5 * 60_000 + 1_000);
        expect(await statusOfReader()).toBe(status);
      } finally {
        writeFileSync(file, text, { mode: 0o600 });
        chmodSync(file, 0o600);
      }
      // A secret without the token is read again once in 30 seconds, one that cannot be used every 5 seconds.
      later(31_000);
      expect(await statusOfReader()).toBe(200);
    });
  });
});
