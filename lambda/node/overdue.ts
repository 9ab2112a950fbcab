/**
 * One timer for all bodies that are on their way. A timer each would be made and cleared with every
 * request, and nearly no body is ever late. Messages are linked to one another: entering each into a
 * set and taking it out again was more than a hundredth of the work for a small request.
 */

/** What may be waited for. The links are for {@link OverdueBodies} alone. */
export interface Waiting<T> {
  /** When the wait began, in milliseconds of `performance.now()`. */
  readonly since: number;
  previous: T | undefined;
  next: T | undefined;
  isWaiting: boolean;
}

export class OverdueBodies<T extends Waiting<T>> {
  readonly #limitMs: number;
  readonly #onOverdue: (message: T) => void;
  /** The ends of a list in the order in which messages began, so that the first is the first to be late. */
  #first: T | undefined;
  #last: T | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param limitMs milliseconds that a body may take */
  constructor(limitMs: number, onOverdue: (message: T) => void) {
    this.#limitMs = limitMs;
    this.#onOverdue = onOverdue;
  }

  /** Waits for a message that nothing waits for yet. */
  add(message: T): void {
    message.isWaiting = true;
    message.previous = this.#last;
    if (this.#last === undefined) this.#first = message;
    else this.#last.next = message;
    this.#last = message;
    this.#timer ??= this.#wake(this.#limitMs);
  }

  /** Waits for it no longer, if anything did. */
  delete(message: T): void {
    if (!message.isWaiting) return;
    const { previous, next } = message;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    message.isWaiting = false;
    message.previous = undefined;
    message.next = undefined;
  }

  #wake(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#check(), ms).unref();
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let message = this.#first; message !== undefined; message = this.#first) {
      const left = message.since + this.#limitMs - now;
      if (left > 0) {
        this.#timer = this.#wake(Math.ceil(left));
        return;
      }
      this.delete(message);
      this.#onOverdue(message);
    }
  }
}
