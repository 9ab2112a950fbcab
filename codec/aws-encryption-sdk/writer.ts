import type { EncryptedDataKey } from '../keys/key-source.ts';
import type { EncryptionContext } from './encryption-context.ts';

/** What a message is written with. */
export interface WriteMaterials {
  /** 256 bits. */
  readonly dataKey: Uint8Array;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly encryptionContext: EncryptionContext;
}

/** Writes one message (algorithm suite 0x0478). */
export function encryptMessage(_plaintext: Uint8Array, _materials: WriteMaterials): Uint8Array {
  throw new Error('not written yet');
}
