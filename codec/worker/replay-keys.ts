/** Keys of a replay, which reads as ever and whose writing the SDK throws away: no key service is asked for it. */
import { randomBytes } from 'node:crypto';
import { DataKey } from '../keys/data-key.ts';
import type { KeySource } from '../keys/key-source.ts';

const NOBODY = [{ providerId: 'replay', providerInfo: new Uint8Array(0), ciphertext: new Uint8Array(32) }];

/** The same keys for reading; what is written is for nobody, under a key that is forgotten at once. */
export function forReplay(keys: KeySource): KeySource {
  const dataKey = (): DataKey => {
    const key = new DataKey('replay', randomBytes(32)).acquire();
    key.destroy();
    return key;
  };
  return {
    ...(keys.unwraps && { unwraps: keys.unwraps }),
    unwrap: (request, context) => keys.unwrap(request, context),
    materialsFor: () => ({ dataKey: dataKey(), encryptedDataKeys: NOBODY }),
  };
}
