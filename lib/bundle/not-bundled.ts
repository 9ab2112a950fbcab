/**
 * Takes the place of packages that an environment's configuration has no use for, so that they are
 * neither uploaded nor parsed at every cold start. Using one is a mistake in `lib/bundle/bundle.ts`.
 */

/** The default export, and every name that the package is used by. */
export default class NotBundled {
  constructor() {
    throw new Error('this environment was bundled without a package that it needs');
  }
}

export {
  NotBundled as AssumeRoleCommand,
  NotBundled as DecryptCommand,
  NotBundled as GenerateDataKeyCommand,
  NotBundled as GetSecretValueCommand,
  NotBundled as KMSClient,
  NotBundled as SecretsManagerClient,
  NotBundled as STSClient,
};
