/**
 * The configuration of a codec server: one typed file per environment, checked as a whole.
 *
 * For every security choice, leaving a field out means it was forgotten, and is an error; `null`
 * means that it was declined, in writing.
 */
import type { DataKeyCacheBounds } from '../codec/keys/cache/data-key-cache.ts';
import type { ForeignKmsFormat, KeyUriContext } from '../codec/keys/kms/foreign-formats.ts';

/** The form of configuration that this release reads. It counts up where a file has to change; new fields have defaults. */
export const CONFIG_VERSION = 1;

/** What every environment has, local or deployed. */
export interface CodecServerConfig {
  /**
   * The form of configuration that the file was written in, {@link CONFIG_VERSION} of its release: an older release then
   * says that it is too old, instead of naming fields that it does not know. Default: the form of this release.
   */
  readonly version?: number;
  /**
   * The namespace assumed when a request names none. `null`: none; `/encode` then answers 400, since
   * what cannot be bound to a namespace is not encoded.
   */
  readonly defaultNamespace: string | null;
  readonly cors: CorsConfig;
  /** How `/decode` answers for a payload that may not or cannot be opened. */
  readonly failures: FailuresSetting;
  /** Who gets the explanation of `failures: 'explain'`. Default: `browsers`. Never service tokens. */
  readonly explainTo?: 'browsers' | 'browsers-and-cli';
  /**
   * How `/decode` answers for a payload that needed no key anywhere, which whoever reaches Temporal can write. `accept`, the
   * default, returns it; `refuse` treats it as one that cannot be opened.
   */
  readonly plaintext?: PlaintextSetting;
  /** Compression before encryption, where it saves bytes. `null`: none. */
  readonly compression: 'zstd' | 'zlib' | null;
  /** Who callers are. `null`: nobody is asked; only a server on a loopback address may run so. */
  readonly identity: IdentityConfig | null;
  /** Who may do what. Rules only allow; no rule means nobody. */
  readonly access: readonly AccessRule[];
  /** Codecs of your own, in front of ours: they encode before it and decode after it. */
  readonly codecs?: readonly CustomCodecConfig[];
  readonly limits?: Partial<Limits>;
  readonly keys: KeysConfig;
  /** Where large payloads live outside of Temporal. `null` or left out: nowhere, and `/download` answers 404. */
  readonly storage?: StorageConfig | null;
}

/** External storage: the SDKs leave references in history, and the payloads are in S3. */
export interface StorageConfig {
  /** The buckets, and no other is ever read or written. The first entry that covers a namespace and writes is written to. */
  readonly buckets: readonly StorageBucketConfig[];
  /** Bytes of an encoded payload from which `/encode` stores it, where a bucket writes. Default 262,144, as in the SDKs. */
  readonly storeFromBytes?: number;
  readonly limits?: Partial<StorageLimits>;
}

/** Pairs a bucket with namespaces. */
export interface StorageBucketConfig {
  /**
   * The bucket's name, or the one that the stack makes; or the ARN of an access point in its place, a Multi-Region one
   * too, where workers' drivers name that.
   */
  readonly bucket: 'created-by-stack' | (string & {});
  /** Its Region. Left out for the stack's bucket and for an access point, whose ARN names it. */
  readonly region?: string;
  /** Full namespace names whose payloads are in it, with `*` for any run of characters. */
  readonly namespaces: readonly string[];
  /** Whether `/encode` stores in it, for people in browsers and never for a service token. Default: no. */
  readonly write?: boolean;
  /** Names under which workers registered their S3 driver. Default `['aws.s3driver']`. */
  readonly driverNames?: readonly string[];
  /** The account that must own the bucket, 12 digits. Default: not asked. */
  readonly owner?: string;
  /** ARN of the KMS key with which S3 encrypts the bucket, where it is a key of your own. */
  readonly encryptionKey?: string;
  /** Days after which objects of the stack's bucket are deleted. `null` or left out: never. */
  readonly expireAfterDays?: number | null;
}

/** Bounds of what is read from external storage, or written to it. */
export interface StorageLimits {
  /** Bytes of one object. Default 52,428,800, which is what the drivers write at most; less where an answer holds less. */
  readonly objectBytes: number;
  /** Bytes of all objects of one request. Default 67,108,864. */
  readonly requestBytes: number;
  /** Objects read or written at a time, of all requests together. Default 8. */
  readonly parallel: number;
}

/** Which keys serve which namespaces. Every kind that is `null` was declined, in writing. */
export interface KeysConfig {
  /** A keyring file on this machine: the local server, and workers without AWS. Refused on AWS. */
  readonly keyring: LocalKeyringConfig | null;
  /**
   * The same document in Secrets Manager, for namespaces whose data keys KMS should not be asked for. Writes where no KMS
   * key covers the namespace. Left out or `null`: none.
   */
  readonly keyringSecret?: KeyringSecretConfig | null;
  /** KMS keys. The first entry that covers a namespace writes it; every entry that covers it may read. */
  readonly kms: readonly KmsKeyConfig[] | null;
  /** Static keys of the sample formats, for reading what was written before. */
  readonly staticKeys: StaticKeysConfig | null;
  readonly cache?: Partial<DataKeyCacheConfig>;
}

