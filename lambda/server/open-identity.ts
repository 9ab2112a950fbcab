/** Opens what an environment proves its callers by, and where it asks for their roles. */
import { resolve } from 'node:path';
import { SingleFlight } from '../../codec/calls/single-flight.ts';
import { createSecretSource, type SecretReader } from '../../codec/keys/secrets/secret-source.ts';
import type { IdentityConfig, SecretRef, TemporalCloudRolesConfig } from '../../config/schema.ts';
import { createAuthenticator } from './auth/authenticator.ts';
import type { Authenticator } from './auth/caller.ts';
import { createHttpsGet, type HttpsGet } from './auth/https-get.ts';
import type { RoleDirectory } from './auth/policy.ts';
import type { ServiceTokens } from './auth/service-tokens.ts';
import { TokenVerifier } from './auth/tokens.ts';
import { secretArn } from './open-keys.ts';
import type { SignIn, SignInHost } from './sign-in/open-sign-in.ts';

/** What identity needs to know of where it is opened. */
export interface IdentityHost extends SignInHost {
  /** ARN of the secret with the digests of service tokens that the stack created. */
  readonly stackServiceTokensArn?: string | undefined;
  /** ARN of the secret with the Temporal Cloud API key that the stack created. */
  readonly stackCloudApiKeyArn?: string | undefined;
  /**
   * Whether issuers are asked for their keys at once, before more code is loaded, so that the way there
   * and the loading go on side by side. {@link OpenedIdentity.warmUp} waits for it then, and asks no second time.
   */
  readonly asksAtOnce?: boolean;
}

/** Identity in use. */
export interface OpenedIdentity {
  readonly authenticator: Authenticator;
  /** Undefined where the configuration has no account to ask. */
  readonly roles: RoleDirectory | undefined;
  /** Undefined where the configuration has none. */
  readonly signIn: SignIn | undefined;
  /** Fetches early what the first request would wait for. Never rejects. */
  warmUp(): Promise<void>;
}

/** Turns of the event loop in which a question over TLS gets out, where the network is fast: to connect, to shake hands, to send. */
const TURNS_TO_ASK = 6;

/**
 * @throws NotHereError when only a stack can give a secret
 * @throws CodecError when a file of service tokens cannot be used
 */
export async function openIdentity(config: IdentityConfig, host: IdentityHost): Promise<OpenedIdentity> {
  const { httpsGet: get = createHttpsGet(), onKeyFetch } = host;
  const tokens = new TokenVerifier(config, { get, onKeyFetch });
  const asked = host.asksAtOnce ? tokens.warmUp() : undefined;
  if (asked !== undefined) {
    for (let turn = 0; turn < TURNS_TO_ASK; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  const serviceTokens = config.serviceTokens === null ? undefined : await openServiceTokens(config.serviceTokens, host);
  // Loaded here, so that an environment without a sign-in loads none of it.
  const signIn = config.signIn
    ? await (await import('./sign-in/open-sign-in.ts')).openSignIn(config.signIn, host, config.clockLeewaySeconds)
    : undefined;
  return {
    authenticator: createAuthenticator({ tokens, serviceTokens, ...signIn?.parts }),
    signIn,
    roles: config.temporalCloudRoles ? openRoles(config.temporalCloudRoles, get, host) : undefined,
    warmUp: async () => {
      await Promise.all([asked ?? tokens.warmUp(), serviceTokens?.warmUp(), signIn?.warmUp()]);
    },
  };
}

type FileOrSecret = { readonly file: string } | { readonly secret: SecretRef };

async function openServiceTokens(config: FileOrSecret, host: IdentityHost): Promise<ServiceTokens> {
  const { createServiceTokens, parseServiceTokens } = await import('./auth/service-tokens.ts');
  const arn = arnOf(config, host.stackServiceTokensArn, 'identity.serviceTokens.secret');
  const read = await readerOf(config, arn, host, 'file of service tokens');
  // Once now, so that a mistake in a file is told at start.
  if ('file' in config) parseServiceTokens(await read(Date.now()));
  return createServiceTokens(
    createSecretSource({ read, parse: parseServiceTokens, observe: host.observeSecret?.('service tokens') }),
  );
}

/** Loaded by the first request whose decision needs a role. */
function openRoles(config: TemporalCloudRolesConfig, get: HttpsGet, host: IdentityHost): RoleDirectory {
  const arn = arnOf(config.apiKey, host.stackCloudApiKeyArn, 'identity.temporalCloudRoles.apiKey.secret');
  const load = async (): Promise<RoleDirectory> => {
    const [{ CloudRoles, parseApiKey }, read] = await Promise.all([
      import('./auth/cloud-roles.ts'),
      readerOf(config.apiKey, arn, host, 'file of the Temporal Cloud API key'),
    ]);
    const apiKey = createSecretSource({
      read,
      parse: parseApiKey,
      observe: host.observeSecret?.('Temporal Cloud API key'),
    });
    return new CloudRoles(config, { get, apiKey, now: () => Date.now(), onLookup: host.onRoleLookup });
  };
  let opened: RoleDirectory | undefined;
  const opening = new SingleFlight<RoleDirectory>();
  return {
    roleOf(email, namespace) {
      if (opened !== undefined) return opened.roleOf(email, namespace);
      return opening
        .run(async () => {
          opened = await load();
          return opened;
        })
        .then((directory) => directory.roleOf(email, namespace));
    },
  };
}

/** The ARN of a secret, found out at once, so that a missing one is told at start; undefined for a file. */
function arnOf(config: FileOrSecret, stackArn: string | undefined, path: string): string | undefined {
  return 'file' in config ? undefined : secretArn(config.secret, stackArn, path);
}

async function readerOf(
  config: FileOrSecret,
  arn: string | undefined,
  { cwd }: IdentityHost,
  what: string,
): Promise<SecretReader> {
  if ('file' in config) {
    const { readPrivateFile } = await import('../../codec/keys/secrets/private-file.ts');
    const path = resolve(cwd, config.file);
    return async () => ({ current: readPrivateFile(path, what), previous: undefined });
  }
  const { secretsManagerReader } = await import('../../codec/keys/secrets/secrets-manager.ts');
  return secretsManagerReader({ arn: arn ?? '', previous: false });
}
