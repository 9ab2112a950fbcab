/**
 * The names that the stack and the function agree on. The function's side of them is
 * `lambda/handler.ts`; a test holds the two together.
 */

/** Environment variables by which the function learns of what the stack made. */
export const ENVIRONMENT_VARIABLES = {
  keyArn: 'CREATED_KEY_ARN',
  staticKeysSecretArn: 'STATIC_KEYS_SECRET_ARN',
  keyringSecretArn: 'KEYRING_SECRET_ARN',
  serviceTokensSecretArn: 'SERVICE_TOKENS_SECRET_ARN',
  cloudApiKeySecretArn: 'CLOUD_API_KEY_SECRET_ARN',
  storageBucket: 'STORAGE_BUCKET',
  sessionKeysSecretArn: 'SESSION_KEYS_SECRET_ARN',
  clientSecretSecretArn: 'CLIENT_SECRET_SECRET_ARN',
  logLevel: 'LOG_LEVEL',
} as const;

/** The handler's name for Lambda: the file and what it exports. */
export const HANDLER = 'index.handler';

/** How a bundle begins: some packages are CommonJS inside and `require` what Node brings, for which an ES module has no word. */
export const REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/** The encryption context's key that names the namespace; formats.md of the payload format prescribes it. */
export const NAMESPACE_CONDITION_KEY = 'kms:EncryptionContext:temporal-namespace';

/** Whether an environment's name can stand in names of AWS resources. */
export function isResourceName(name: unknown): name is string {
  return typeof name === 'string' && /^[a-z][a-z0-9-]{0,30}$/.test(name);
}

/** The stack's name, by which it is deployed: `npx cdk deploy CodecServer-dev`. */
export function stackNameOf(environment: string): string {
  return `CodecServer-${environment}`;
}

/** The page that takes a newcomer from a clone to a decoded payload. */
export const DEPLOY_GUIDE = 'docs/deploy.md';