export interface LocalKeyringConfig {
  /** Path, relative to the working directory. Made on first start, readable by its owner alone. */
  readonly file: string;
  /** Namespaces it serves, with `*`. Default: all. */
  readonly namespaces?: readonly string[];
}

/** A keyring that everybody who may read the secret has: KMS no longer enforces the namespace. */
export interface KeyringSecretConfig {
  readonly secret: SecretRef;
  /** Full names of the namespaces it serves, with `*`. */
  readonly namespaces: readonly string[];
}

/** Pairs namespaces with KMS keys. */
export interface KmsKeyConfig {
  /** Full namespace names, with `*` for any run of characters. */
  readonly namespaces: readonly string[];
  /** ARN of the key that wraps new data keys, or the key that the stack makes. `null`: these namespaces are only read. */
  readonly write: 'created-by-stack' | (string & {}) | null;
  /** ARNs of further keys that may unwrap: rotated, migrated, replicas in other Regions. */
  readonly read?: readonly string[];
  /** ARN of a role to assume for these keys, where another account owns them. */
  readonly assumeRole?: string;
  /**
   * Formats of others whose data keys these keys wrap as well. What is not named is not read. A format that
   * binds its payloads to no namespace is refused with a key that serves more than one.
   */
  readonly foreignFormats?: readonly ForeignKmsFormat[];
  /**
   * Encryption contexts that key URIs of temporal-proxy name with `context_` parameters, each in full:
   * `[{ tenant: 'blue' }]` for `context_tenant=blue`. Default: none, so that only URIs without are read.
   */
  readonly keyUriContexts?: readonly KeyUriContext[];
}

export type { ForeignKmsFormat, KeyUriContext };

export type StaticKeysConfig =
  /** Secrets Manager: `{"keys":[{"id","key","namespaces"}]}`, `key` base64 of 32 bytes. */
  | { readonly secret: SecretRef }
  /** The same JSON in a file readable by its owner alone; local only. */
  | { readonly file: string }
  /** The public test key of Temporal's samples; local only, refused anywhere else. */
  | { readonly samplesTestKey: true };

/** Bounds of the data-key cache. */
export type DataKeyCacheConfig = DataKeyCacheBounds;

export interface CorsConfig {
  /** Exact origins of the Web UIs that may call, such as `https://cloud.temporal.io`; no wildcard. */
  readonly origins: readonly string[];
  /** Whether browsers may send cookies ("Include cross-origin credentials"). */
  readonly credentials: boolean;
}

/**
 * - `explain`: browsers get a `json/plain` payload that says why in one sentence; everyone else the original
 * - `return-encoded`: everyone gets the original
 * - `reject`: the request fails with 403 or 422
 */
export type PlaintextSetting = 'accept' | 'refuse';

export type FailuresSetting = 'explain' | 'return-encoded' | 'reject';

/** Limits on a request. What it holds is counted before anything is decrypted. */
export interface Limits {
  /** Bytes of a request body. Default 4,000,000 on Lambda (its event is 6 MiB with the body escaped inside), 16,000,000 locally. */
  readonly bodyBytes: number;
  /** Payloads in a request. Default 1,000 on Lambda, 10,000 locally. */
  readonly payloads: number;
  /** Envelopes nested in one another. Default 8. */
  readonly layers: number;
  /** Bytes that decompression may produce in one request. Default 32 MiB. */
  readonly inflatedBytes: number;
}

/** How callers prove who they are. */
export interface IdentityConfig {
  /** Token issuers; may be empty when there are service tokens. */
  readonly issuers: readonly IssuerConfig[];
  /** Named tokens for the CLI's `--codec-auth` and for remote codecs. `null`: none. */
  readonly serviceTokens: ServiceTokensConfig | null;
  /** Where rules with `temporalCloudRole` ask for roles. Needed by those rules alone; `null` or left out: nowhere. */
  readonly temporalCloudRoles?: TemporalCloudRolesConfig | null;
  /** The server's own sign-in for people, beside tokens. `null` or left out: none, and nothing of it is deployed. */
  readonly signIn?: SignInConfig | null;
  /** Seconds by which clocks may differ. Default 30. */
  readonly clockLeewaySeconds?: number;
}

