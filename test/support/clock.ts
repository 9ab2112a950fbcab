/** A clock that a test moves. */
import { jest } from '@jest/globals';

/** Moves `Date.now()`; real timers stay as they are. Undo with `jest.restoreAllMocks()`. */
export class TestClock {
  #offset = 0;

  constructor() {
    const now = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => now() + this.#offset);
  }

  advance(ms: number): void {
    this.#offset += ms;
  }
}
