import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HeldAnswers } from '../../../lambda/node/held-answers.ts';
import type { CollectedResponse } from '../../../lambda/node/node-request.ts';

const LARGE = 16 * 1024;

/** Answers whose ends are noted by name. */
function setup() {
  const ended: string[] = [];
  const answers = new HeldAnswers();
  return {
    ended,
    answers,
    answer: (name: string, bytes = 10) => {
      const response = {
        end: (body: string, encoding: string) => ended.push(`${name} ${body.length} ${encoding}`),
      } as unknown as CollectedResponse;
      answers.end(response, 'x'.repeat(bytes), 'latin1');
    },
  };
}

/** Milliseconds of `performance.now()`: a busy machine can let more than one pass between any two lines of a test. */
let now = 0;
beforeEach(() => {
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => void jest.restoreAllMocks());

describe('answers of one turn of the event loop', () => {
  it('leave together, in their order, when it is over', async () => {
    const { ended, answer } = setup();
    answer('first');
    answer('second', 20);
    expect(ended).toEqual([]);
    await turn();
    expect(ended).toEqual(['first 10 latin1', 'second 20 latin1']);
  });

  it('leave in the next turn, too', async () => {
    const { ended, answer } = setup();
    answer('first');
    await turn();
    answer('second');
    expect(ended).toHaveLength(1);
    await turn();
    expect(ended).toHaveLength(2);
  });

  it('do not wait for the others longer than a millisecond', async () => {
    const { ended, answer } = setup();
    answer('first');
    now += 1.5;
    answer('second');
    expect(ended).toHaveLength(2);
    await turn();
    expect(ended).toHaveLength(2);
  });

  it('leave with a large one at once, and before it', async () => {
    const { ended, answer } = setup();
    answer('first');
    answer('large', LARGE);
    expect(ended).toEqual(['first 10 latin1', `large ${LARGE} latin1`]);
    answer('third');
    await turn();
    expect(ended[2]).toBe('third 10 latin1');
  });

  it('leave before a large body is dealt with, and not before a small one', () => {
    const { ended, answer, answers } = setup();
    answer('first');
    answers.releaseBeforeLarge(LARGE - 1);
    expect(ended).toEqual([]);
    answers.releaseBeforeLarge(LARGE);
    expect(ended).toEqual(['first 10 latin1']);
  });
});
