/**
 * The encryption context and the encrypted data keys of a header are the same bytes in every message
 * of one data key, and a page of payloads has few data keys: what the last few of them said is kept,
 * and found again by comparing the bytes, in a tenth of the time of reading them. That the same
 * objects come back saves whoever looks a data key up by them the same work once more.
 *
 * Nothing is trusted for being here: the fields stand in the clear in every message, and each
 * message's own tag authenticates them.
 */
import type { EncryptedDataKey } from '../keys/key-source.ts';
import type { EncryptionContext } from './encryption-context.ts';

/** The fields of a header by which the data key is found. Never changed once read: messages share them. */
export interface KeyFields {
  readonly encryptionContext: EncryptionContext;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
}

interface KeptFields extends KeyFields {
  /** What they were read from. */
  readonly bytes: Buffer;
}

/** A page has payloads of a data key or two for each worker; this is room for eight workers. */
const MAX_KEPT = 16;
/** Longer fields are read anew each time: strangers must not choose how much memory this takes. */
const MAX_BYTES = 2048;

export class RecentKeyFields {
  readonly #kept: KeptFields[] = [];
  #next = 0;

  /** The fields that begin at `at`, if they were read lately. What follows their bytes is not looked at. */
  find(message: Buffer, at: number): KeptFields | undefined {
    for (const fields of this.#kept) {
      const { bytes } = fields;
      const last = bytes.length - 1;
      // The end of a wrapped data key differs from key to key: only one of those kept gets further than this.
      if (message[at + last] !== bytes[last] || message[at + last - 1] !== bytes[last - 1]) continue;
      if (message.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0) return fields;
    }
    return undefined;
  }

  /**
   * Keeps fields that were not found, in place of those that were kept for the longest.
   *
   * @param bytes of a message
   * @param read reads them from a copy of the bytes, so that what is kept does not hold the message
   */
  keep(bytes: Buffer, read: (bytes: Buffer) => KeyFields): void {
    if (bytes.length > MAX_BYTES) return;
    const own = Buffer.from(bytes);
    this.#kept[this.#next] = { bytes: own, ...read(own) };
    this.#next = (this.#next + 1) % MAX_KEPT;
  }
}
