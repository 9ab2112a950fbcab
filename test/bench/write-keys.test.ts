import { describe, expect, it } from '@jest/globals';
import { readResults } from '../../bench/figures.ts';
import { seededRandom } from '../../bench/statistics.ts';
import { ASSUMED, busy, Caches, pageMs, quiet, requestMs } from '../../bench/write-keys/model.ts';
import { LIVES, rowOf } from '../../bench/write-keys/table.ts';
import { DEFAULT_CACHE_SETTINGS } from '../../codec/keys/cache/data-key-cache.ts';

const DAY = 86_400;

describe('the model of write keys', () => {
  const { made, proofs } = busy(seededRandom(3), DAY);

  it('has each worker make a key when it begins, and one whenever its life is over', () => {
    expect(made).toBeGreaterThan(ASSUMED.workers * (ASSUMED.days - 1));
    expect(made).toBeLessThanOrEqual(ASSUMED.workers * ASSUMED.days);
    expect(quiet(seededRandom(3), 100 * DAY)).toBe(20);
  });

  it('proves a key that is in use within the time for which it is cached, however long it writes', () => {
    const most = (ASSUMED.workers * ASSUMED.days * DAY) / (DEFAULT_CACHE_SETTINGS.ttlSeconds * 0.8);
    expect(proofs).toBeGreaterThan(most * 0.7);
    expect(proofs).toBeLessThanOrEqual(most);
  });

  it('asks KMS once an instance and five minutes for a data key', () => {
    const caches = new Caches();
    const asked = [0, 299, 300, 301].map((now) => caches.find(0, 7, now));
    expect([...asked, caches.find(1, 7, 301), caches.calls]).toEqual([true, false, true, false, true, 3]);
  });

  it('lets a page wait for its connections, and a request for calls that run side by side', () => {
    const { requestMs: request, kmsMs } = ASSUMED;
    expect(pageMs([1, 1, 1, 1, 1, 1])).toBe(request + kmsMs);
    expect(pageMs([1, 1, 1, 1, 1, 1, 1])).toBe(2 * request + kmsMs);
    expect([requestMs(0), requestMs(50), requestMs(51)]).toEqual([request, request + kmsMs, request + 2 * kmsMs]);
  });
});

describe('the table of write keys', () => {
  const { settings, rows } = readResults()['write-keys'];

  it('is what its seed gives, with what is assumed today', () => {
    const life = DEFAULT_CACHE_SETTINGS.writeSeconds;
    expect(settings.assumed).toEqual(ASSUMED);
    expect(rows.map(({ lifeSeconds }) => lifeSeconds)).toEqual(LIVES);
    expect(rows.find(({ lifeSeconds }) => lifeSeconds === life)).toEqual(rowOf(settings.seed, life));
  });

  it('is the reason for the default: no other life costs readers, workers and replays less', () => {
    const costs = rows.map((row) => [row.keysAPage, row.replayCalls, row.workersAMonth, ...row.readersAMonth]);
    const chosen = rows.findIndex(({ lifeSeconds }) => lifeSeconds === DEFAULT_CACHE_SETTINGS.writeSeconds);
    for (const cost of costs)
      for (const [index, value] of cost.entries()) expect(costs[chosen]?.[index]).toBeLessThanOrEqual(value);
  });
});
