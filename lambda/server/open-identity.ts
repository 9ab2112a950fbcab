/** Opens what an environment proves its callers by, and where it asks for their roles. */
import { resolve } from 'node:path';
import { SingleFlight } from '../../codec/calls/single-flight.ts';
import { createSecretSource, type SecretReader } from '../../codec/keys/secrets/secret-source.ts';
import type {
  AccessRule,
  IdentityConfig,
  SecretRef,
  SignInConfig,
  TemporalCloudRolesConfig,
} from '../../config/schema.ts';
import type { AuditSink } from './audit/audit.ts';
import type { IdentityObservers } from './audit/observe.ts';
import { type AuthenticatorParts, createAuthenticator } from './auth/authenticator.ts';
import type { Authenticator } from './auth/caller.ts';
import { createHttpsGet, type HttpsGet } from './auth/https-get.ts';
import type { RoleDirectory } from './auth/policy.ts';
import type { ServiceTokens } from './auth/service-tokens.ts';
import { TokenVerifier } from './auth/tokens.ts';
import type { CodecPipeline } from './http/message.ts';
import { secretArn } from './open-keys.ts';

/** What the pages in front of a pipeline need of it. */
export interface FrontSettings {
  readonly access: readonly AccessRule[];
  /** Origins of the Web UIs that may call. */
  readonly origins: readonly string[];
  readonly audit: AuditSink;
  /** Told of what should never happen, for the log. */
  readonly onBug: (error: unknown, requestId: string) => void;
}

/** An environment's sign-in, in use. */
export interface SignIn {
  /** For the authenticator. */
  readonly parts: Required<Pick<AuthenticatorParts, 'sessions' | 'whenBoth' | 'signInAddress'>>;
  /** A pipeline that answers the sign-in's own paths, and prolongs the sessions of those it decoded for. */
  inFrontOf(pipeline: CodecPipeline, settings: FrontSettings): CodecPipeline;
  /** Fetches early what the first request would wait for. Never rejects. */
  warmUp(): Promise<void>;
}

/**
 * Opens a sign-in. Its code is given to {@link openIdentity} from outside, so that an environment
 * without one loads none of it.
 *
 * @throws NotHereError when only a stack can give a secret
 * @throws CodecError when a file cannot be used
 */
export type OpenSignIn = (
  config: SignInConfig,
  host: IdentityHost & { readonly clockLeewaySeconds: number | undefined },
) => Promise<SignIn>;

/** What identity needs to know of where it is opened. */
export interface IdentityHost extends Partial<IdentityObservers> {
  /** The folder that relative paths start from. */
  readonly cwd: string;
  /** ARN of the secret with the digests of service tokens that the stack created. */
  readonly stackServiceTokensArn?: string | undefined;
  /** ARN of the secret with the Temporal Cloud API key that the stack created. */
  readonly stackCloudApiKeyArn?: string | undefined;
  /** ARN of the secret with the keys of sign-in sessions that the stack created. */
  readonly stackSessionKeysArn?: string | undefined;
  /** ARN of the secret with the client secret of the sign-in that the stack created. */
  readonly stackClientSecretArn?: string | undefined;
  /** Needed where the configuration has a sign-in. */
  readonly openSignIn?: OpenSignIn | undefined;
  /**
   * Whether issuers are asked for their keys at once, before more code is loaded, so that the way there
   * and the loading go on side by side. {@link OpenedIdentity.warmUp} waits for it then, and asks no second time.
   */
  readonly asksAtOnce?: boolean;
  /** Asks issuers and the Cloud Ops API; tests trust a certificate of their own. */
  readonly httpsGet?: HttpsGet | undefined;
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
  const signIn = config.signIn ? await openOwnSignIn(config.signIn, config, host) : undefined;
  return {
    authenticator: createAuthenticator({ tokens, serviceTokens, ...signIn?.parts }),
    signIn,
    roles: config.temporalCloudRoles ? openRoles(config.temporalCloudRoles, get, host) : undefined,
    warmUp: async () => {
      await Promise.all([asked ?? tokens.warmUp(), serviceTokens?.warmUp(), signIn?.warmUp()]);
    },
  };
}

async function openOwnSignIn(
  config: SignInConfig,
  { clockLeewaySeconds }: IdentityConfig,
  host: IdentityHost,
): Promise<SignIn> {
  if (host.openSignIn === undefined) throw new Error('this server was put together without the sign-in it needs');
  return host.openSignIn(config, { ...host, clockLeewaySeconds });
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
