import { expect, it } from '@jest/globals';
import { describeAttacks } from '../attack/suite.ts';
import { REST_FRONTS } from './fronts.ts';
import { startTarget } from './support/attack-target.ts';

/** The gateway has routes for POST and OPTIONS alone, hands the path over as it came, and takes so many bytes of headers. */
const GATEWAY_ANSWERS = {
  'GET /decode without a token': 404,
  'PUT /decode without a token': 404,
  'DELETE /decode without a token': 404,
  'HEAD /decode without a token': 404,
  'a key id of 10 KB': 431,
};

for (const front of REST_FRONTS) {
  describeAttacks(
    `the synthesized stack behind ${front.name}`,
    (config) => startTarget(config, front),
    (world) => {
      it('make the function fetch its issuer’s keys a few times for each instance, not once an attack', () => {
        expect(world().issuer.requests).toBeLessThanOrEqual(10);
      });
    },
    GATEWAY_ANSWERS,
  );
}
