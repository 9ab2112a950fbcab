/** The attack suite, for any target. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { toJson } from '../support/payloads.ts';
import type { Attack } from './attack.ts';
import { ATTACKS } from './attacks.ts';
import { describeCampaigns } from './campaigns.ts';
import type { AttackRequest, StartTarget } from './target.ts';
import { AttackWorld, leaks, PLAINTEXT } from './world.ts';

/**
 * Declares the suite. `more` runs after the single attacks, with what has happened, and attacks of several requests
 * after that. `ownAnswers` are the statuses, by the attack's name, of what stands in front of the server and answers by itself.
 */
export function describeAttacks(
  name: string,
  start: StartTarget,
  more?: (world: () => AttackWorld) => void,
  ownAnswers: Readonly<Record<string, number>> = {},
): void {
  describe(`attacks on ${name}`, () => {
    let world: AttackWorld;

    beforeAll(async () => {
      world = await AttackWorld.start(start);
    });

    afterAll(() => world.close());

    function requestOf(attack: Pick<Attack, 'request'>): AttackRequest {
      return { method: 'POST', path: '/decode', headers: [], body: world.body, ...attack.request(world) };
    }

    it('are aimed at a server that serves those who may', async () => {
      const ordinary: AttackRequest['headers'] = [
        ['content-type', 'application/json'],
        ['x-namespace', 'orders'],
      ];
      const ways: AttackRequest['headers'][] = [
        [['authorization', `Bearer ${world.token()}`]],
        [['authorization', world.token({ email: 'bob@team.acme.com' })]],
        [['authorization', world.token({ email: undefined, permissions: ['orders:read'] })]],
        [
          ['authorization', 'Bearer opaque'],
          ['authorization-extras', world.token({ aud: 'web-ui' })],
        ],
        [['authorization', world.reader.token]],
      ];
      for (const way of ways) {
        const response = await world.target.send(requestOf({ request: () => ({ headers: [...ordinary, ...way] }) }));
        expect(response.status).toBe(200);
        expect(leaks(response)).toBe(true);
        expect(Buffer.from(JSON.parse(response.body).payloads[0].data, 'base64').toString()).toBe(`"${PLAINTEXT}"`);
      }
    });

    it('are aimed at a server that reads old payloads of other producers where the configuration says so', async () => {
      const old = world.foreign(PLAINTEXT);
      const application = new Map([['application', 'orders']]);
      const payloads = [
        old.temporalProxy(world.oldKey),
        old.temporalProxy(world.oldKey, 'context_application=orders', application),
        old.pythonSample(world.oldKey),
      ];
      const headers = [['content-type', 'application/json'] as const, ['authorization', world.token()] as const];
      const body = JSON.stringify({ payloads: payloads.map(toJson) });
      const named = [...headers, ['x-namespace', 'orders'] as const];
      const response = await world.target.send({ method: 'POST', path: '/decode', headers: named, body });
      const texts = JSON.parse(response.body).payloads.map((it: { data: string }) => Buffer.from(it.data, 'base64'));
      expect(texts.map(String)).toEqual(Array(3).fill(JSON.stringify(PLAINTEXT)));
    });

    it('are many, and no two the same', () => {
      expect(ATTACKS.length).toBeGreaterThanOrEqual(80);
      expect(new Set(ATTACKS.map((attack) => attack.name)).size).toBe(ATTACKS.length);
    });

    it.each(ATTACKS.map((attack) => [attack.name, attack] as const))('get nothing: %s', async (_, attack) => {
      const before = world.target.keyCalls();
      const asked = world.kms.calls.length;
      const request = requestOf(attack);
      const response = await world.target.send(request);
      expect([ownAnswers[attack.name] ?? attack.status].flat()).toContain(response.status);
      expect(leaks(response)).toBe(false);
      if (attack.looksForKeys === undefined) expect(world.target.keyCalls()).toBe(before);
      if (attack.asksNothingOfKms) expect(world.kms.calls.length).toBe(asked);
      if (response.status === 200) expectInProportion(request, response.body);
      if (response.status === 200) expectUntouched(request, response.body);
      if (response.status === 401) {
        expect(response.headers['www-authenticate']).toMatch(/^Bearer realm="codec-server"/);
        // A request id is random, and spells any short word once in a while.
        const said = response.body.replace(/\(request [^)]*\)/, '');
        expect(said).not.toMatch(/signature|algorithm|key|issuer|audience|jwks/i);
      }
      expect(world.evil.requests).toBe(0);
    });

    more?.(() => world);
    describeCampaigns(() => world);
  });
}

/** An answer to somebody without a right is not larger than three times the request. */
function expectInProportion(request: AttackRequest, body: string): void {
  expect(body.length).toBeLessThanOrEqual(Math.max(1024, 3 * Buffer.byteLength(request.body)));
}

/** A 200 gives the payload back as it came, or an explanation in its place to a browser. */
function expectUntouched(request: AttackRequest, body: string): void {
  const sent = JSON.parse(request.body).payloads;
  const { payloads } = JSON.parse(body);
  if (request.headers.some(([name]) => name === 'origin')) {
    expect(Buffer.from(payloads[0].metadata.encoding, 'base64').toString()).toBe('json/plain');
    const said: string = JSON.parse(Buffer.from(payloads[0].data, 'base64').toString());
    expect(said).toMatch(/may not decode/);
    // Not a rule's name, nor what an author of ciphertext would like to say.
    expect(said).toMatch(/no access rule allows it/);
    expect(said).not.toMatch(/[\n\r\u2028\u202e]|https?:\/\//);
    expect(said.length).toBeLessThan(500);
  } else {
    expect(payloads).toEqual(sent);
  }
}
