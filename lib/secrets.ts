/** The secrets that an environment asks for: made here and filled by people, or existing ones by ARN. */
import { SecretValue } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type ISecret, Secret, type SecretStringGenerator } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { EnvironmentConfig } from '../config/environment.ts';
import type { SecretRef } from '../config/schema.ts';
import { acceptFindings } from './findings.ts';
import { removalPolicyOf } from './keys.ts';
import { ENVIRONMENT_VARIABLES } from './names.ts';

export interface SecretsProps {
  readonly environment: string;
  readonly config: EnvironmentConfig;
  readonly retain: boolean;
  /** Encrypts the secrets made here; undefined for the account's own key of Secrets Manager. */
  readonly key: IKey | undefined;
}

/** A secret, and the environment variable that tells the function its ARN. */
export interface NamedSecret {
  readonly variable: string;
  readonly secret: ISecret;
  /** Whether the stack made it. */
  readonly created: boolean;
}

/** `{"key":"…"}` with 64 random letters and digits: 380 bits. */
const RANDOM_KEY: SecretStringGenerator = {
  secretStringTemplate: '{}',
  generateStringKey: 'key',
  passwordLength: 64,
  excludePunctuation: true,
};

/** Every secret of an environment; none is made that is not asked for. */
export class Secrets extends Construct {
  readonly all: readonly NamedSecret[];
  readonly #props: SecretsProps;

  constructor(scope: Construct, id: string, props: SecretsProps) {
    super(scope, id);
    this.#props = props;
    const { identity, keys } = props.config;
    const all: NamedSecret[] = [];
    const { serviceTokens, temporalCloudRoles, signIn } = identity ?? {};
    if (serviceTokens && 'secret' in serviceTokens) {
      all.push(
        this.#secret('ServiceTokens', serviceTokens.secret, ENVIRONMENT_VARIABLES.serviceTokensSecretArn, {
          description: 'SHA-256 digests of service tokens; `codec-server token` makes the entries.',
          initially: JSON.stringify({ tokens: [] }),
        }),
      );
    }
    if (temporalCloudRoles && 'secret' in temporalCloudRoles.apiKey) {
      all.push(
        this.#secret('CloudApiKey', temporalCloudRoles.apiKey.secret, ENVIRONMENT_VARIABLES.cloudApiKeySecretArn, {
          description: 'API key of a Temporal Cloud service account with the account role Read-Only: its text alone.',
          initially: 'put the API key here',
        }),
      );
    }
    if (signIn && 'secret' in signIn.sessionKeys) {
      all.push(
        this.#secret('SessionKeys', signIn.sessionKeys.secret, ENVIRONMENT_VARIABLES.sessionKeysSecretArn, {
          description: 'Seals sign-in sessions: {"key":"…","validFrom":"…"}. A new value signs nobody out.',
          initially: undefined,
        }),
      );
    }
    if (signIn?.clientSecret && 'secret' in signIn.clientSecret) {
      all.push(
        this.#secret('ClientSecret', signIn.clientSecret.secret, ENVIRONMENT_VARIABLES.clientSecretSecretArn, {
          description: 'The client secret that the identity provider gave the codec server: its text alone.',
          initially: 'put-the-client-secret-here',
        }),
      );
    }
    if (keys.staticKeys && 'secret' in keys.staticKeys) {
      all.push(
        this.#secret('StaticKeys', keys.staticKeys.secret, ENVIRONMENT_VARIABLES.staticKeysSecretArn, {
          description: 'Static keys of what was written before: {"keys":[{"id","key","namespaces"}]}.',
          initially: JSON.stringify({ keys: [] }),
        }),
      );
    }
    if (keys.keyringSecret) {
      all.push(
        this.#secret('Keyring', keys.keyringSecret.secret, ENVIRONMENT_VARIABLES.keyringSecretArn, {
          description:
            'The keyring of namespaces that KMS is not asked for; `codec-server keygen --document` makes it.',
          initially: 'put the keyring document here',
        }),
      );
    }
    this.all = all;
  }

  /** @param made `initially` is what people put theirs in the place of; undefined for a key that is made here */
  #secret(
    id: string,
    ref: SecretRef,
    variable: string,
    made: { readonly description: string; readonly initially: string | undefined },
  ): NamedSecret {
    if (ref !== 'created-by-stack') {
      return { variable, secret: Secret.fromSecretCompleteArn(this, id, ref.arn), created: false };
    }
    const { environment, retain, key } = this.#props;
    const secret = new Secret(this, id, {
      description: `Codec server, ${environment}. ${made.description}`,
      // A text to replace is nothing secret; CloudFormation never overwrites what people put in its place.
      ...(made.initially === undefined
        ? { generateSecretString: RANDOM_KEY }
        : { secretStringValue: SecretValue.unsafePlainText(made.initially) }),
      removalPolicy: removalPolicyOf(retain),
      ...(key === undefined ? {} : { encryptionKey: key }),
    });
    acceptFindings(
      secret,
      ['AwsSolutions-SMG4'],
      'What is in it is given out by people (tokens to colleagues, a key of another system), who rotate it; docs say how.',
    );
    return { variable, secret: secret as ISecret, created: true };
  }
}

/** Reading each secret, and the use of the key that encrypts those made here, through Secrets Manager alone. */
export function secretStatements(secrets: readonly NamedSecret[], key: IKey | undefined): PolicyStatement[] {
  if (secrets.length === 0) return [];
  const statements = [
    new PolicyStatement({
      sid: 'Secrets',
      actions: ['secretsmanager:GetSecretValue'],
      resources: secrets.map(({ secret }) => secret.secretArn),
    }),
  ];
  const created = secrets.filter((secret) => secret.created);
  if (key !== undefined && created.length > 0) {
    statements.push(
      new PolicyStatement({
        sid: 'SecretsKey',
        actions: ['kms:Decrypt'],
        resources: [key.keyArn],
        conditions: {
          StringEquals: { 'kms:EncryptionContext:SecretARN': created.map(({ secret }) => secret.secretArn) },
        },
      }),
    );
  }
  return statements;
}
