/**
 * Reads the errors of AWS clients: what kind of failure it is, by the name of the exception, the
 * status, or the code of a network error. Messages are never read, and never passed on.
 */
import type { KmsFaultKind } from './kms/kms-api.ts';

const KINDS: Readonly<Record<string, KmsFaultKind>> = {
  AccessDeniedException: 'access-denied',
  AccessDenied: 'access-denied',
  UnrecognizedClientException: 'access-denied',
  InvalidSignatureException: 'access-denied',
  IncompleteSignature: 'access-denied',
  InvalidClientTokenId: 'access-denied',
  MissingAuthenticationToken: 'access-denied',
  NotAuthorized: 'access-denied',
  OptInRequired: 'access-denied',
  CredentialsProviderError: 'no-credentials',
  ProviderError: 'no-credentials',
  InvalidKeyUsageException: 'access-denied',
  UnsupportedOperationException: 'access-denied',
  DisabledException: 'disabled',
  KMSInvalidStateException: 'disabled',
  NotFoundException: 'disabled',
  InvalidCiphertextException: 'invalid-ciphertext',
  IncorrectKeyException: 'incorrect-key',
  ThrottlingException: 'throttled',
  Throttling: 'throttled',
  ThrottledException: 'throttled',
  TooManyRequestsException: 'throttled',
  RequestLimitExceeded: 'throttled',
  LimitExceededException: 'throttled',
  SlowDown: 'throttled',
  KeyUnavailableException: 'unreachable',
  DependencyTimeoutException: 'unreachable',
  KMSInternalException: 'unreachable',
  InternalFailure: 'unreachable',
  InternalServiceError: 'unreachable',
  ServiceUnavailable: 'unreachable',
  ExpiredToken: 'unreachable',
  ExpiredTokenException: 'unreachable',
  RequestExpired: 'unreachable',
  RequestTimeTooSkewed: 'unreachable',
  TimeoutError: 'timed-out',
  RequestTimeout: 'timed-out',
  AbortError: 'timed-out',
};

/**
 * Time limits of an AWS client, for a call that has nobody else to end it. The client alone would only warn of an answer
 * that does not come, on the console, and whoever asks next would wait for the same call: a connection that died while a
 * function was frozen says nothing any more.
 *
 * @param ms milliseconds without an answer, and between two parts of one
 */
export function awsTimeouts(ms: number) {
  return { connectionTimeout: 1000, requestTimeout: ms, throwOnRequestTimeout: true, socketTimeout: ms };
}

/** What to do where an AWS client found no credentials to sign with: nobody was asked, so nobody refused. */
export const NO_CREDENTIALS =
  'this process has no AWS credentials: set AWS_PROFILE (and sign in with aws sso login), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';

/** What an error of an AWS client means, and the name under which the log may have it. */
export function readAwsFault(error: unknown): { readonly kind: KmsFaultKind; readonly awsName: string } {
  const { name, code, status, throttling } = fieldsOf(error);
  const kind = KINDS[name] ?? (throttling || status === 429 ? 'throttled' : undefined);
  if (kind !== undefined) return { kind, awsName: loggableName(name) };
  if (code !== undefined)
    return { kind: code === 'ETIMEDOUT' ? 'timed-out' : 'unreachable', awsName: loggableName(code) };
  if (status === undefined || status >= 500 || status < 400)
    return { kind: 'unreachable', awsName: loggableName(status === undefined ? name : `${name} ${status}`) };
  // A request that is refused as such: for our requests the wrapped key and the context are all that varies.
  return { kind: 'invalid-ciphertext', awsName: loggableName(name) };
}

function fieldsOf(error: unknown) {
  const it = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: unknown };
    readonly $retryable?: { readonly throttling?: unknown };
    readonly $response?: { readonly statusCode?: unknown };
  };
  const status = it.$metadata?.httpStatusCode ?? it.$response?.statusCode;
  return {
    name: typeof it.name === 'string' ? it.name : 'Error',
    code: typeof it.code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(it.code) ? it.code : undefined,
    status: typeof status === 'number' ? status : undefined,
    throttling: it.$retryable?.throttling === true,
  };
}

/** A name is a word of at most sixty letters; anything else is not a name, and stays out of the log. */
function loggableName(name: string): string {
  return /^[A-Za-z][A-Za-z0-9_.# -]{0,59}$/.test(name) ? name : 'unnamed error';
}
