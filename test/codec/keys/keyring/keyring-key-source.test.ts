import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { contextOfNamespace } from '../../../../codec/aws-encryption-sdk/encryption-context.ts';
import type { Clock } from '../../../../codec/calls/clock.ts';
import { CannotEncodeError, type CannotOpenError } from '../../../../codec/errors.ts';
import type { EncryptionMaterials, KeyContext, MessageKeyRequest } from '../../../../codec/keys/key-source.ts';
import { formatKeyring, newKeyring, withNewKey } from '../../../../codec/keys/keyring/keyring.ts';
import {
  addKeyToKeyringFile,
  followKeyringFile,
  readKeyringFile,
  readOrMakeKeyringFile,
} from '../../../../codec/keys/keyring/keyring-file.ts';
import { KeyringKeySource } from '../../../../codec/keys/keyring/keyring-key-source.ts';

const CONTEXT = contextOfNamespace('orders');

function contextFor<N extends string | undefined>(namespace: N): KeyContext & { readonly namespace: N } {
  return {
    namespace,
    deadline: Number.POSITIVE_INFINITY,
    usage: { keyIds: new Set(), cacheHits: 0, cacheMisses: 0 },
  };
}

function stoppedClock(): Clock & { time: number } {
  return {
    time: 0,
    now() {
      return this.time;
    },
    after: () => () => {},
    afterInBackground: () => () => {},
  };
}

function write(keys: KeyringKeySource, { namespace = 'orders', bytes = 100 } = {}): EncryptionMaterials {
  const materials = keys.materialsFor(contextOfNamespace(namespace), bytes, contextFor(namespace));
  if (materials instanceof Promise) throw new Error('it made us wait');
  return materials;
}

function requestFor({ encryptedDataKeys }: EncryptionMaterials, encryptionContext = CONTEXT): MessageKeyRequest {
  return { kind: 'message', encryptedDataKeys, encryptionContext };
}

function reasonOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as CannotOpenError).reason;
  }
  return 'opened';
}

