import { deflateSync } from 'node:zlib';
import { expect, it } from '@jest/globals';
import { serializePayload } from '../../codec/payload.ts';
import { describeAttacks } from '../attack/suite.ts';
import { payloadOf } from '../support/payloads.ts';
import { type DeployedTarget, startTarget } from './support/attack-target.ts';

/** The gateway has a route for POST alone, decodes the path before it routes, and takes 10,240 bytes of headers. */
const GATEWAY_ANSWERS = {
  'GET /decode without a token': 404,
  'PUT /decode without a token': 404,
  'DELETE /decode without a token': 404,
  'HEAD /decode without a token': 404,
  'POST /%64ecode without a token': 401,
  'a key id of 10 KB': 431,
};

describeAttacks(
  'the synthesized stack',
  (config) => startTarget(config),
  (world) => {
    it('make the function fetch its issuer’s keys a few times for each instance, not once an attack', () => {
      expect(world().issuer.requests).toBeLessThanOrEqual(10);
    });

    it.each([
      ['was deleted', 'ResourceNotFoundException'],
      ['may not be read any more', 'AccessDeniedException'],
    ])('with a service token get nothing five minutes after its secret %s', async (_, exception) => {
      const target = world().target as DeployedTarget;
      const ask = async () => {
        const headers = [
          ['content-type', 'application/json'],
          ['authorization', world().reader.token],
        ] as const;
        return (await target.send({ method: 'POST', path: '/decode', headers, body: world().body })).status;
      };
      expect(await ask()).toBe(200);
      target.secrets.trouble = () => ({ exception });
      await target.later(5 * 60_000 + 1_000);
      expect(await ask()).toBe(503);
      await target.logged('a secret cannot be used', exception);
      target.secrets.trouble = () => 'ok';
      await target.restart();
    });

    it('with an answer that is larger than Lambda carries get a 413, and the audit line says so', async () => {
      const headers = [
        ['content-type', 'application/json'],
        ['x-namespace', 'orders'],
        ['authorization', world().token()],
      ] as const;
      const metadata = { encoding: Buffer.from('binary/zlib').toString('base64') };
      const data = deflateSync(serializePayload(payloadOf({ encoding: 'binary/plain' }, Buffer.alloc(6_000_000))));
      const body = JSON.stringify({ payloads: [{ metadata, data: data.toString('base64') }] });
      const answer = await world().target.send({ method: 'POST', path: '/decode', headers, body });
      expect(answer.status).toBe(413);
      const line = await world().target.auditLine(String(answer.headers['x-request-id']));
      expect([line.status, line.opened]).toEqual([413, ['orders']]);
    });
  },
  GATEWAY_ANSWERS,
);
