import type { Clock } from '../../calls/clock.ts';
import type { EncryptionMaterials, GeneratedDataKey } from '../key-source.ts';
import { SharedCall } from './shared-call.ts';

/** How much one data key may write. */
export interface WriteLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/**
 * The messages that one data key writes. Places are counted when they are taken, not when the key
 * arrives: of ten thousand payloads that come together, each knows at once which key it waits for.
 */
export class WriteKey {
  readonly #limits: WriteLimits;
  readonly #call: SharedCall<EncryptionMaterials>;
  #messages = 0;
  #bytes = 0;
  #made: GeneratedDataKey | undefined;
  #retired = false;

  /** @param deadline of the first who will wait for the key, if anybody has to */
  constructor(limits: WriteLimits, clock: Clock, deadline = 0) {
    this.#limits = limits;
    this.#call = new SharedCall(clock, deadline);
  }

  /** Whether the data key is here. */
  get ready(): boolean {
    return this.#made !== undefined;
  }

  /** Whether the process stood still while the data key was on its way. */
  get hasFrozen(): boolean {
    return this.#call.hasFrozen;
  }

  /** The latest deadline of those who wait for the key. */
  get deadline(): number {
    return this.#call.deadline;
  }

  /** Whether one more message may be written under this key. The first always may. */
  fits(bytes: number): boolean {
    if (this.#messages === 0) return true;
    return this.#messages < this.#limits.maxMessages && this.#bytes + bytes <= this.#limits.maxBytes;
  }

  /** Takes a place for a message. */
  take(bytes: number, deadline: number): EncryptionMaterials | Promise<EncryptionMaterials> {
    this.#messages++;
    this.#bytes += bytes;
    if (this.#made === undefined) return this.#call.join(deadline);
    this.#made.dataKey.acquire();
    return this.#made;
  }

  resolve(made: GeneratedDataKey): void {
    this.#made = made;
    this.#call.resolve(() => {
      made.dataKey.acquire();
      return made;
    });
    if (this.#retired) made.dataKey.destroy();
  }

  reject(error: unknown): void {
    this.#call.reject(error);
  }

  /** No more messages: the key is zeroed when those who have it are done. */
  retire(): void {
    this.#retired = true;
    this.#made?.dataKey.destroy();
  }
}