describe('the keys of a local keyring', () => {
  it('unwrap what they have wrapped, at once, and name themselves for the audit', () => {
    const keys = new KeyringKeySource(newKeyring('first'));
    const materials = write(keys);
    const context = contextFor('orders');
    for (const hits of [0, 1]) {
      const key = keys.unwrap(requestFor(materials), context);
      expect(key.id).toBe('codec-server/first');
      expect(key.bytes).toEqual(materials.dataKey.bytes);
      expect(context.usage).toMatchObject({ cacheHits: hits, cacheMisses: 1 });
      key.release();
    }
  });

  it('keep reading what an older key has written when a new one is current', () => {
    const older = newKeyring('first');
    const materials = write(new KeyringKeySource(older));
    const keys = new KeyringKeySource(withNewKey(older, 'second'));
    expect(keys.unwrap(requestFor(materials), contextFor('orders')).id).toBe('codec-server/first');
    expect(write(keys).dataKey.id).toBe('codec-server/second');
  });

  it('find the one they know among several wrapped keys', () => {
    const stranger = write(new KeyringKeySource({ ...newKeyring('x'), namespace: 'elsewhere' }));
    const sameNamespace = write(new KeyringKeySource(newKeyring('unknown')));
    const keys = new KeyringKeySource(newKeyring('first'));
    const materials = write(keys);
    const encryptedDataKeys = [stranger, sameNamespace, materials].flatMap((it) => it.encryptedDataKeys);
    const key = keys.unwrap({ kind: 'message', encryptedDataKeys, encryptionContext: CONTEXT }, contextFor('orders'));
    expect(key.bytes).toEqual(materials.dataKey.bytes);
  });

  it('refuse what they do not know, and what was tampered with', () => {
    const keys = new KeyringKeySource(newKeyring('first'));
    const materials = write(keys);
    const context = contextFor('orders');
    const foreign = write(new KeyringKeySource(newKeyring('other')));
    const impostor = write(new KeyringKeySource(newKeyring('first')));
    expect(reasonOf(() => keys.unwrap(requestFor(foreign), context))).toBe('unknown-key');
    expect(reasonOf(() => keys.unwrap(requestFor(impostor), context))).toBe('wrong-context');
    expect(reasonOf(() => keys.unwrap(requestFor(materials, contextOfNamespace('b')), context))).toBe('wrong-context');
    expect(reasonOf(() => keys.unwrap({ kind: 'static', keyId: 'first' }, context))).toBe('unknown-key');
  });

  it('serve the namespaces they are configured for, and no other', () => {
    const keyring = newKeyring('first');
    const materials = write(new KeyringKeySource(keyring));
    const keys = new KeyringKeySource(keyring, { namespaces: ['orders', 'dev-*'] });
    expect(keys.unwrap(requestFor(materials), contextFor('orders')).id).toBe('codec-server/first');
    for (const namespace of ['other', undefined])
      expect(reasonOf(() => keys.unwrap(requestFor(materials), contextFor(namespace)))).toBe('wrong-namespace');
    expect(() => write(keys, { namespace: 'other' })).toThrow(CannotEncodeError);
    expect(write(keys, { namespace: 'dev-1' }).encryptedDataKeys).toHaveLength(1);
  });

  it('reuse a data key within its limits of messages, bytes and time, and in one namespace', () => {
    const clock = stoppedClock();
    const keys = new KeyringKeySource(newKeyring('first'), {
      writeLimits: { maxMessages: 3, maxBytes: 1000 },
      writeSeconds: 10,
      clock,
    });
    const wrapped = (options?: { namespace?: string; bytes?: number }) => write(keys, options).encryptedDataKeys;
    const first = wrapped();
    expect([wrapped(), wrapped()]).toEqual([first, first]);
    const afterThreeMessages = wrapped({ bytes: 600 });
    expect(afterThreeMessages).not.toEqual(first);
    const afterBytes = wrapped({ bytes: 600 });
    expect(afterBytes).not.toEqual(afterThreeMessages);
    expect(wrapped({ namespace: 'other' })).not.toEqual(afterBytes);
    expect(wrapped()).toEqual(afterBytes);
    clock.time = 10_000;
    expect(wrapped()).not.toEqual(afterBytes);
  });

  it('leave no data key in memory after they are cleared', () => {
    const keys = new KeyringKeySource(newKeyring('first'));
    const materials = write(keys);
    const read = keys.unwrap(requestFor(materials), contextFor('orders'));
    keys.clear();
    expect(read.bytes.some(Boolean)).toBe(true);
    read.release();
    materials.dataKey.release();
    expect([...read.bytes, ...materials.dataKey.bytes].some(Boolean)).toBe(false);
  });

  it('follow their file: a key that is added reads at once, and one that is taken out no more', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyring-'));
    try {
      const path = join(folder, 'keyring.json');
      const clock = stoppedClock();
      const problems: string[] = [];
      const { keyring } = readOrMakeKeyringFile(path);
      const keys = new KeyringKeySource(
        followKeyringFile(path, keyring, clock, (message) => problems.push(message)),
        { clock },
      );
      const first = write(keys);
      keys.unwrap(requestFor(first), contextFor('orders'));
      const materials = write(new KeyringKeySource(addKeyToKeyringFile(path, 'added')));
      const unwrap = () => reasonOf(() => keys.unwrap(requestFor(materials), contextFor('orders')));

      expect(unwrap()).toBe('unknown-key');
      clock.time = 1000;
      expect(unwrap()).toBe('opened');
      // Also where a data key under the one before was writing.
      expect(write(keys).dataKey.id).toBe('codec-server/added');

      const { keys: both, ...rest } = readKeyringFile(path);
      writeFileSync(path, formatKeyring({ ...rest, keys: both.filter(({ name }) => name === 'added') }));
      clock.time = 2000;
      expect(reasonOf(() => keys.unwrap(requestFor(first), contextFor('orders')))).toBe('unknown-key');
      expect(problems).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['holds no keyring', (path: string) => writeFileSync(path, '{"keys": [],}'), 'cannot be used'],
    ['can be read by others', (path: string) => chmodSync(path, 0o644), 'chmod 600'],
    ['is gone', (path: string) => rmSync(path), 'does not exist'],
  ])(
    'open and write for five minutes under a file that %s, and no longer, until it is in order again',
    (_, spoil, told) => {
      const folder = mkdtempSync(join(tmpdir(), 'keyring-'));
      try {
        const path = join(folder, 'keyring.json');
        const clock = stoppedClock();
        const problems: string[] = [];
        const { keyring } = readOrMakeKeyringFile(path);
        const followed = followKeyringFile(path, keyring, clock, (message) => problems.push(message));
        const keys = new KeyringKeySource(followed, { clock });
        const materials = write(keys);
        const unwrap = () => reasonOf(() => keys.unwrap(requestFor(materials), contextFor('orders')));
        expect(unwrap()).toBe('opened');

        spoil(path);
        for (const time of [1_000, 120_000, 299_999]) {
          clock.time = time;
          expect(unwrap()).toBe('opened');
          expect(write(keys).dataKey.id).toBe(materials.dataKey.id);
        }
        expect(problems).toEqual([expect.stringContaining(told)]);
        for (const time of [300_000, 300_500, 9_000_000]) {
          clock.time = time;
          expect(unwrap()).toBe('unusable');
          expect(() => write(keys)).toThrow(told);
        }
        // What is under KMS is asked of KMS.
        const [wrapped] = materials.encryptedDataKeys;
        const ofKms = { ...requestFor(materials), encryptedDataKeys: [{ ...wrapped, providerId: 'aws-kms' }] } as never;
        expect(reasonOf(() => keys.unwrap(ofKms, contextFor('orders')))).toBe('unknown-key');

        writeFileSync(path, formatKeyring(keyring), { mode: 0o600 });
        chmodSync(path, 0o600);
        clock.time += 1_000;
        expect(unwrap()).toBe('opened');
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  it('look at their file after the clock was set back', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyring-'));
    try {
      const path = join(folder, 'keyring.json');
      const clock = stoppedClock();
      clock.time = 86_400_000;
      const { keyring } = readOrMakeKeyringFile(path);
      const keys = new KeyringKeySource(followKeyringFile(path, keyring, clock), { clock });
      const materials = write(keys);
      writeFileSync(path, formatKeyring(newKeyring('another')));
      clock.time = 10_000;
      expect(reasonOf(() => keys.unwrap(requestFor(materials), contextFor('orders')))).toBe('unknown-key');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
