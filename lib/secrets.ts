/** The secrets that an environment asks for: made here and filled by people, or existing ones by ARN. */
import { RemovalPolicy, SecretValue } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { EnvironmentConfig } from '../config/environment.ts';
import type { SecretRef } from '../config/schema.ts';
import { acceptFindings } from './findings.ts';
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

/** Every secret of an environment; none is made that is not asked for. */
export class Secrets extends Construct {
  readonly all: readonly NamedSecret[];
  readonly #props: SecretsProps;

  constructor(scope: Construct, id: string, props: SecretsProps) {
    super(scope, id);
    this.#props = props;
    const { identity, keys } = props.config;
    const all: NamedSecret[] = [];
    const { serviceTokens, temporalCloudRoles } = identity ?? {};
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
    if (keys.staticKeys && 'secret' in keys.staticKeys) {
      all.push(
        this.#secret('StaticKeys', keys.staticKeys.secret, ENVIRONMENT_VARIABLES.staticKeysSecretArn, {
          description: 'Static keys of what was written before: {"keys":[{"id","key","namespaces"}]}.',
          initially: JSON.stringify({ keys: [] }),
        }),
      );
    }
    this.all = all;
  }

  #secret(id: string, ref: SecretRef, variable: string, made: { description: string; initially: string }): NamedSecret {
    if (ref !== 'created-by-stack') {
      return { variable, secret: Secret.fromSecretCompleteArn(this, id, ref.arn), created: false };
    }
    const { environment, retain, key } = this.#props;
    const secret = new Secret(this, id, {
      description: `Codec server, ${environment}. ${made.description}`,
      // Nothing secret; CloudFormation never overwrites what people put in its place.
      secretStringValue: SecretValue.unsafePlainText(made.initially),
      removalPolicy: retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
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
