import { expect, it } from '@jest/globals';
import { Gate } from '../../../lambda/node/gate.ts';
import type { Credentials } from '../../../lambda/server/auth/caller.ts';

const ORIGIN = 'https://cloud.temporal.io';

it('asks whose cookie it is only for a page of an allowed origin, as the pipeline does', () => {
  const seen: Credentials['cookie'][] = [];
  const authenticate = ({ cookie }: Credentials) => {
    seen.push(cookie);
    return { method: 'session', subject: 'ada', issuer: undefined, email: undefined, claims: {} } as const;
  };
  const gate = new Gate({ authenticate }, [ORIGIN]);
  const admits = (origin?: string) => {
    const headers: Record<string, string | undefined> = { cookie: 'a=1', 'content-type': 'application/json', origin };
    const header = (name: string) => [headers[name] ?? []].flat();
    const request = { method: 'POST', path: '/decode', query: '', body: Buffer.alloc(0), deadline: 0, requestId: '1' };
    return gate.admits({ ...request, header }, '127.0.0.1');
  };
  expect(admits(ORIGIN)).toBe(true);
  expect(admits()).toBe(true);
  expect(admits('https://evil.example')).toBe(false);
  expect(seen).toEqual([['a=1'], []]);
});
