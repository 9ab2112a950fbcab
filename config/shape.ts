/**
 * The form of a configuration: which fields there are, which must be there, and of which type. For a
 * field that is a security choice, `undefined` is "forgotten" and an error; `null` is "declined".
 *
 * The types in schema.ts and environment.ts are the truth: a field of theirs without a check here does not compile. So a
 * type is named from there and never written out.
 */
import {
  type Check,
  flag,
  formOf,
  formOfType,
  isTrue,
  listOf,
  nullable,
  number,
  object,
  oneOf,
  optional,
  text,
  textMap,
  wordOr,
} from './checker.ts';
import type {
  AlarmsConfig,
  ConcurrencyConfig,
  DeploymentConfig,
  DomainConfig,
  EnvironmentConfig,
  FrontConfig,
  FrontReach,
  LogsConfig,
  RestApiConfig,
  ThrottlingConfig,
} from './environment.ts';
import type { Problem } from './problem.ts';
import type {
  AccessRule,
  CorsConfig,
  CustomCodecConfig,
  DataKeyCacheConfig,
  IdentityConfig,
  IssuerConfig,
  KeyringSecretConfig,
  KeysConfig,
  KmsKeyConfig,
  Limits,
  LocalKeyringConfig,
  OidcIssuerConfig,
  People,
  SecretRef,
  ServiceTokensConfig,
  SignInConfig,
  StaticKeysConfig,
  StorageBucketConfig,
  StorageConfig,
  StorageLimits,
  TemporalCloudIssuerConfig,
  TemporalCloudRolesConfig,
} from './schema.ts';

/** The member of a union that has a field. */
type With<Union, Name extends string> = Extract<Union, Readonly<Record<Name, unknown>>>;

/** An environment, or a configuration that is not deployed. */
type Configuration = Omit<EnvironmentConfig, 'deployment'> & Partial<Pick<EnvironmentConfig, 'deployment'>>;

/** A namespace, or a pattern of some. */
const namespace: Check<string> = (value, path) =>
  typeof value === 'string' && value.trim() !== value
    ? [{ path, message: 'has white space around it: write the full name alone, such as orders-prod.a1b2c.' }]
    : text(value, path);

const secretRef: Check<SecretRef> = wordOr('created-by-stack', object<With<SecretRef, 'arn'>>({ arn: text }));
const fileOrSecret = {
  secret: object<With<ServiceTokensConfig, 'secret'>>({ secret: secretRef }),
  file: object<With<ServiceTokensConfig, 'file'>>({ file: text }),
};

const people: Check<People> = wordOr(
  'anyone-on-loopback',
  formOf(
    {
      email: object<With<People, 'email'>>({ email: text, issuer: optional(text) }),
      emailDomain: object<With<People, 'emailDomain'>>({ emailDomain: text, issuer: optional(text) }),
      claim: object<With<People, 'claim'>>({ claim: text, includes: text, issuer: optional(text) }),
      temporalCloudRole: object<With<People, 'temporalCloudRole'>>({
        temporalCloudRole: oneOf('read', 'write', 'admin'),
        issuer: optional(text),
      }),
      serviceToken: object<With<People, 'serviceToken'>>({ serviceToken: text }),
    },
    "{ email }, { emailDomain }, { claim, includes }, { temporalCloudRole }, { serviceToken } or 'anyone-on-loopback'",
  ),
);

const reach: Check<FrontReach> = wordOr(
  'internet',
  formOf(
    {
      addresses: object<With<FrontReach, 'addresses'>>({ addresses: listOf(text) }),
      vpcEndpoints: object<With<FrontReach, 'vpcEndpoints'>>({ vpcEndpoints: listOf(text) }),
    },
    "'internet', { addresses } or { vpcEndpoints }",
  ),
);

const front: Check<FrontConfig> = wordOr(
  'http-api',
  formOf(
    {
      type: object<RestApiConfig>({
        type: oneOf('rest-api'),
        reach,
        webAcl: nullable(object<NonNullable<RestApiConfig['webAcl']>>({ arn: text })),
        tracing: flag,
      }),
    },
    "'http-api' or { type: 'rest-api', reach, webAcl, tracing }",
  ),
);

/** Of an environment on AWS; what its values may be is checked where it is deployed. */
const deployment = object<DeploymentConfig>({
  target: nullable(object<NonNullable<DeploymentConfig['target']>>({ account: text, region: text })),
  onDelete: oneOf('retain', 'destroy'),
  terminationProtection: flag,
  logs: object<LogsConfig>({
    level: oneOf('DEBUG', 'INFO', 'WARN', 'ERROR'),
    retentionDays: number,
    auditRetentionDays: number,
    encryption: oneOf('aws', 'customer-managed'),
  }),
  throttling: object<ThrottlingConfig>({ rate: number, burst: number }),
  concurrency: object<ConcurrencyConfig>({ reserved: nullable(number), provisioned: nullable(number) }),
  front: optional(front),
  domain: nullable(
    object<DomainConfig>({
      name: text,
      certificateArn: text,
      hostedZone: nullable(object<NonNullable<DomainConfig['hostedZone']>>({ id: text, name: text })),
      keepDefaultEndpoint: flag,
    }),
  ),
  alarms: nullable(
    object<AlarmsConfig>({
      topic: nullable(secretRef),
      latencyP99Ms: optional(number),
      denials: optional(number),
      runbookUrl: optional(text),
      canary: optional(flag),
    }),
  ),
  tags: optional(textMap),
  helpUrl: optional(text),
});

const algorithms = listOf(oneOf('RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA'));

const audience: Check<string | readonly string[]> = (value, path) =>
  Array.isArray(value) ? listOf(text)(value, path) : text(value, path);

