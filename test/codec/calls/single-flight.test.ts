import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Backoff } from '../../../codec/calls/backoff.ts';
import { watchForFreeze } from '../../../codec/calls/clock.ts';
import { SingleFlight } from '../../../codec/calls/single-flight.ts';
import { TestClock } from '../../support/clock.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

/** A question whose answer a test gives. */
function question() {
  const asked: { resolve: (answer: string) => void; reject: (error: Error) => void }[] = [];
  const ask = () => new Promise<string>((resolve, reject) => asked.push({ resolve, reject }));
  return { asked, ask };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a single flight', () => {
  it('asks once for all who want to know together, and again for whoever comes later', async () => {
    const flight = new SingleFlight<string>();
    const { asked, ask } = question();
    const answers = [flight.run(ask), flight.run(ask), flight.run(ask)];
    await turn();
    expect(asked).toHaveLength(1);
    asked[0]?.resolve('yes');
    expect(await Promise.all(answers)).toEqual(['yes', 'yes', 'yes']);
    void flight.run(ask);
    await turn();
    expect(asked).toHaveLength(2);
  });

  it('tells of a failure once, before those who wait, and does not remember it', async () => {
    const flight = new SingleFlight<string>();
    const failures: unknown[] = [];
    const answers = [1, 2].map(() =>
      flight.run(
        async () => {
          throw new Error('out');
        },
        (error) => failures.push(error),
      ),
    );
    for (const answer of answers) await expect(answer).rejects.toThrow('out');
    expect(failures).toHaveLength(1);
    expect(await flight.run(async () => 'yes')).toBe('yes');
  });

  it('makes nobody wait for a question that was under way across a freeze', async () => {
    const clock = new TestClock();
    const flight = new SingleFlight<string>();
    const { asked, ask } = question();
    const before = flight.run(ask);
    await turn();
    clock.advance(1_500);
    expect(flight.isUnderWay).toBe(false);
    const after = flight.run(ask);
    await turn();
    asked[1]?.resolve('new');
    expect(await after).toBe('new');
    asked[0]?.resolve('late');
    expect(await before).toBe('late');
  });

  it('asks again in place of a failure across a freeze, of which nobody is told', async () => {
    const clock = new TestClock();
    const flight = new SingleFlight<string>();
    const failures: unknown[] = [];
    const { asked, ask } = question();
    const answer = flight.run(ask, (error) => failures.push(error));
    await turn();
    clock.advance(1_500);
    asked[0]?.reject(new Error('timed out'));
    await turn();
    asked[1]?.resolve('yes');
    expect(await answer).toBe('yes');
    expect(failures).toEqual([]);
  });
});

describe('a watch for freezes', () => {
  it('sees a gap while it watches, and none from before or after', () => {
    const clock = new TestClock();
    clock.advance(10_000);
    const watch = watchForFreeze();
    expect(watch.hasFrozen).toBe(false);
    clock.advance(900);
    expect(watch.hasFrozen).toBe(false);
    clock.advance(1_100);
    const later = watchForFreeze();
    expect(watch.hasFrozen).toBe(true);
    expect(later.hasFrozen).toBe(false);
    later.end();
    clock.advance(60_000);
    expect(later.hasFrozen).toBe(false);
    watch.end();
  });
});

describe('a backoff', () => {
  it('doubles with every failure in a row, up to its bound, and starts anew after a success', () => {
    let now = 0;
    const backoff = new Backoff({ firstMs: 1_000, mostMs: 4_000 }, () => now);
    expect(backoff.isOn).toBe(false);
    for (const seconds of [1, 2, 4, 4]) {
      backoff.failed();
      expect(backoff.retryAfterSeconds).toBe(seconds);
      now += seconds * 1_000;
      expect(backoff.isOn).toBe(false);
    }
    backoff.succeeded();
    backoff.failed();
    expect(backoff.retryAfterSeconds).toBe(1);
  });

  it('is as long as the service asks for, and never longer than its bound', () => {
    const backoff = new Backoff({ firstMs: 1_000, mostMs: 30_000 }, () => 0);
    backoff.failed(7_000);
    expect(backoff.retryAfterSeconds).toBe(7);
    backoff.failed(86_400_000);
    expect(backoff.retryAfterSeconds).toBe(30);
  });
});
