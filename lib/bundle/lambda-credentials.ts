/**
 * Takes the place of `@aws-sdk/credential-provider-node` in the bundle: Lambda puts the credentials
 * of the function's role into the environment, and all the other places where an SDK would look
 * (files, SSO, containers, instance metadata) are code that would only be loaded.
 */

/** Credentials as the AWS SDK wants them. */
export interface LambdaCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

/** The package's export of that name: makes a provider of credentials. */
export function defaultProvider(): () => Promise<LambdaCredentials> {
  return async () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
    if (AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined) {
      throw new Error('Lambda gave the function no credentials');
    }
    return {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      sessionToken: AWS_SESSION_TOKEN,
    };
  };
}
