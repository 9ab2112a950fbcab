/** The official AWS Encryption SDK with its materials cache, as its documentation advises for many small messages. */
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  getLocalCryptographicMaterialsCache,
  NodeCachingMaterialsManager,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';
import type { RawAesWrappingKey } from '../codec/aws-encryption-sdk/raw-aes-keyring.ts';

/** Writes and reads messages of the suite that is ours. */
export interface OfficialClient {
  encrypt(plaintext: Uint8Array): Promise<Buffer>;
  decrypt(message: Uint8Array): Promise<Buffer>;
}

/** A client with one wrapping key, whose messages are bound to `encryptionContext`. */
export function officialClient(
  { namespace, name, key }: RawAesWrappingKey,
  encryptionContext: Record<string, string>,
): OfficialClient {
  const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const materials = new NodeCachingMaterialsManager({
    backingMaterials: new RawAesKeyringNode({
      keyNamespace: namespace,
      keyName: name,
      unencryptedMasterKey: new Uint8Array(key),
      wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    }),
    cache: getLocalCryptographicMaterialsCache(100),
    maxAge: 3_600_000,
  });
  const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
  return {
    async encrypt(plaintext) {
      const options = { suiteId, encryptionContext, plaintextLength: plaintext.length };
      return (await client.encrypt(materials, plaintext, options)).result;
    },
    async decrypt(message) {
      return (await client.decrypt(materials, message)).plaintext;
    },
  };
}
