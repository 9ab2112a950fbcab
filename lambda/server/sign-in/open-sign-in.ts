/** Opens an environment's sign-in: its keys, its provider, its pages. Imported only where there is one, but for its types. */
import { resolve } from 'node:path';
import { KeyDocumentError } from '../../../codec/errors.ts';
import { createSecretSource, type SecretReader } from '../../../codec/keys/secrets/secret-source.ts';
import type { AccessRule, SecretRef, SignInConfig } from '../../../config/schema.ts';
import type { AuditSink } from '../audit/audit.ts';
import type { IdentityObservers } from '../audit/observe.ts';
import type { AuthenticatorParts } from '../auth/authenticator.ts';
import { createHttpsGet, type HttpsGet } from '../auth/https-get.ts';
import type { CodecPipeline } from '../http/message.ts';
import { secretArn } from '../open-keys.ts';
import { Provider } from './provider.ts';
import { claimsOfRules, keptClaims, readableNamespaces } from './readable-namespaces.ts';
import { createRoutes } from './routes.ts';
import { createSeal } from './seal.ts';
import { newSessionKeys, parseSessionKeys } from './session-keys.ts';
import { Sessions } from './sessions.ts';
import { SignInFlow } from './sign-in-flow.ts';

/** What the pages in front of a pipeline need of it. */
interface FrontSettings {
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

/** What a sign-in needs to know of where it is opened. */
export interface SignInHost extends Partial<IdentityObservers> {
  /** The folder that relative paths start from. */
  readonly cwd: string;
  /** ARN of the secret with the keys of sign-in sessions that the stack created. */
  readonly stackSessionKeysArn?: string | undefined;
  /** ARN of the secret with the client secret of the sign-in that the stack created. */
  readonly stackClientSecretArn?: string | undefined;
  /** Asks issuers and the Cloud Ops API; tests trust a certificate of their own. */
  readonly httpsGet?: HttpsGet | undefined;
}

/** Default of `absoluteSeconds`: a working day. */
const DEFAULT_ABSOLUTE_SECONDS = 28_800;
/** Default of `idleSeconds`. */
const DEFAULT_IDLE_SECONDS = 3_600;
/** Seconds after which the key's document is read anew: how long `validFrom` may take to be heeded. */
const KEYS_TTL_SECONDS = 60;
/** Seconds between two readings that a cookie under an unknown key causes. */
const KEYS_REFRESH_SECONDS = 5;

/**
 * @throws NotHereError when only a stack can give a secret
 * @throws CodecError when a file cannot be used
 */
export async function openSignIn(
  config: SignInConfig,
  host: SignInHost,
  clockLeewaySeconds: number | undefined,
): Promise<SignIn> {
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
    clockLeewaySeconds,
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
}

/** Reads the text of the secret that holds the client's secret. */
function parseClientSecret({ current }: { readonly current: string }): string {
  const secret = current.trim();
  if (!/^[!-~]{1,1024}$/.test(secret))
    throw new KeyDocumentError('the secret of signIn.clientSecret must hold the client secret alone');
  return secret;
}

async function readerOf(
  config: { readonly secret: SecretRef } | { readonly file: string },
  { cwd }: SignInHost,
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
