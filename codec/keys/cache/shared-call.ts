/**
 * One call under way and everybody who waits for it. Each waiter has a deadline of its own; the call
 * itself may go on until the last of them.
 */
import { type Clock, type FreezeWatch, watchForFreeze } from '../../calls/clock.ts';
import { KeyUnavailableError } from '../../errors.ts';

interface Waiter<T> {
  readonly deadline: number;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export class SharedCall<T> {
  readonly #clock: Clock;
  #watch: FreezeWatch | undefined;
  #waiters: Waiter<T>[] = [];
  #deadline: number;
  #callOff: (() => void) | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;

  /** @param deadline of the first who waits */
  constructor(clock: Clock, deadline: number) {
    this.#clock = clock;
    this.#deadline = deadline;
  }

  /** The latest deadline of those who wait, in milliseconds of the clock; grows as others join. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Whether the process stood still meanwhile: then nobody should join, nor believe a failure. */
  get hasFrozen(): boolean {
    return this.#watch?.hasFrozen ?? false;
  }

  /** Waits for the call. @throws KeyUnavailableError when it is not over by the deadline */
  join(deadline: number): Promise<T> {
    this.#watch ??= watchForFreeze();
    if (deadline > this.#deadline) this.#deadline = deadline;
    const settled = new Promise<T>((resolve, reject) => this.#waiters.push({ deadline, resolve, reject }));
    if (deadline < this.#wakesAt) this.#wakeAt(deadline);
    return settled;
  }

  /** Gives everybody who still waits a value of their own. */
  resolve(give: () => T): void {
    for (const waiter of this.#leave()) waiter.resolve(give());
  }

  reject(error: unknown): void {
    for (const waiter of this.#leave()) waiter.reject(error);
  }

  #leave(): Waiter<T>[] {
    this.#watch?.end();
    this.#callOff?.();
    const waiters = this.#waiters;
    this.#waiters = [];
    return waiters;
  }

  #wakeAt(time: number): void {
    this.#callOff?.();
    this.#wakesAt = time;
    this.#callOff = this.#clock.after(Math.max(0, time - this.#clock.now()), () => this.#sendHome());
  }

  /** Whose deadline has come goes without an answer. */
  #sendHome(): void {
    const now = this.#clock.now();
    const late = this.#waiters.filter((waiter) => waiter.deadline <= now);
    this.#waiters = this.#waiters.filter((waiter) => waiter.deadline > now);
    this.#wakesAt = Number.POSITIVE_INFINITY;
    const next = this.#waiters.reduce(
      (earliest, waiter) => Math.min(earliest, waiter.deadline),
      Number.POSITIVE_INFINITY,
    );
    if (next < Number.POSITIVE_INFINITY) this.#wakeAt(next);
    for (const waiter of late)
      waiter.reject(new KeyUnavailableError('timed-out', 'the data key did not arrive before the deadline'));
  }
}
