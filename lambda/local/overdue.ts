/**
 * One timer for all bodies that are on their way. A timer each would be made and cleared with every
 * request, and nearly no body is ever late.
 */
import type { CollectedMessage } from './collected-message.ts';

export class OverdueBodies {
  readonly #limitMs: number;
  readonly #onOverdue: (message: CollectedMessage) => void;
  /** In the order in which they began, so that the first is the first to be late. */
  readonly #waiting = new Set<CollectedMessage>();
  #timer: NodeJS.Timeout | undefined;

  /** @param limitMs milliseconds that a body may take */
  constructor(limitMs: number, onOverdue: (message: CollectedMessage) => void) {
    this.#limitMs = limitMs;
    this.#onOverdue = onOverdue;
  }

  add(message: CollectedMessage): void {
    this.#waiting.add(message);
    this.#timer ??= this.#wake(this.#limitMs);
  }

  delete(message: CollectedMessage): void {
    this.#waiting.delete(message);
  }

  #wake(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#check(), ms).unref();
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const message of this.#waiting) {
      const left = message.since + this.#limitMs - now;
      if (left > 0) {
        this.#timer = this.#wake(Math.ceil(left));
        return;
      }
      this.#waiting.delete(message);
      this.#onOverdue(message);
    }
  }
}
