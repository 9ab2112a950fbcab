/** What we use of the KMS client: named here, a bundler leaves out the rest although it is loaded late. */
export { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
