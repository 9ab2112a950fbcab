/**
 * AWS KMS with its real client. One client per Region and role; the Region is the key's own, as its
 * ARN says. Nothing else knows the client.
 *
 * The client's own retries are off: its budget of retries is one for all keys, and throttling of one
 * key must not slow down another. Endpoints other than AWS's come from the environment variables
 * that every AWS SDK reads, `AWS_ENDPOINT_URL_KMS` and `AWS_ENDPOINT_URL_STS`.
 */

import type { KMSClient, KMSClientConfig } from '@aws-sdk/client-kms';
import type { STSClient } from '@aws-sdk/nested-clients/sts';
import { KEY_LENGTH } from '../../aws-encryption-sdk/algorithm-suites.ts';
import type { EncryptionContext } from '../../aws-encryption-sdk/encryption-context.ts';
import { awsTimeouts, readAwsFault } from '../aws-fault.ts';
import { type Kms, KmsFault, type KmsKey } from './kms-api.ts';

/** Settings of the client. */
export interface KmsOptions {
  /** Milliseconds in which a connection must stand. Default 1,000. */
  readonly connectionTimeoutMs?: number;
  /** Further settings of the client, such as credentials; tests use them. */
  readonly client?: Pick<KMSClientConfig, 'credentials' | 'endpoint'>;
}

/** KMS over the network. */
export interface RemoteKms extends Kms {
  /** Settles when the client's code is loaded. A function that starts awaits it, so that its first request need not. */
  readonly ready: Promise<void>;
}

/** Connects to KMS; the client's code is loaded from here on, beside whatever else starts. */
export function createKms(options: KmsOptions = {}): RemoteKms {
  const sdk = import('./kms-client.ts');
  const clients = new Map<string, KMSClient>();
  const clientFor = async (region: string, role: string | undefined): Promise<KMSClient> => {
    const { KMSClient } = await sdk;
    const name = `${region} ${role ?? ''}`;
    let client = clients.get(name);
    if (client === undefined) {
      const own = async () => (await clientFor(region, undefined)).config.credentials();
      const credentials = role === undefined ? undefined : assumeRole(role, region, own);
      client = new KMSClient(clientSettings(region, options, credentials));
      clients.set(name, client);
    }
    return client;
  };
  return {
    ready: sdk.then(() => {}),
    decrypt: (key, ciphertext, encryptionContext, signal) =>
      translated(async () => {
        const { DecryptCommand } = await sdk;
        const client = await clientFor(key.region, key.assumeRole);
        const command = new DecryptCommand({
          KeyId: key.arn,
          CiphertextBlob: ciphertext,
          EncryptionContext: contextFields(encryptionContext),
        });
        const { KeyId, Plaintext } = await client.send(command, { abortSignal: signal });
        return owned(key, KeyId, Plaintext);
      }),
    generateDataKey: (key, encryptionContext, signal) =>
      translated(async () => {
        const { GenerateDataKeyCommand } = await sdk;
        const client = await clientFor(key.region, key.assumeRole);
        const command = new GenerateDataKeyCommand({
          KeyId: key.arn,
          NumberOfBytes: KEY_LENGTH,
          EncryptionContext: contextFields(encryptionContext),
        });
        const { KeyId, Plaintext, CiphertextBlob } = await client.send(command, {
          abortSignal: signal,
        });
        const plaintext = owned(key, KeyId, Plaintext);
        if (plaintext.length === KEY_LENGTH && CiphertextBlob !== undefined && CiphertextBlob.length > 0)
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

function clientSettings(
  region: string,
  { connectionTimeoutMs: connectionTimeout = 1000, client = {} }: KmsOptions,
  credentials: (() => Promise<AwsCredentials>) | undefined,
): KMSClientConfig {
  // How many calls run side by side is limited per key, in front of this.
  const agent = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
  return {
    ...client,
    region,
    maxAttempts: 1,
    requestHandler: { connectionTimeout, httpsAgent: agent, httpAgent: agent },
    ...(credentials === undefined ? {} : { credentials }),
  };
}

function contextFields(context: EncryptionContext): Record<string, string> | undefined {
  return context.size === 0 ? undefined : Object.fromEntries(context);
}

/** The plaintext in memory that nothing else refers to; the client's own copy is zeroed. */
function owned(key: KmsKey, answered: string | undefined, plaintext: Uint8Array | undefined): Uint8Array {
  forgetLastMatch();
  if (plaintext === undefined || answered !== key.arn) {
    plaintext?.fill(0);
    throw new KmsFault('unreachable', 'answer for another key');
  }
  const copy = Uint8Array.from(plaintext);
  plaintext.fill(0);
  return copy;
}

/**
 * The JavaScript engine keeps the text of the last successful match of a regular expression
 * (`RegExp.input`), and the client matches the plaintext in base64 with one: give it another to keep.
 */
function forgetLastMatch(): void {
  /^/.test('');
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

// Credentials of a role in another account. The STS client is the one that every AWS client carries
// along for its own credential chain: one package less to install and to bundle. It is loaded when
// the first role is assumed.

/** Credentials as AWS clients take them. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** The name of our sessions in CloudTrail. */
const SESSION_NAME = 'temporal-codec-server';

/** Milliseconds. */
const TIMEOUT = 3000;

/**
 * Gives credentials of a role. The AWS client that is given this function keeps what it answers, and
 * asks again before it expires.
 *
 * @param roleArn the role to assume
 * @param region the Region whose STS is asked
 * @param source gives the credentials of who assumes it
 */
export function assumeRole(
  roleArn: string,
  region: string,
  source: () => Promise<AwsCredentials>,
): () => Promise<AwsCredentials> {
  let client: STSClient | undefined;
  return async () => {
    const { AssumeRoleCommand, STSClient } = await import('./sts-client.ts');
    client ??= new STSClient({ region, credentials: source, maxAttempts: 2, requestHandler: awsTimeouts(TIMEOUT) });
    const { Credentials } = await client.send(
      new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: SESSION_NAME }),
    );
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
    if (AccessKeyId === undefined || SecretAccessKey === undefined) throw new Error('STS answered without credentials');
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      ...(SessionToken === undefined ? {} : { sessionToken: SessionToken }),
      ...(Expiration === undefined ? {} : { expiration: Expiration }),
    };
  };
}
