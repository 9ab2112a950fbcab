import { describe, expect, it } from '@jest/globals';
import { CannotEncodeError, CannotOpenError, KeyUnavailableError } from '../../../codec/errors.ts';
import { combineKeySources } from '../../../codec/keys/combined-keys.ts';
import { DataKey } from '../../../codec/keys/data-key.ts';
import type { KeyContext, KeySource } from '../../../codec/keys/key-source.ts';

const request = { kind: 'static', keyId: 'k' } as const;
const context: KeyContext & { namespace: string } = {
  namespace: 'a',
  deadline: Number.POSITIVE_INFINITY,
  usage: { keyIds: new Set(), cacheHits: 0, cacheMisses: 0 },
};

/** Answers with a key of its name, or fails with an error; now or later. */
function source(answer: string | Error, later = false): KeySource {
  const give = () => {
    if (answer instanceof Error) {
      if (later) return Promise.reject(answer);
      throw answer;
    }
    const key = new DataKey(answer, Buffer.alloc(32)).acquire();
    return later ? Promise.resolve(key) : key;
  };
  return {
    unwrap: give,
    materialsFor: () => {
      const key = give();
      const wrap = (dataKey: DataKey) => ({ dataKey, encryptedDataKeys: [] });
      return key instanceof Promise ? key.then(wrap) : wrap(key);
    },
  };
}

const unknown = new CannotOpenError('unknown-key', 'not mine');
const disabled = new CannotOpenError('key-disabled', 'mine, disabled');
const unavailable = new KeyUnavailableError('throttled', 'not now');
const unwritable = new CannotEncodeError('no key for this namespace');

describe('combined key sources', () => {
  it('are the source itself when there is one', () => {
    const only = source('a');
    expect(combineKeySources(only)).toBe(only);
  });

  it('unwrap with the first that can, at once when all answer at once', () => {
    const keys = combineKeySources(source(unknown), source('b'), source('c'));
    expect(keys.unwrap(request, context)).toMatchObject({ id: 'b' });
  });

  it('do not ask a source for a kind of key that it cannot have', () => {
    const keyring: KeySource = { ...source('keyring'), unwraps: ['message'] };
    expect(combineKeySources(keyring, source('b')).unwrap(request, context)).toMatchObject({ id: 'b' });
    expect(() => combineKeySources(keyring, keyring).unwrap(request, context)).toThrow(CannotOpenError);
  });

  it('name the key that a payload needs where nothing that is configured could be it, unless its name is the key', () => {
    const keyring: KeySource = { ...source('keyring'), unwraps: ['message'] };
    const keys = combineKeySources(keyring, keyring);
    const foreign = {
      kind: 'kms',
      format: 'temporal-proxy',
      claimedKey: 'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k',
      ciphertext: Buffer.alloc(1),
      encryptionContext: new Map(),
    } as const;
    expect(() => keys.unwrap(foreign, context)).toThrow(foreign.claimedKey);
    expect(() => keys.unwrap({ ...foreign, claimedKey: undefined }, context)).toThrow('(it does not name one)');
    const secret = 'test-key-test-key-test-key-test!';
    expect(() => keys.unwrap({ kind: 'static', keyId: secret }, context)).toThrow(/needs a static key, and none/);
  });

  it('go on after a source that answers later', async () => {
    const keys = combineKeySources(source(unknown, true), source(disabled), source('c', true));
    expect(await keys.unwrap(request, context)).toMatchObject({ id: 'c' });
  });

  it('fail with what the source says that knew the key', async () => {
    expect(() => combineKeySources(source(unknown), source(disabled)).unwrap(request, context)).toThrow(disabled);
    expect(() => combineKeySources(source(disabled), source(unknown)).unwrap(request, context)).toThrow(disabled);
    expect(() => combineKeySources(source(unknown), source(unknown)).unwrap(request, context)).toThrow(unknown);
    const later = combineKeySources(source(unknown, true), source(disabled, true)).unwrap(request, context);
    await expect(later).rejects.toThrow(disabled);
  });

  it('stop at a source that cannot answer now, since the key may be its own', async () => {
    expect(() => combineKeySources(source(unavailable), source('b')).unwrap(request, context)).toThrow(unavailable);
    const later = combineKeySources(source(unavailable, true), source('b')).unwrap(request, context);
    await expect(later).rejects.toThrow(unavailable);
  });

  it('write with the first that has a key for the namespace', async () => {
    const materials = combineKeySources(source(unwritable), source('b', true)).materialsFor(new Map(), 1, context);
    expect(await materials).toMatchObject({ dataKey: { id: 'b' } });
    const none = combineKeySources(source(unwritable), source(unwritable));
    expect(() => none.materialsFor(new Map(), 1, context)).toThrow(unwritable);
    const broken = combineKeySources(source(new TypeError('a bug')), source('b'));
    expect(() => broken.materialsFor(new Map(), 1, context)).toThrow(TypeError);
  });

  it('write with no other key when the one that is to write is refused', async () => {
    const refused = new CannotEncodeError('the key is disabled', 'key-disabled');
    const write = (later: boolean) =>
      combineKeySources(source(refused, later), source('b')).materialsFor(new Map(), 1, context);
    expect(() => write(false)).toThrow(refused);
    await expect(write(true)).rejects.toThrow(refused);
  });
});
