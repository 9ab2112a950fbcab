/** One question at a time for all who want its answer. */
import { type FreezeWatch, watchForFreeze } from './clock.ts';

interface Call<T> {
  readonly answer: Promise<T>;
  readonly watch: FreezeWatch;
}

/**
 * Asks once for everybody who wants to know at the same time. Nobody waits for a question that was
 * under way while the process stood still: it is asked anew, and whoever waited for the old one gets
 * the answer of the new one should the old one fail. See {@link watchForFreeze}.
 */
export class SingleFlight<T> {
  #call: Call<T> | undefined;

  /** Whether an answer is on its way that is worth waiting for. */
  get isUnderWay(): boolean {
    return this.#call !== undefined && !this.#call.watch.hasFrozen;
  }

  /**
   * @param ask is given the time at which it began, in milliseconds of `Date.now()`: how old its answer
   *   is, whenever that arrives
   * @param onFailure told of a failure that counts, before anybody who waits: not of one across a freeze
   */
  run(ask: (startedAt: number) => Promise<T>, onFailure?: (error: unknown, startedAt: number) => void): Promise<T> {
    if (this.#call !== undefined && this.isUnderWay) return this.#call.answer;
    const watch = watchForFreeze();
    const call: Call<T> = { watch, answer: this.#make(ask, onFailure, watch, () => this.#end(call)) };
    this.#call = call;
    return call.answer;
  }

  async #make(
    ask: (startedAt: number) => Promise<T>,
    onFailure: ((error: unknown, startedAt: number) => void) | undefined,
    watch: FreezeWatch,
    end: () => void,
  ): Promise<T> {
    const startedAt = Date.now();
    try {
      // One turn later, so that the call is known when a call that does not wait for anything is over.
      await undefined;
      const answer = await ask(startedAt);
      end();
      return answer;
    } catch (error) {
      end();
      if (watch.hasFrozen) return this.run(ask, onFailure);
      onFailure?.(error, startedAt);
      throw error;
    }
  }

  #end(call: Call<T>): void {
    call.watch.end();
    if (this.#call === call) this.#call = undefined;
  }
}
