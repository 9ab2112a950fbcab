/** For files of configuration: the compiler checks what is given, and the editor completes it. */
import type { EnvironmentConfig } from './environment.ts';
import type { AccessRule, CodecServerConfig, Operation, People } from './schema.ts';

/** A codec server's configuration, as it is. */
export function defineConfig<const T extends CodecServerConfig>(config: T): T {
  return config;
}

/** An environment: a configuration, and how it is deployed. */
export function defineEnvironment<const T extends EnvironmentConfig>(environment: T): T {
  return environment;
}

// Ready-made access rules.

/** Choices for {@link temporalPermissions}. */
export interface TemporalPermissionsOptions {
  /** Namespaces that the claim may speak about, with `*`. Default: all. */
  readonly namespaces?: readonly string[];
  /** The claim. Default `permissions`, as in Temporal Server's default claim mapper. */
  readonly claim?: string;
  /** Believe only this issuer. Name it whenever there is more than one. */
  readonly issuer?: string;
  /** Whether those who may write also encode. Default: nobody does. */
  readonly encode?: boolean;
  /** Whether `temporal-system:read` and higher decode in every namespace, as they read them in Temporal. Default: no. */
  readonly systemRoles?: boolean;
}

/** Temporal Server's name for permissions that hold in every namespace. */
const SYSTEM = 'temporal-system';

/**
 * Rules for the claim that a self-hosted Temporal Server reads its own authorization from:
 * `permissions: ["<namespace>:read", "<namespace>:write", "<namespace>:admin"]`. As in Temporal's
 * default authorizer, admin includes write and write includes read, and `worker` reads nothing.
 *
 * @see https://docs.temporal.io/self-hosted-guide/security (default JWT claim mapper)
 */
export function temporalPermissions(options: TemporalPermissionsOptions = {}): AccessRule[] {
  const namespaces = options.namespaces ?? ['*'];
  const scopes = options.systemRoles === true ? ['{namespace}', SYSTEM] : ['{namespace}'];
  const holders = (...permissions: string[]): People[] =>
    scopes.flatMap((scope) =>
      permissions.map((permission) => ({
        claim: options.claim ?? 'permissions',
        includes: `${scope}:${permission}`,
        ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
      })),
    );
  const rule = (name: string, allow: Operation, people: People[]): AccessRule => ({
    name,
    namespaces,
    people,
    allow: [allow],
  });
  const rules = [rule('Temporal permissions: read', 'decode', holders('read', 'write', 'admin'))];
  if (options.encode === true) rules.push(rule('Temporal permissions: write', 'encode', holders('write', 'admin')));
  return rules;
}
