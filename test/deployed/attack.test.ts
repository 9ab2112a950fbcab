import { expect, it } from '@jest/globals';
import { describeAttacks } from '../attack/suite.ts';
import { startTarget } from './support/attack-target.ts';

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
  },
  GATEWAY_ANSWERS,
);
