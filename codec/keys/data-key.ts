/**
 * A plaintext data key whose memory is zeroed as soon as nobody needs it: its owner (a cache)
 * destroys it, but the bytes are only overwritten once the last user has released it, so that no
 * payload is ever opened with a half-erased key.
 */
export class DataKey {
  /** Name for the audit line: a key ARN, `keyring/name`, or a static key's id. */
  readonly id: string;
  readonly #bytes: Uint8Array;
  #users = 0;
  #destroyed = false;

  /** @param bytes the key; the object owns this memory and zeroes it */
  constructor(id: string, bytes: Uint8Array) {
    this.id = id;
    this.#bytes = bytes;
  }

  /** The key bytes, valid until {@link release}. Never keep, copy or print them. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Whether the owner has given it up; a destroyed key cannot be acquired any more. */
  get destroyed(): boolean {
    return this.#destroyed;
  }

  /**
   * Counts one more user.
   *
   * @throws Error when the key is already destroyed
   */
  acquire(): this {
    if (this.#destroyed) throw new Error('this data key is already destroyed');
    this.#users++;
    return this;
  }

  /** Counts one user less; after the last one a destroyed key is zeroed. */
  release(): void {
    this.#users--;
    if (this.#destroyed && this.#users <= 0) this.#bytes.fill(0);
  }

  /** The owner gives the key up: zeroed now, or when the last user releases it. */
  destroy(): void {
    this.#destroyed = true;
    if (this.#users <= 0) this.#bytes.fill(0);
  }

  /** The name of the key; its bytes are private. */
  toJSON(): string {
    return `[DataKey ${this.id}]`;
  }
}
