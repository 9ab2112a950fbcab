/**
 * What the server and its stack have to call by the same names: the metrics that the one writes (CloudWatch embedded
 * metric format) and the other's alarms and dashboard read, and the event of the canary.
 */

/** What the canary's schedule sends in place of an HTTP request. No gateway can make such an event of a request. */
export const CANARY_EVENT = { codecServer: 'canary' } as const;

/** The CloudWatch namespace of every metric here. */
export const METRIC_NAMESPACE = 'TemporalCodecServer';

/** The one dimension: the environment's name. */
export const METRIC_DIMENSION = 'Environment';

/** Names of the metrics; counts unless said otherwise. */
export const METRICS = {
  /**
   * Requests that were served, and requests that should have been and were not; answers of 5xx apart,
   * which the gateway counts together with its own. Written with zeros, each with every request.
   */
  served: 'Served',
  notServed: 'NotServed',
  /** Milliseconds from the request's arrival in the pipeline to its answer. */
  duration: 'Duration',
  /** Requests without a valid identity. */
  unauthenticated: 'Unauthenticated',
  /** Payloads by outcome. */
  decoded: 'PayloadsDecoded',
  encoded: 'PayloadsEncoded',
  unchanged: 'PayloadsUnchanged',
  denied: 'PayloadsDenied',
  cannotOpen: 'PayloadsNotOpened',
  /** Of those not opened: KMS does not let the function use the key. */
  keyAccessDenied: 'KeyAccessDenied',
  /** Of those not opened: the key is disabled, pending deletion or deleted. */
  keyDisabled: 'KeyDisabled',
  keyCacheHits: 'KeyCacheHits',
  keyCacheMisses: 'KeyCacheMisses',
  /** Requests answered 503 because a dependency could not answer. */
  kmsUnavailable: 'KmsUnavailable',
  jwksUnavailable: 'JwksUnavailable',
  secretsUnavailable: 'SecretsUnavailable',
  cloudOpsUnavailable: 'CloudOpsUnavailable',
  storageUnavailable: 'StorageUnavailable',
  /** The identity provider, which people sign in at. */
  providerUnavailable: 'ProviderUnavailable',
  /** Exchanges that the identity provider refused, but for people who declined: a client secret that is over, for example. */
  providerRefused: 'ProviderRefused',
  /** Questions of the canary that the server could not have served; a zero for each that it could. */
  canaryFailed: 'CanaryFailed',
  /** Fetches of an issuer's key set that failed. */
  jwksFetchFailures: 'JwksFetchFailures',
  /** Questions to the Cloud Ops API (a page each) that failed. */
  roleLookupFailures: 'RoleLookupFailures',
  /** Readings of a secret, or of a file of one, that brought something that cannot be used. */
  secretsUnusable: 'SecretsUnusable',
  /** Calls of KMS, and the milliseconds that they took together. */
  kmsCalls: 'KmsCalls',
  kmsDuration: 'KmsDuration',
  /** Calls that KMS throttled, or did not answer (in time). */
  kmsThrottled: 'KmsThrottled',
  kmsUnreachable: 'KmsUnreachable',
} as const;

export type MetricName = (typeof METRICS)[keyof typeof METRICS];
