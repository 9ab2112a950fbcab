/** The official AWS Encryption SDK for JavaScript, as the oracle for our reader and writer. */
import { randomBytes } from 'node:crypto';
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  MultiKeyringNode,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';
import { type RawAesWrappingKey, unwrapDataKey } from '../../codec/aws-encryption-sdk/raw-aes-keyring.ts';
import { decryptMessage, parseMessage } from '../../codec/aws-encryption-sdk/reader.ts';
import { CannotOpenError } from '../../codec/errors.ts';

export const SUITE = AlgorithmSuiteIdentifier;
const strict = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const lax = buildClient(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT);

/** A wrapping key of a made-up keyring. */
export function wrappingKey(name = 'k-1', namespace = 'codec-server'): RawAesWrappingKey {
  return { namespace, name, key: randomBytes(32) };
}

function keyringOf(...keys: RawAesWrappingKey[]) {
  const keyrings = keys.map(
    ({ namespace, name, key }) =>
      new RawAesKeyringNode({
        keyNamespace: namespace,
        keyName: name,
        // The library keeps its own copy in isolation, and takes no Buffer from a pool
        unencryptedMasterKey: new Uint8Array(key),
        wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
        utf8Sorting: true,
      }),
  );
  const [generator, ...children] = keyrings;
  if (generator === undefined) throw new Error('a keyring needs a key');
  return new MultiKeyringNode({ generator, children });
}

/** How the official library is to write a message. */
export interface OfficialOptions {
  readonly context?: Record<string, string>;
  readonly suiteId?: AlgorithmSuiteIdentifier;
  readonly frameLength?: number;
}

/** A message of the official library, wrapped by every one of the keys. */
export async function officialEncrypt(
  plaintext: Uint8Array,
  keys: RawAesWrappingKey | readonly RawAesWrappingKey[],
  { context = {}, suiteId = SUITE.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY, frameLength }: OfficialOptions = {},
): Promise<Buffer> {
  const client = suiteId > 0x0400 ? strict : lax;
  const keyring = keyringOf(...(Array.isArray(keys) ? keys : [keys]));
  const { result } = await client.encrypt(keyring, plaintext, {
    encryptionContext: context,
    suiteId,
    ...(frameLength === undefined ? {} : { frameLength }),
  });
  return result;
}

/** What the official library reads, and the encryption context that it authenticated. */
export async function officialDecrypt(
  message: Uint8Array,
  ...keys: RawAesWrappingKey[]
): Promise<{ plaintext: Buffer; context: Record<string, string> }> {
  const { plaintext, messageHeader } = await strict.decrypt(keyringOf(...keys), message);
  return { plaintext, context: { ...messageHeader.encryptionContext } };
}

/** Our reader with a raw AES keyring: tries the encrypted data keys in turn, as a key source does. */
export function ourDecrypt(message: Uint8Array, ...keys: RawAesWrappingKey[]): Buffer {
  const parsed = parseMessage(message);
  const { encryptedDataKeys, encryptionContext } = parsed.header;
  for (const encryptedDataKey of encryptedDataKeys) {
    for (const key of keys) {
      const dataKey = unwrapDataKey(key, encryptedDataKey, encryptionContext);
      if (dataKey !== undefined) return decryptMessage(parsed, dataKey);
    }
  }
  throw new CannotOpenError('unknown-key', 'no key of the test keyring');
}
