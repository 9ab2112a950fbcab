/** Opens what an environment proves its callers by. */
import { isAbsolute, join } from 'node:path';
import type { IdentityConfig, ServiceTokensConfig } from '../config/schema.ts';
import { createAuthenticator } from './auth/authenticator.ts';
import type { Authenticator } from './auth/caller.ts';
import type { HttpsGet } from './auth/https-get.ts';
import type { ServiceTokens } from './auth/service-tokens.ts';
import { createTokenVerifier } from './auth/tokens.ts';
import { secretArn } from './open-keys.ts';

/** What identity needs to know of where it is opened. */
export interface IdentityHost {
  /** The folder that relative paths start from. */
  readonly cwd: string;
  /** ARN of the secret with the digests of service tokens that the stack created. */
  readonly stackServiceTokensArn?: string | undefined;
  /** Fetches the keys of issuers; tests trust a certificate of their own. */
  readonly httpsGet?: HttpsGet | undefined;
  /** Told of every fetch of issuer keys, for the metrics. */
  readonly onKeyFetch?: (outcome: 'ok' | 'failed') => void;
}

/** Identity in use. */
export interface OpenedIdentity {
  readonly authenticator: Authenticator;
  /** Fetches early what the first request would wait for. Never rejects. */
  warmUp(): Promise<void>;
}

/**
 * @throws KeysNotHereError when only a stack can give the service tokens
 * @throws KeyringFileError when a file of service tokens cannot be used
 */
export async function openIdentity(config: IdentityConfig, host: IdentityHost): Promise<OpenedIdentity> {
  const { httpsGet: get, onKeyFetch } = host;
  const tokens = createTokenVerifier(config, {
    ...(get === undefined ? {} : { get }),
    ...(onKeyFetch === undefined ? {} : { onKeyFetch }),
  });
  const serviceTokens = config.serviceTokens === null ? undefined : await openServiceTokens(config.serviceTokens, host);
  return { authenticator: createAuthenticator({ tokens, serviceTokens }), warmUp: () => tokens.warmUp() };
}

async function openServiceTokens(config: ServiceTokensConfig, host: IdentityHost): Promise<ServiceTokens> {
  const [{ createServiceTokens, parseServiceTokens }, { createSecretSource }] = await Promise.all([
    import('./auth/service-tokens.ts'),
    import('../codec/keys/secret-source.ts'),
  ]);
  if ('file' in config) {
    const { readPrivateFile } = await import('../codec/keys/keyring-file.ts');
    const path = isAbsolute(config.file) ? config.file : join(host.cwd, config.file);
    const read = () => ({ current: readPrivateFile(path, 'file of service tokens'), previous: undefined });
    // Once now, so that a mistake in it is told at start.
    parseServiceTokens(read());
    return createServiceTokens(createSecretSource({ read: async () => read(), parse: parseServiceTokens }));
  }
  const { secretsManagerReader } = await import('../codec/keys/secrets-manager.ts');
  const arn = secretArn(config.secret, host.stackServiceTokensArn, 'identity.serviceTokens.secret');
  const read = secretsManagerReader({ arn, previous: false });
  return createServiceTokens(createSecretSource({ read, parse: parseServiceTokens }));
}