/** Of an issuer that is not OIDC: whoever misspells the type is told of both. */
const cloudType: Check<'temporal-cloud'> = (value, path) => oneOf('temporal-cloud', 'oidc')(value, path);

const issuer = formOfType<IssuerConfig>(
  {
    oidc: object<OidcIssuerConfig>({
      type: oneOf('oidc'),
      issuer: text,
      jwksUri: text,
      audience: nullable(audience),
      from: oneOf('authorization', 'authorization-extras'),
      algorithms: optional(algorithms),
      emailClaim: optional(text),
    }),
    'temporal-cloud': object<TemporalCloudIssuerConfig>({
      type: cloudType,
      issuer: optional(text),
      jwksUri: optional(text),
      audience: optional(text),
      emailClaim: optional(text),
    }),
  },
  'temporal-cloud',
);

/** Whose methods are looked at beside the form, so that a codec that is missing is named once. */
const anything: Check<CustomCodecConfig['codec']> = () => [];
const customCodecForm = object<CustomCodecConfig>({ codec: anything, namespaces: optional(listOf(namespace)) });
const customCodec: Check<CustomCodecConfig> = (value, path) => {
  const codec = (value as { codec?: { encode?: unknown; decode?: unknown } } | null)?.codec;
  const works = typeof codec?.encode === 'function' && typeof codec.decode === 'function';
  const message = 'is not a PayloadCodec: it needs the methods encode and decode.';
  return [...customCodecForm(value, path), ...(works ? [] : [{ path: `${path}.codec`, message }])];
};

const configuration = object<Configuration>({
  version: optional(number),
  defaultNamespace: nullable(namespace),
  cors: object<CorsConfig>({ origins: listOf(text), credentials: flag }),
  failures: oneOf('explain', 'return-encoded', 'reject'),
  explainTo: optional(oneOf('browsers', 'browsers-and-cli')),
  plaintext: optional(oneOf('accept', 'refuse')),
  compression: nullable(oneOf('zstd', 'zlib')),
  identity: nullable(
    object<IdentityConfig>({
      issuers: listOf(issuer),
      serviceTokens: nullable(formOf(fileOrSecret, '{ secret } or { file }')),
      temporalCloudRoles: optional(
        nullable(
          object<TemporalCloudRolesConfig>({
            apiKey: formOf(fileOrSecret, '{ secret } or { file }'),
            endpoint: optional(text),
            cacheSeconds: optional(number),
          }),
        ),
      ),
      signIn: optional(
        nullable(
          object<SignInConfig>({
            issuer: text,
            clientId: text,
            clientSecret: nullable(formOf(fileOrSecret, '{ secret }, { file } or null')),
            publicUrl: text,
            sessionKeys: formOf(fileOrSecret, '{ secret } or { file }'),
            scopes: optional(listOf(text)),
            emailClaim: optional(text),
            algorithms: optional(algorithms),
            absoluteSeconds: optional(number),
            idleSeconds: optional(number),
            whenBoth: optional(oneOf('token', 'session')),
          }),
        ),
      ),
      clockLeewaySeconds: optional(number),
    }),
  ),
  access: listOf(
    object<AccessRule>({
      name: text,
      namespaces: listOf(namespace),
      people: listOf(people),
      allow: listOf(oneOf('decode', 'encode')),
    }),
  ),
  codecs: optional(listOf(customCodec)),
  limits: optional(
    object<Partial<Limits>>({
      bodyBytes: optional(number),
      payloads: optional(number),
      layers: optional(number),
      inflatedBytes: optional(number),
    }),
  ),
  keys: object<KeysConfig>({
    keyring: nullable(object<LocalKeyringConfig>({ file: text, namespaces: optional(listOf(namespace)) })),
    keyringSecret: optional(
      nullable(object<KeyringSecretConfig>({ secret: secretRef, namespaces: listOf(namespace) })),
    ),
    kms: nullable(
      listOf(
        object<KmsKeyConfig>({
          namespaces: listOf(namespace),
          write: nullable(text),
          read: optional(listOf(text)),
          assumeRole: optional(text),
          foreignFormats: optional(
            listOf(oneOf('temporal-proxy', 'temporal-cloud-proxy', 'kms-python-sample', 'kms-java-sample', 'stdgo')),
          ),
          keyUriContexts: optional(listOf(textMap)),
        }),
      ),
    ),
    staticKeys: nullable(
      formOf(
        {
          ...fileOrSecret,
          samplesTestKey: object<With<StaticKeysConfig, 'samplesTestKey'>>({ samplesTestKey: isTrue }),
        },
        '{ secret }, { file } or { samplesTestKey: true }',
      ),
    ),
    cache: optional(
      object<Partial<DataKeyCacheConfig>>({
        maxKeys: optional(number),
        ttlSeconds: optional(number),
        writeSeconds: optional(number),
        outageSeconds: optional(number),
        maxMessages: optional(number),
        maxBytes: optional(number),
      }),
    ),
  }),
  storage: optional(
    nullable(
      object<StorageConfig>({
        buckets: listOf(
          object<StorageBucketConfig>({
            bucket: text,
            region: optional(text),
            namespaces: listOf(namespace),
            write: optional(flag),
            driverNames: optional(listOf(text)),
            owner: optional(text),
            encryptionKey: optional(text),
            expireAfterDays: optional(nullable(number)),
          }),
        ),
        storeFromBytes: optional(number),
        limits: optional(
          object<Partial<StorageLimits>>({
            objectBytes: optional(number),
            requestBytes: optional(number),
            parallel: optional(number),
          }),
        ),
      }),
    ),
  ),
  deployment: optional(deployment),
});

/** Problems of form; empty when every field is there, known, and of its type. */
export function checkShape(config: unknown): Problem[] {
  return configuration(config, '');
}
