import { describe, expect, it } from '@jest/globals';
import { type Burst, type Measured, simulate } from '../../bench/scale/simulation.ts';

const MEASURED: Measured = { init: () => 200, firstRequest: () => 60, newKey: () => 25, warm: () => 2 };
const ASSUMED = { placementMs: 100, networkMs: 20, kmsCallsPerStart: 1 };

function page(arrivals: readonly number[], provisioned = 0, keys = 1): Burst {
  return { arrivals, provisioned, dataKeyOf: (request) => request % keys };
}

describe('the simulation of a burst', () => {
  it('starts an instance for every request that arrives while all are busy', () => {
    const outcome = simulate(page(Array(100).fill(0)), MEASURED, ASSUMED);
    expect(outcome).toMatchObject({ instances: 100, coldStarts: 100, kmsCalls: 200, jwksFetches: 100 });
    expect(outcome.readableMs).toBe(10 + 100 + 200 + 60 + 10);
  });

  it('needs one instance for requests that follow one another', () => {
    const outcome = simulate(page([0, 1000, 2000]), MEASURED, ASSUMED);
    expect(outcome).toMatchObject({ instances: 1, coldStarts: 1, kmsCalls: 2, jwksFetches: 1 });
    expect(outcome.latencies).toEqual([380, 22, 22]);
  });

  it('serves from provisioned instances first, which have token keys and no data keys', () => {
    const outcome = simulate(page([0, 0, 0], 2), MEASURED, ASSUMED);
    expect(outcome).toMatchObject({ instances: 3, coldStarts: 1, kmsCalls: 4, jwksFetches: 1 });
    expect(outcome.latencies).toEqual([45, 45, 380]);
  });

  it('leaves warm instances to the burst after it', () => {
    const first = simulate(page([0, 0]), MEASURED, ASSUMED);
    const second = simulate({ ...page([0, 0, 0]), left: first.left }, MEASURED, ASSUMED);
    expect(second).toMatchObject({ instances: 3, coldStarts: 1, kmsCalls: 2, jwksFetches: 1 });
    expect(second.latencies).toEqual([22, 22, 380]);
  });

  it('asks KMS once for each data key on each instance', () => {
    expect(simulate(page([0, 1000, 2000, 3000], 1, 2), MEASURED, ASSUMED).kmsCalls).toBe(2);
  });
});
