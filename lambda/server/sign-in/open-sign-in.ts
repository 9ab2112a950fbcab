/** Opens an environment's sign-in: its keys, its provider, its pages. Imported only where there is one, but for its types. */
import { resolve } from 'node:path';
import { KeyDocumentError } from '../../../codec/errors.ts';
import { createSecretSource, type SecretReader } from '../../../codec/keys/secrets/secret-source.ts';
import type { SecretRef } from '../../../config/schema.ts';
import { createHttpsGet } from '../auth/https-get.ts';
import type { OpenSignIn } from '../open-identity.ts';
import { secretArn } from '../open-keys.ts';
import { Provider } from './provider.ts';
import { claimsOfRules, keptClaims, readableNamespaces } from './readable-namespaces.ts';
import { createRoutes } from './routes.ts';
import { createSeal } from './seal.ts';
import { newSessionKeys, parseSessionKeys } from './session-keys.ts';
import { Sessions } from './sessions.ts';
import { SignInFlow } from './sign-in-flow.ts';

/** Default of `absoluteSeconds`: a working day. */
const DEFAULT_ABSOLUTE_SECONDS = 28_800;
/** Default of `idleSeconds`. */
const DEFAULT_IDLE_SECONDS = 3_600;
/** Seconds after which the key's document is read anew: how long `validFrom` may take to be heeded. */
const KEYS_TTL_SECONDS = 60;
/** Seconds between two readings that a cookie under an unknown key causes. */
const KEYS_REFRESH_SECONDS = 5;

export const openSignIn: OpenSignIn = async (config, host) => {
  const { publicUrl, issuer, clientId, clientSecret } = config;
  const read = await readerOf(config.sessionKeys, host, 'sessionKeys', host.stackSessionKeysArn);
  if ('file' in config.sessionKeys) parseSessionKeys(await read(Date.now()));
  const keys = createSecretSource({
    read,
    parse: parseSessionKeys,
    observe: host.observeSecret?.('session keys'),
    ttlSeconds: KEYS_TTL_SECONDS,
    refreshSeconds: KEYS_REFRESH_SECONDS,
  });
  const seal = createSeal({ publicUrl, issuer, clientId });
  const signInAddress = `${publicUrl}/login`;
  const idleSeconds = config.idleSeconds ?? DEFAULT_IDLE_SECONDS;
  const absoluteSeconds = config.absoluteSeconds ?? DEFAULT_ABSOLUTE_SECONDS;
  const sessions = new Sessions({ seal, keys, issuer, signInAddress, limits: { absoluteSeconds, idleSeconds } });
  const secretReader =
    clientSecret === null ? undefined : await readerOf(clientSecret, host, 'clientSecret', host.stackClientSecretArn);
  const provider = new Provider(config, {
    get: host.httpsGet ?? createHttpsGet(),
    clientSecret:
      secretReader === undefined
        ? undefined
        : createSecretSource({
            read: secretReader,
            parse: parseClientSecret,
            observe: host.observeSecret?.('client secret'),
          }),
    clockLeewaySeconds: host.clockLeewaySeconds,
    onKeyFetch: host.onKeyFetch,
    onProvider: host.onProvider,
  });
  const whenBoth = config.whenBoth ?? 'token';
  return {
    parts: { sessions: (cookies) => sessions.authenticate(cookies), whenBoth, signInAddress },
    inFrontOf(pipeline, { access, origins, audit, onBug }) {
      const wanted = claimsOfRules(access);
      return createRoutes({
        pipeline,
        sessions,
        provider,
        flow: new SignInFlow(seal, () => sessions.keys()),
        pages: { publicUrl, origins },
        namespacesOf: (caller) => readableNamespaces(caller, access),
        kept: (caller) => ({ ...caller, method: 'session', claims: keptClaims(caller.claims, wanted) }),
        sessionFirst: whenBoth === 'session',
        audit,
        onBug,
      });
    },
    async warmUp() {
      try {
        await sessions.keys();
      } catch {
        // Told to the request that needs them.
      }
    },
  };
};

/** Reads the text of the secret that holds the client's secret. */
function parseClientSecret({ current }: { readonly current: string }): string {
  const secret = current.trim();
  if (!/^[!-~]{1,1024}$/.test(secret))
    throw new KeyDocumentError('the secret of signIn.clientSecret must hold the client secret alone');
  return secret;
}

async function readerOf(
  config: { readonly secret: SecretRef } | { readonly file: string },
  { cwd }: Parameters<OpenSignIn>[1],
  field: 'sessionKeys' | 'clientSecret',
  stackArn: string | undefined,
): Promise<SecretReader> {
  const isKeys = field === 'sessionKeys';
  if ('secret' in config) {
    const arn = secretArn(config.secret, stackArn, `identity.signIn.${field}.secret`);
    const { secretsManagerReader } = await import('../../../codec/keys/secrets/secrets-manager.ts');
    return secretsManagerReader({ arn, previous: isKeys });
  }
  const { makePrivateFile, readPrivateFile } = await import('../../../codec/keys/secrets/private-file.ts');
  const path = resolve(cwd, config.file);
  const what = isKeys ? 'file of session keys' : 'file of the client secret';
  if (isKeys) makePrivateFile(path, what, newSessionKeys());
  return async () => ({ current: readPrivateFile(path, what), previous: undefined });
}
