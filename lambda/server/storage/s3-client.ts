/** What we use of the S3 client: named here, a bundler leaves out the rest although it is loaded late. */
export { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
