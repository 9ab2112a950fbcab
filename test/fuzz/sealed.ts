/** Messages that were sealed properly, for fuzzers that try to open others. */
import { contextOfNamespace } from '../../codec/aws-encryption-sdk/encryption-context.ts';
import { encryptMessage } from '../../codec/aws-encryption-sdk/writer.ts';
import type { EncryptionMaterials } from '../../codec/keys/key-source.ts';
import type { KeyringKeySource } from '../../codec/keys/keyring/keyring-key-source.ts';
import { type Payload, serializePayload } from '../../codec/payload.ts';

/** Seals a payload, an empty message and one of several kilobytes under one data key. */
export function sealedPayload(keys: KeyringKeySource, payload: Payload, namespace: string) {
  const encryptionContext = contextOfNamespace(namespace);
  const context = {
    namespace,
    deadline: Number.POSITIVE_INFINITY,
    usage: { keyIds: new Set<string>(), cacheHits: 0, cacheMisses: 0 },
  };
  const materials = keys.materialsFor(encryptionContext, 1, context) as EncryptionMaterials;
  const dataKey = Buffer.from(materials.dataKey.bytes);
  const { encryptedDataKeys } = materials;
  const messages = [serializePayload(payload), Buffer.alloc(0), Buffer.alloc(3000, 'x')].map((plaintext) =>
    Buffer.from(encryptMessage(plaintext, { dataKey, encryptedDataKeys, encryptionContext })),
  );
  materials.dataKey.release();
  return { dataKey, messages };
}
