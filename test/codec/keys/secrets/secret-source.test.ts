import { describe, expect, it } from '@jest/globals';
import { KeyDocumentError, KeyUnavailableError, PrivateFileError } from '../../../../codec/errors.ts';
import {
  createSecretSource,
  type SecretSourceOptions,
  type SecretVersions,
} from '../../../../codec/keys/secrets/secret-source.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

interface Parsed {
  readonly ids: string[];
}

function setUp(options: Partial<SecretSourceOptions<Parsed>> = {}) {
  const clock = new ManualClock();
  const vault = {
    versions: { current: 'a b', previous: undefined } as SecretVersions,
    failure: undefined as Error | undefined,
    reads: 0,
    discarded: [] as Parsed[],
  };
  const source = createSecretSource<Parsed>({
    read: async () => {
      vault.reads++;
      await Promise.resolve();
      if (vault.failure !== undefined) throw vault.failure;
      return vault.versions;
    },
    parse: ({ current, previous = '' }) => {
      if (current.includes('{')) throw new KeyDocumentError('the secret is not a list of ids');
      return { ids: [...current.split(' '), ...previous.split(' ')].filter(Boolean) };
    },
    discard: (value) => vault.discarded.push(value),
    clock,
    ...options,
  });
  return { clock, vault, source };
}

const OUT = new KeyUnavailableError('unreachable', 'Secrets Manager cannot be reached');

describe('a secret', () => {
  it('is read once, however many ask together, and then known without a promise', async () => {
    const { source, vault } = setUp();
    await Promise.all(Array.from({ length: 100 }, () => source.get()));
    expect(vault.reads).toBe(1);
    expect(source.get()).toEqual({ ids: ['a', 'b'] });
  });

  it('is read anew after its time to live, and is the same object while its text is the same', async () => {
    const { source, vault, clock } = setUp({ ttlSeconds: 60 });
    const before = await source.get();
    await clock.pass(60_000);
    expect(await source.get()).toBe(before);
    expect(vault.reads).toBe(2);
    vault.versions = { current: 'c', previous: 'a b' };
    await clock.pass(60_000);
    expect(await source.get()).toEqual({ ids: ['c', 'a', 'b'] });
    expect(vault.discarded).toEqual([before]);
  });

  it('is read anew for an unknown id, at most once in a while', async () => {
    const { source, vault, clock } = setUp({ refreshSeconds: 30 });
    await source.get();
    for (let i = 0; i < 1000; i++) await source.refresh();
    expect(vault.reads).toBe(1);
    await clock.pass(30_000);
    vault.versions = { current: 'new', previous: 'a b' };
    const refreshed = await Promise.all(Array.from({ length: 1000 }, () => source.refresh()));
    expect(vault.reads).toBe(2);
    expect(refreshed.every(({ ids }) => ids.includes('new'))).toBe(true);
  });

  it('is used a little longer while it cannot be read, and no longer than stated', async () => {
    const { source, vault, clock } = setUp({ ttlSeconds: 60, staleSeconds: 300 });
    const before = await source.get();
    vault.failure = OUT;
    await clock.pass(60_000);
    expect(await source.get()).toBe(before);
    await clock.pass(299_000);
    expect(await source.get()).toBe(before);
    await clock.pass(1000);
    await expect((async () => source.get())()).rejects.toBe(OUT);
  });

  it('recovers by itself when the service does', async () => {
    const { source, vault, clock } = setUp();
    vault.failure = OUT;
    await expect((async () => source.get())()).rejects.toBe(OUT);
    vault.failure = undefined;
    await clock.pass(5000);
    expect(await source.get()).toEqual({ ids: ['a', 'b'] });
  });

  it('does not hammer a service that is out', async () => {
    const { source, vault, clock } = setUp();
    vault.failure = OUT;
    for (let second = 0; second < 60; second++) {
      await (async () => source.get())().catch(() => {});
      await clock.pass(1000);
    }
    expect(vault.reads).toBe(12);
  });

  it('that cannot be used any more ends with its time to live, and whoever runs the server is told at once', async () => {
    const told: (string | undefined)[] = [];
    const { source, vault, clock } = setUp({
      ttlSeconds: 60,
      observe: (failure) => told.push(failure && `${failure.reason}: ${failure.message}`),
    });
    const good = await source.get();
    vault.versions = { current: '{', previous: 'a b' };
    await clock.pass(31_000);
    expect(await source.refresh()).toBe(good);
    expect(told).toEqual(['unusable: the secret is not a list of ids']);
    await clock.pass(29_000);
    await expect((async () => source.get())()).rejects.toMatchObject({ reason: 'unusable', dependency: 'secrets' });
    vault.versions = { current: 'c', previous: undefined };
    await clock.pass(5_000);
    expect(await source.get()).toEqual({ ids: ['c'] });
    expect(told.at(-1)).toBeUndefined();
  });

  it.each([
    ['is gone or may not be read', new KeyUnavailableError('unusable', 'AccessDenied', 5, { dependency: 'secrets' })],
    ['is a file that others can read', new PrivateFileError('not-private', '/t', 'The file /t can be read by others')],
  ])('that %s has no stale hour', async (_, failure) => {
    const { source, vault, clock } = setUp({ ttlSeconds: 60 });
    await source.get();
    vault.failure = failure;
    await clock.pass(60_000);
    await expect((async () => source.get())()).rejects.toThrow(failure.message);
  });

  it('that was never any good is unavailable, and the error says why', async () => {
    const { source, vault } = setUp();
    vault.versions = { current: '{', previous: undefined };
    await expect((async () => source.get())()).rejects.toThrow('the secret is not a list of ids');
    await expect((async () => source.get())()).rejects.toThrow(KeyUnavailableError);
  });

  it('is asked for again soon after an attempt that failed, also for an unknown id', async () => {
    const { source, vault, clock } = setUp({ refreshSeconds: 30 });
    await source.get();
    await clock.pass(31_000);
    vault.failure = OUT;
    await source.refresh();
    vault.failure = undefined;
    vault.versions = { current: 'new', previous: undefined };
    await clock.pass(5_000);
    expect(await source.refresh()).toEqual({ ids: ['new'] });
  });
});
