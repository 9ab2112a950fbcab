/**
 * Attacks that take more than one request: after a slip in a revocation, while time passes, behind a flood, and on what
 * is written down about them. The README of this folder says which promise each of them tries.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Payload } from '../../codec/payload.ts';
import { jsonPlain, toJson } from '../support/payloads.ts';
import { messageOf } from './payload-attacks.ts';
import type { AttackRequest, AttackResponse } from './target.ts';
import { type AttackWorld, leaks, PLAINTEXT } from './world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Declares them. */
export function describeCampaigns(world: () => AttackWorld): void {
  const target = () => world().target;

  function ask(authorization: string, request: Partial<AttackRequest> = {}): Promise<AttackResponse> {
    const { headers = [], ...rest } = request;
    const ordinary: AttackRequest['headers'] = [
      ['content-type', 'application/json'],
      ['x-namespace', 'orders'],
      ['authorization', authorization],
    ];
    return target().send({
      method: 'POST',
      path: '/decode',
      body: world().body,
      ...rest,
      headers: [...ordinary, ...headers],
    });
  }

  /** Whether somebody reads: the status, and whether the plaintext is in the answer. */
  async function reading(authorization: string): Promise<string> {
    const answer = await ask(authorization);
    return `${answer.status} ${leaks(answer) ? 'and the plaintext' : 'and nothing'}`;
  }

  const lineOf = ({ headers }: AttackResponse) => target().auditLine(String(headers['x-request-id']));
  const bodyOf = (...payloads: readonly unknown[]) => JSON.stringify({ payloads });
  const sealed = () => JSON.parse(world().body).payloads[0] as { metadata: Record<string, string>; data: string };

  describe('with time and patience', () => {
    afterEach(async () => {
      world().issuer.mood = { kind: 'in-order' };
      world().roles.mood = { kind: 'in-order' };
      target().putServiceTokens(world().serviceTokens);
      await target().restart();
    });

    const slips: Record<string, [change: (text: string, digest: string) => string, status: number, why: string]> = {
      'no slip': [(text) => text.replace(/\{[^{}]*"reader"[^{}]*\},?/, ''), 401, ''],
      'a trailing comma': [(text) => text.replace(']}', ',]}'), 503, 'it is not valid JSON'],
      'half of a digest': [(text, digest) => text.replace(digest, digest.slice(32)), 503, 'sha256 must be'],
    };

    it.each(Object.entries(slips))(
      'a service token that was removed gets nothing five minutes later: with %s',
      async (_, [change, status, why]) => {
        const { reader } = world();
        expect(await reading(reader.token)).toBe('200 and the plaintext');
        target().putServiceTokens(change(world().serviceTokens, reader.entry.sha256));
        await target().later(5 * MINUTE + SECOND);
        expect(await reading(reader.token)).toBe(`${status} and nothing`);
        if (status === 401) return;
        // Said at once, with what is wrong, and counted where somebody counts.
        await target().logged('a secret cannot be used', why);
        await target().logged('"SecretsUnusable":1');
      },
    );

    it.each([
      ['every minute', Array(16).fill(MINUTE)],
      ['never, for six hours', [6 * HOUR]],
    ])(
      'a token under a key that was withdrawn is refused, and one under the new key is not: asked %s',
      async (_, pauses) => {
        const { issuer } = world();
        const leaked = world().token({ exp: Math.floor(target().now() / 1000) + 7 * 3600 });
        expect(await reading(leaked)).toBe('200 and the plaintext');
        issuer.rotate({ keepOld: false });
        for (const [index, pause] of (pauses as number[]).entries()) {
          await target().later(pause);
          if (index + 1 < pauses.length) await ask('Bearer x');
        }
        expect(await reading(leaked)).toBe('401 and nothing');
        expect(await reading(world().token())).toBe('200 and the plaintext');
      },
    );

    it('a fetch of keys that failed locks nobody out once the issuer answers again', async () => {
      const { issuer } = world();
      expect(await reading(world().token())).toBe('200 and the plaintext');
      issuer.mood = { kind: 'cut-off' };
      await target().later(16 * MINUTE);
      await ask(world().token());
      issuer.mood = { kind: 'in-order' };
      issuer.rotate();
      await target().later(30 * SECOND);
      expect(await reading(world().token())).toBe('200 and the plaintext');
    });

    it('the look-up of one person’s role that is refused keeps nobody else from theirs', async () => {
      const { roles } = world();
      const dora = () => world().token({ email: 'dora@acme.com' });
      roles.mood = { kind: 'status', status: 400 };
      expect(await reading(world().token({ email: 'mallory@evil.example' }))).toBe('503 and nothing');
      roles.mood = { kind: 'in-order' };
      expect(await reading(dora())).toBe('200 and the plaintext');
    });
  });

  describe('against the audit log', () => {
    it('49 namespaces that are not read do not hide the one that is', async () => {
      const decoys = Array.from({ length: 49 }, (_, index) => `decoy-${index}`);
      const permissions = ['orders', ...decoys].map((namespace) => `${namespace}:read`);
      const token = world().token({ email: 'eve@evil.example', permissions });
      const answer = await ask(token, { body: bodyOf(...decoys.map((name) => messageOf(name)), sealed()) });
      expect([answer.status, leaks(answer)]).toEqual([200, true]);
      const line = await lineOf(answer);
      expect([line.opened, line.status, line.payloads['decoded']]).toEqual([['orders'], 200, 1]);
      expect(line.namespaces.allowed).toHaveLength(50);
      expect(line.sourceAddress).toMatch(/^[0-9a-f.:]{7,}$/);
    });

    it('a namespace that was refused is not said to be read', async () => {
      const line = await lineOf(await ask(world().token({ email: 'mallory@evil.example' })));
      expect([line.opened, line.payloads]).toEqual([[], { denied: 1 }]);
    });
  });

  describe('on /encode', () => {
    const encode = async (payload: unknown) => {
      const answer = await ask(world().writer.token, { path: '/encode', body: bodyOf(payload) });
      return {
        status: answer.status,
        payload: JSON.parse(answer.body).payloads[0] as { metadata: Record<string, string>; data: string },
      };
    };

    it('plain text in the metadata of a payload that counts as encoded is not left as it is', async () => {
      const note = Buffer.from('card 4111 1111').toString('base64');
      const marked = { ...sealed(), metadata: { ...sealed().metadata, note } };
      const { status, payload } = await encode(marked);
      expect([status, Object.keys(payload.metadata)]).toEqual([200, ['encoding']]);
      expect(payload.data).not.toBe(marked.data);
    });

    it('plain text that only calls itself encoded is not left as it is', async () => {
      const forged = toJson({
        ...jsonPlain(PLAINTEXT),
        metadata: { encoding: Buffer.from('binary/aws-encryption-sdk') },
      } as Payload);
      const { status, payload } = await encode(forged);
      expect([status, payload.data === forged.data]).toEqual([200, false]);
    });
  });

  describe('in a flood', () => {
    it('a message that names one key many times makes one call to KMS', async () => {
      const { kms } = world();
      const before = kms.calls.length;
      await ask(world().token(), { body: bodyOf(messageOf('orders', Array(5).fill(world().sharedKey))) });
      expect(kms.calls.length - before).toBe(1);
    });

    it('a thousand copies of a payload are opened once, and others are served meanwhile', async () => {
      const signed = toJson(await world().signed('orders'));
      const flood = async (payloads: readonly unknown[]) => {
        const started = performance.now();
        const answer = await ask(world().token(), { body: bodyOf(...payloads) });
        expect([answer.status, leaks(answer)]).toEqual([200, true]);
        expect((await lineOf(answer)).payloads).toEqual({ decoded: payloads.length });
        return performance.now() - started;
      };
      // Of these no two are the same, so each signature is verified.
      const each = (_: unknown, index: number) => ({
        ...signed,
        metadata: { ...signed.metadata, n: Buffer.from(`${index}`).toString('base64') },
      });
      /** How much longer copies take than a quarter as many that differ: four times as long where each is opened. */
      const timesAsLong = async (): Promise<number> => {
        const different = await flood(Array.from({ length: 250 }, each));
        const [same, other] = await Promise.all([flood(Array(1_000).fill(signed)), reading(world().reader.token)]);
        expect(other).toBe('200 and the plaintext');
        return same / different;
      };
      // The least of up to three, so that a busy machine does not count.
      let least = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 3 && least >= 2; round++) least = Math.min(least, await timesAsLong());
      expect(least).toBeLessThan(2);
    });

    it('one request with a data key for each of 600 payloads has KMS unwrap no more than 500 of them', async () => {
      const { kms } = world();
      const payloads = Array.from({ length: 600 }, () => world().foreign(PLAINTEXT).ours(world().sharedKey, 'orders'));
      const before = kms.plaintexts.length;
      const answer = await ask(world().token(), { body: bodyOf(...payloads.map(toJson)) });
      // 503 on a machine so busy that the time of the request ends before 500 calls do.
      expect([413, 503]).toContain(answer.status);
      expect(leaks(answer)).toBe(false);
      // By the keys, since a call that takes too long is made again.
      expect(new Set(kms.plaintexts.slice(before)).size).toBeLessThanOrEqual(500);
    });
  });
}
