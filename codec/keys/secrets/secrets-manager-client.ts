/** What we use of the Secrets Manager client: named here, a bundler leaves out the rest although it is loaded late. */
export { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
