/** What we use of the STS client: named here, a bundler leaves out the rest although it is loaded late. */
export { AssumeRoleCommand, STSClient } from '@aws-sdk/nested-clients/sts';
