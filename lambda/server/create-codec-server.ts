/**
 * A codec server out of its configuration: the one place where the parts are put together, for the
 * local server and the Lambda function alike. What differs between the two is in {@link ServerHost}.
 */

import type { Decoder } from '../../codec/decode.ts';
import { definedOnly } from '../../codec/defined-only.ts';
import type { Encoder } from '../../codec/encode.ts';
import { recognizeAll } from '../../codec/formats/all-formats.ts';
import { createCustomCodec } from '../../codec/temporal-codec.ts';
import type { CodecServerConfig, KeysConfig, Limits } from '../../config/schema.ts';
import type { AuditSink } from './audit/audit.ts';
import type { Authenticator } from './auth/caller.ts';
import { createAccessPolicy, type RoleDirectory } from './auth/policy.ts';
import type { CodecPipeline } from './http/message.ts';
import { namespacesNamedBy } from './http/route.ts';
import type { OpenedKeys } from './open-keys.ts';
import { createPipeline } from './pipeline.ts';
import { createReadiness } from './readiness.ts';
import type { SignIn } from './sign-in/open-sign-in.ts';
import type { ExternalStorage } from './storage/external-storage.ts';

/** What a codec server is put together from, opened already. */
export interface ServerResources {
  readonly keys: OpenedKeys;
  readonly authenticator: Authenticator;
  /** Needed when a rule names a Temporal Cloud role. */
  readonly roles?: RoleDirectory | undefined;
  /** Needed when the configuration has any. */
  readonly storage?: ExternalStorage | undefined;
  /** The environment's own sign-in, where it has one. */
  readonly signIn?: SignIn | undefined;
}

/** What it tells, and what the place where it runs can take. */
export interface ServerHost {
  readonly audit: AuditSink;
  /** Told of what should never happen, for the log. */
  readonly onBug: (error: unknown, requestId: string) => void;
  /** The limits where the configuration gives none. */
  readonly limits: Limits;
  /** Whether the host can carry a body; default: any. What it cannot is a 413, and counted as one. */
  readonly fits?: ((body: string | Uint8Array) => boolean) | undefined;
}

/** Puts a codec server together. */
export function createCodecServer(
  config: CodecServerConfig,
  { keys: { source: keys }, authenticator, roles, storage, signIn }: ServerResources,
  host: ServerHost,
): CodecPipeline {
  const { audit, onBug } = host;
  const limits = { ...host.limits, ...definedOnly(config.limits ?? {}) };
  const customCodecs = (config.codecs ?? []).map(createCustomCodec);
  const decoder: Decoder = { recognize: recognizeAll, keys, customCodecs, maxLayers: limits.layers };
  const encoder: Encoder = { keys, customCodecs, compression: config.compression };
  const pipeline = createPipeline(
    {
      namespaces: {
        defaultNamespace: config.defaultNamespace,
        isKnown: namespacesNamedBy(config.access, config.keys),
      },
      origins: config.cors.origins,
      failures: config.failures,
      plaintext: config.plaintext ?? 'accept',
      explainTo: config.explainTo ?? 'browsers',
      limits,
    },
    {
      authenticator,
      policy: createAccessPolicy(config.access, roles === undefined ? {} : { roles }),
      decoder,
      encoder,
      storage,
      ready: createReadiness({ keys, namespaces: namespacesToProve(config.keys) }),
      audit,
      onBug,
      fits: host.fits,
    },
  );
  return signIn?.inFrontOf(pipeline, { access: config.access, origins: config.cors.origins, audit, onBug }) ?? pipeline;
}

/** One namespace for every key that writes: a name that its pattern covers. */
export function namespacesToProve({ keyring, keyringSecret, kms }: KeysConfig): string[] {
  const patterns: (string | undefined)[] = [];
  if (keyring !== null) patterns.push(keyring.namespaces === undefined ? '*' : keyring.namespaces[0]);
  if (keyringSecret) patterns.push(keyringSecret.namespaces[0]);
  for (const { write, namespaces } of kms ?? []) if (write !== null) patterns.push(namespaces[0]);
  return patterns.filter((pattern) => pattern !== undefined).map((pattern) => pattern.replaceAll('*', 'readiness'));
}