/** Sign-in at the team's OpenID Connect provider, kept by a sealed cookie. Needs `cors.credentials: true`. */
export interface SignInConfig {
  /** The provider's issuer, exactly as in its tokens. Its discovery document is read from there. */
  readonly issuer: string;
  readonly clientId: string;
  /** The client's secret: the secret's (or the file's) text, alone. `null`: a public client, by PKCE alone. */
  readonly clientSecret: { readonly secret: SecretRef } | { readonly file: string } | null;
  /**
   * Where browsers reach this server, such as `https://codec.example.com`: scheme and host alone, without slash at
   * the end. The provider has to know `<publicUrl>/callback` as a redirect address.
   */
  readonly publicUrl: string;
  /** What seals the cookies: `{"key":"…","validFrom":"…"}`. The stack fills its secret; a file is made at first start. */
  readonly sessionKeys: { readonly secret: SecretRef } | { readonly file: string };
  /** What is asked of the provider. Default `['openid', 'email', 'profile']`. */
  readonly scopes?: readonly string[];
  /** Default `email`. */
  readonly emailClaim?: string;
  /** Signature algorithms of ID tokens. Default `['RS256']`. */
  readonly algorithms?: OidcIssuerConfig['algorithms'];
  /** Seconds after which people sign in anew, whatever they do. Default 28,800 (8 hours), at most 86,400. */
  readonly absoluteSeconds?: number;
  /** Seconds without a request after which a session ends. Default 3,600. */
  readonly idleSeconds?: number;
  /** What decides when a request has a token and a session. Default: the token. */
  readonly whenBoth?: 'token' | 'session';
}

/** The Temporal Cloud account whose roles count, asked through the Cloud Ops API. */
export interface TemporalCloudRolesConfig {
  /**
   * An API key of a service account with the account role Read-Only: the secret's (or the file's) text, alone.
   * The file is for local use and readable by its owner alone.
   */
  readonly apiKey: { readonly secret: SecretRef } | { readonly file: string };
  /** Default `https://saas-api.tmprl.cloud`. */
  readonly endpoint?: string;
  /** Seconds that an answer is kept: how long a role that was taken away still reads. Default 300. */
  readonly cacheSeconds?: number;
}

export type IssuerConfig = TemporalCloudIssuerConfig | OidcIssuerConfig;

/** Temporal Cloud's own tokens. Every customer's users hold one that verifies: rules decide who is yours. */
export interface TemporalCloudIssuerConfig {
  readonly type: 'temporal-cloud';
  /** Default `https://login.tmprl.cloud/`. */
  readonly issuer?: string;
  /** Default `https://login.tmprl.cloud/.well-known/jwks.json`. */
  readonly jwksUri?: string;
  /** Default `https://saas-api.tmprl.cloud`. */
  readonly audience?: string;
  /** Default `https://saas-api.tmprl.cloud/user/email`. */
  readonly emailClaim?: string;
}

/** An OpenID Connect issuer, for self-hosted clusters. */
export interface OidcIssuerConfig {
  readonly type: 'oidc';
  /** Exactly as in the token's `iss`, trailing slash included. */
  readonly issuer: string;
  readonly jwksUri: string;
  /** Accepted audiences: the API's for an access token, the UI's client id for an ID token. `null`: any, in writing. */
  readonly audience: string | readonly string[] | null;
  /** The header that carries the token. */
  readonly from: 'authorization' | 'authorization-extras';
  /** Signature algorithms. Default `['RS256']`. */
  readonly algorithms?: readonly ('RS256' | 'RS384' | 'RS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA')[];
  /** Default `email`. */
  readonly emailClaim?: string;
}

/** Where the SHA-256 digests of service tokens are kept: a Secrets Manager secret or, locally, a file. */
export type ServiceTokensConfig = { readonly secret: SecretRef } | { readonly file: string };

/** A secret that the stack creates, or an existing one by ARN. */
export type SecretRef = 'created-by-stack' | { readonly arn: string };

/** Allows some people to do something in some namespaces. */
export interface AccessRule {
  /** For people: shown by `check-config`, and to someone denied who asks which rule to be added to. */
  readonly name: string;
  /** Full namespace names (`orders-prod.a1b2c`), with `*` for any run of characters. */
  readonly namespaces: readonly string[];
  readonly people: readonly People[];
  readonly allow: readonly Operation[];
}

export type Operation = 'decode' | 'encode';

/**
 * Whom a rule is about. `issuer`, spelled exactly as in `identity`, says whose word is believed; it must be given where
 * people of several issuers call.
 */
export type People =
  | { readonly email: string; readonly issuer?: string }
  | { readonly emailDomain: string; readonly issuer?: string }
  /** A claim that equals or (an array) includes a value, in which `{namespace}` stands for the namespace. */
  | { readonly claim: string; readonly includes: string; readonly issuer?: string }
  /** A Temporal Cloud role on the namespace, at least as high as this. */
  | { readonly temporalCloudRole: 'read' | 'write' | 'admin'; readonly issuer?: string }
  | { readonly serviceToken: string }
  /** Whoever can reach a server on a loopback address; nobody on any other. */
  | 'anyone-on-loopback';

/** A payload as Temporal's TypeScript SDK hands it to codecs. */
interface SdkPayload {
  metadata?: { [key: string]: Uint8Array } | null;
  data?: Uint8Array | null;
}

/** What every `PayloadCodec` of Temporal's TypeScript SDK has; written out, so that a CDK app needs no SDK for its types. */
interface SdkPayloadCodec {
  encode(payloads: SdkPayload[]): Promise<SdkPayload[]>;
  decode(payloads: SdkPayload[]): Promise<SdkPayload[]>;
}

/** A codec of your own. */
export interface CustomCodecConfig {
  readonly codec: SdkPayloadCodec;
  /** Namespaces it applies to, with `*`. Default: all. */
  readonly namespaces?: readonly string[];
}
