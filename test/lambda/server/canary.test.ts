import { describe, expect, it } from '@jest/globals';
import { KeyUnavailableError } from '../../../codec/errors.ts';
import type { KeySource } from '../../../codec/keys/key-source.ts';
import { newKeyring } from '../../../codec/keys/keyring/keyring.ts';
import { KeyringKeySource } from '../../../codec/keys/keyring/keyring-key-source.ts';
import { CANARY_EVENT, METRICS } from '../../../config/metrics.ts';
import { createMetrics } from '../../../lambda/server/audit/metrics.ts';
import { createCanary, isCanaryEvent } from '../../../lambda/server/canary.ts';
import { PATIENCE_MS } from '../../support/patience.ts';

function setup(namespaces: string[]) {
  const real = new KeyringKeySource(newKeyring());
  const state = { canWrite: true, canRead: true };
  const failures: string[] = [];
  const out = new KeyUnavailableError('unreachable', 'out');
  const keys: KeySource = {
    unwrap: (...args) => {
      if (!state.canRead) throw out;
      return real.unwrap(...args);
    },
    materialsFor: (...args) => {
      if (!state.canWrite) throw out;
      return real.materialsFor(...args);
    },
  };
  const sing = createCanary({ keys, namespaces, onFailure: (namespace) => failures.push(namespace) });
  return { sing: () => sing(Date.now() + PATIENCE_MS), state, failures };
}

describe('the canary', () => {
  it('sings while a payload can be sealed, and the one before can be opened', async () => {
    const { sing, failures } = setup(['orders', 'billing']);
    expect([await sing(), await sing(), failures]).toEqual([true, true, []]);
  });

  it.each(['canWrite', 'canRead'] as const)('falls silent, by namespace, when nobody %s', async (what) => {
    const { sing, state, failures } = setup(['orders', 'billing']);
    expect(await sing()).toBe(true);
    state[what] = false;
    expect([await sing(), failures]).toEqual([false, ['orders', 'billing']]);
    state[what] = true;
    expect(await sing()).toBe(true);
  });

  it('writes zeros when all is well, so that silence is a fault', () => {
    const lines: string[] = [];
    const metrics = createMetrics((line) => lines.push(line), 'prod');
    metrics.canary(true);
    metrics.canary(false);
    expect(lines.map((line) => JSON.parse(line)[METRICS.canaryFailed])).toEqual([0, 1]);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ CanaryFailed: 0, Environment: 'prod' });
  });

  it('is asked by the schedule with the event that the function takes for it', () => {
    expect(isCanaryEvent({ ...CANARY_EVENT })).toBe(true);
    expect(isCanaryEvent({ ...CANARY_EVENT, requestContext: {} })).toBe(false);
  });
});
