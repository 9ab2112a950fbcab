/**
 * AWS KMS with its real client: the only file that knows it. One client per Region and role; the
 * Region is the key's own, as its ARN says.
 *
 * The client's own retries are off: its budget of retries is one for all keys, and throttling of one
 * key must not slow down another. Endpoints other than AWS's come from the environment variables
 * that every AWS SDK reads, `AWS_ENDPOINT_URL_KMS` and `AWS_ENDPOINT_URL_STS`.
 */
import { DecryptCommand, GenerateDataKeyCommand, KMSClient, type KMSClientConfig } from '@aws-sdk/client-kms';
import type { EncryptionContext } from '../aws-encryption-sdk/encryption-context.ts';
import { type AwsCredentials, assumeRole } from './assume-role.ts';
import { readAwsFault } from './aws-fault.ts';
import { type Kms, KmsFault, type KmsKey } from './kms-api.ts';

/** Settings of the client. */
export interface KmsOptions {
  /** Milliseconds in which a connection must stand. Default 1,000. */
  readonly connectionTimeoutMs?: number;
  /** Further settings of the client, such as credentials; tests use them. */
  readonly client?: Pick<KMSClientConfig, 'credentials' | 'endpoint'>;
}

const DATA_KEY_BYTES = 32;

export function createKms(options: KmsOptions = {}): Kms {
  const clients = new Map<string, KMSClient>();
  const clientFor = (region: string, role: string | undefined): KMSClient => {
    const name = `${region} ${role ?? ''}`;
    let client = clients.get(name);
    if (client === undefined) {
      const own = () => clientFor(region, undefined).config.credentials();
      client = createClient(region, options, role === undefined ? undefined : assumeRole(role, region, own));
      clients.set(name, client);
    }
    return client;
  };
  return {
    decrypt: (key, ciphertext, encryptionContext, signal) =>
      translated(async () => {
        const command = new DecryptCommand({
          KeyId: key.arn,
          CiphertextBlob: ciphertext,
          EncryptionContext: contextFields(encryptionContext),
        });
        const { KeyId, Plaintext } = await clientFor(key.region, key.assumeRole).send(command, { abortSignal: signal });
        return owned(key, KeyId, Plaintext);
      }),
    generateDataKey: (key, encryptionContext, signal) =>
      translated(async () => {
        const command = new GenerateDataKeyCommand({
          KeyId: key.arn,
          NumberOfBytes: DATA_KEY_BYTES,
          EncryptionContext: contextFields(encryptionContext),
        });
        const { KeyId, Plaintext, CiphertextBlob } = await clientFor(key.region, key.assumeRole).send(command, {
          abortSignal: signal,
        });
        const plaintext = owned(key, KeyId, Plaintext);
        if (plaintext.length === DATA_KEY_BYTES && CiphertextBlob !== undefined && CiphertextBlob.length > 0)
          return { plaintext, ciphertext: Uint8Array.from(CiphertextBlob) };
        plaintext.fill(0);
        throw new KmsFault('unreachable', 'incomplete answer');
      }),
    close() {
      for (const client of clients.values()) client.destroy();
      clients.clear();
    },
  };
}

function createClient(region: string, options: KmsOptions, credentials?: () => Promise<AwsCredentials>): KMSClient {
  const { connectionTimeoutMs: connectionTimeout = 1000, client = {} } = options;
  // How many calls run side by side is limited per key, in front of this.
  const agent = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
  return new KMSClient({
    ...client,
    region,
    maxAttempts: 1,
    requestHandler: { connectionTimeout, httpsAgent: agent, httpAgent: agent },
    ...(credentials === undefined ? {} : { credentials }),
  });
}

function contextFields(context: EncryptionContext): Record<string, string> | undefined {
  return context.size === 0 ? undefined : Object.fromEntries(context);
}

/** The plaintext in memory that nothing else refers to; the client's own copy is zeroed. */
function owned(key: KmsKey, answered: string | undefined, plaintext: Uint8Array | undefined): Uint8Array {
  if (plaintext === undefined || answered !== key.arn) {
    plaintext?.fill(0);
    throw new KmsFault('unreachable', 'answer for another key');
  }
  const copy = Uint8Array.from(plaintext);
  plaintext.fill(0);
  return copy;
}

async function translated<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof KmsFault) throw error;
    const { kind, awsName } = readAwsFault(error);
    throw new KmsFault(kind, awsName);
  }
}
