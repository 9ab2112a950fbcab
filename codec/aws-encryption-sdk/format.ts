/** The `encoding` of our payloads. */
export const AWS_ENCRYPTION_SDK_ENCODING = 'binary/aws-encryption-sdk';
