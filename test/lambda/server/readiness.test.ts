import { describe, expect, it } from '@jest/globals';
import { CannotEncodeError, KeyUnavailableError } from '../../../codec/errors.ts';
import type { KeySource } from '../../../codec/keys/key-source.ts';
import { newKeyring } from '../../../codec/keys/keyring/keyring.ts';
import { KeyringKeySource } from '../../../codec/keys/keyring/keyring-key-source.ts';
import { createReadiness } from '../../../lambda/server/readiness.ts';

/** A server whose keys fail for some namespaces, and a clock to move. */
function setup(namespaces: string[], errors: Record<string, Error> = {}) {
  const real = new KeyringKeySource(newKeyring());
  const asked: string[] = [];
  const state = { now: 1_000_000, errors };
  const keys: KeySource = {
    unwrap: (...args) => real.unwrap(...args),
    materialsFor(encryptionContext, length, context) {
      asked.push(context.namespace);
      const error = state.errors[context.namespace];
      if (error !== undefined) throw error;
      return real.materialsFor(encryptionContext, length, context);
    },
  };
  return { ready: createReadiness({ keys, namespaces, now: () => state.now }), asked, state };
}

const OUT = new KeyUnavailableError('unreachable', 'out');

describe('readiness', () => {
  it('is proven with a key, once for all who ask in the next half minute', async () => {
    const { ready, asked, state } = setup(['a']);
    expect(await Promise.all([ready(), ready(), ready()])).toEqual([true, true, true]);
    state.now += 29_999;
    expect(await ready()).toBe(true);
    expect(asked).toEqual(['a']);
    state.now += 1;
    expect(await ready()).toBe(true);
    expect(asked).toEqual(['a', 'a']);
  });

  it.each([OUT, new CannotEncodeError('no key', 'key-disabled')])(
    'is lost while no key can be used, and is back soon after they can',
    async (error) => {
      const { ready, asked, state } = setup(['a'], { a: error });
      expect(await ready()).toBe(false);
      state.errors = {};
      state.now += 4_999;
      expect(await ready()).toBe(false);
      expect(asked).toHaveLength(1);
      state.now += 1;
      expect(await ready()).toBe(true);
    },
  );

  it('holds while any of the keys can be used', async () => {
    const { ready, asked } = setup(['a', 'b', 'c'], { a: OUT });
    expect(await ready()).toBe(true);
    expect(asked).toEqual(['a', 'b']);
  });

  it('needs no key where none is configured to write', async () => {
    expect(await setup([]).ready()).toBe(true);
  });

  it('fails for a bug, and tries again at once', async () => {
    const { ready, state } = setup(['a'], { a: new TypeError('a bug') });
    await expect(ready()).rejects.toThrow('a bug');
    state.errors = {};
    expect(await ready()).toBe(true);
  });
});
