/**
 * AWS Secrets Manager with its real client: the only file that knows it. The client is loaded when
 * the first secret is read, so that a server without secrets starts without it.
 *
 * The function needs `secretsmanager:GetSecretValue` on the secret, and nothing else. An endpoint
 * other than AWS's comes from `AWS_ENDPOINT_URL_SECRETS_MANAGER`, as for every AWS SDK.
 */
import type { SecretsManagerClient, SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { KeyUnavailableError } from '../../errors.ts';
import { parseArnOf } from '../arn.ts';
import { awsTimeouts, NO_CREDENTIALS, readAwsFault } from '../aws-fault.ts';
import type { SecretReader } from './secret-source.ts';

export interface SecretsManagerOptions {
  /** ARN of the secret: `arn:aws:secretsmanager:<region>:<account>:secret:<name>-<six letters>`. */
  readonly arn: string;
  /** Whether the version before the current one is read, too. Default true. */
  readonly previous?: boolean;
  /** Further settings of the client, such as credentials; tests use them. */
  readonly client?: Pick<SecretsManagerClientConfig, 'credentials' | 'endpoint'>;
}

type Stage = 'AWSCURRENT' | 'AWSPREVIOUS';

const SECRET = /^secret:[A-Za-z0-9/_+=.@-]+$/;

/** Says in an error which service is out. */
const SECRETS = { dependency: 'secrets' } as const;

/** Milliseconds. */
const TIMEOUT = 3000;

/**
 * Makes a reader of one secret, for `createSecretSource`.
 *
 * @throws Error when the ARN is none
 */
export function secretsManagerReader({ arn, previous = true, client = {} }: SecretsManagerOptions): SecretReader {
  const { region = '', resource = '' } = parseArnOf('secretsmanager', arn) ?? {};
  if (region === '' || !SECRET.test(resource)) throw new Error(`${JSON.stringify(arn)} is not an ARN of a secret`);
  let connected: SecretsManagerClient | undefined;

  const read = async (stage: Stage, signal: AbortSignal): Promise<string | undefined> => {
    const { GetSecretValueCommand, SecretsManagerClient } = await import('./secrets-manager-client.ts');
    connected ??= new SecretsManagerClient({ ...client, region, maxAttempts: 2, requestHandler: awsTimeouts(TIMEOUT) });
    const command = new GetSecretValueCommand({ SecretId: arn, VersionStage: stage });
    const { SecretString } = await connected.send(command, { abortSignal: signal });
    return SecretString;
  };

  return async (deadline) => {
    const signal = AbortSignal.timeout(Math.max(1, deadline - Date.now()));
    try {
      const [current, before] = await Promise.all([
        read('AWSCURRENT', signal),
        previous ? read('AWSPREVIOUS', signal).catch(undefinedIfMissing) : undefined,
      ]);
      if (current === undefined)
        throw new KeyUnavailableError('unusable', 'the secret holds bytes, not text', 5, SECRETS);
      return { current, previous: before };
    } catch (error) {
      throw error instanceof KeyUnavailableError ? error : unavailable(error);
    }
  };
}

/** A secret that was never changed has no previous version. */
function undefinedIfMissing(error: unknown): undefined {
  if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
  throw error;
}

/** A secret that is gone, or that may not be read any more, was reached: whoever did that meant something by it. */
function unavailable(error: unknown): KeyUnavailableError {
  const { kind, awsName } = readAwsFault(error);
  const mayPass = kind === 'throttled' || kind === 'timed-out' || kind === 'unreachable';
  const message = `Secrets Manager cannot give the secret: ${kind === 'no-credentials' ? NO_CREDENTIALS : awsName}`;
  return new KeyUnavailableError(mayPass ? kind : 'unusable', message, 5, SECRETS);
}
