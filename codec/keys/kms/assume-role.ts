/**
 * Credentials of a role in another account. The STS client is the one that every AWS client carries
 * along for its own credential chain: one package less to install and to bundle. It is loaded when
 * the first role is assumed.
 */
import type { STSClient } from '@aws-sdk/nested-clients/sts';

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
const TIMEOUTS = { connectionTimeout: 1000, requestTimeout: 3000 };

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
    client ??= new STSClient({ region, credentials: source, maxAttempts: 2, requestHandler: TIMEOUTS });
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
