/**
 * Every way in which the codec fails, in one place. Messages say what is wrong in the field's words
 * and never contain payload bytes, key bytes, or text that came from a remote service.
 */

/**
 * Why a payload stays closed. For the log, the audit line and the metrics: a caller only ever
 * learns that it cannot be opened.
 *
 * - `malformed`: the bytes are not a valid message of the format they claim to be
 * - `not-authentic`: a tag, a commitment or a signature does not verify
 * - `unknown-key`: it names no key that this server is configured to use
 * - `format-not-configured`: its key unwraps no data keys of its format, or none of the encryption context it names
 * - `wrong-namespace`: its key belongs to another namespace than the one it is read in
 * - `wrong-context`: the key service refuses the encryption context or the wrapped key
 * - `key-access-denied`: the key service does not let this server use the key
 * - `key-disabled`: the key is disabled, pending deletion or deleted
 * - `too-large`: it inflates past the limit
 * - `too-many-layers`: it is nested deeper than the limit
 * - `custom-codec`: a codec of the configuration failed
 * - `not-encrypted`: it needs no key, where plain payloads are refused
 *
 * And of what a reference to external storage refers to:
 *
 * - `reference-malformed`: it does not say, in the way of the official drivers, where the payload is
 * - `storage-not-read`: it is in Google Cloud Storage, and S3 alone is read
 * - `storage-not-listed`: its bucket is none that the configuration lists for the namespace
 * - `object-missing`: there is no such object
 * - `object-access-denied`: S3 does not let this server read it
 * - `object-altered`: its SHA-256 is not the reference's
 * - `object-too-large`: it is larger than the limits, or than what one answer can hold
 * - `object-unbound`: neither it nor its key nor its bucket says which namespace it belongs to
 */
export type CannotOpenCause =
  | StorageCause
  | 'malformed'
  | 'not-authentic'
  | 'unknown-key'
  | 'format-not-configured'
  | 'wrong-namespace'
  | 'wrong-context'
  | 'key-access-denied'
  | 'key-disabled'
  | 'too-large'
  | 'too-many-layers'
  | 'custom-codec'
  | 'not-encrypted';

/** Why what a reference refers to stays closed. */
export type StorageCause =
  | 'reference-malformed'
  | 'storage-not-read'
  | 'storage-not-listed'
  | 'object-missing'
  | 'object-access-denied'
  | 'object-altered'
  | 'object-too-large'
  | 'object-unbound';

/**
 * Marks the codec's errors across copies of this package: a worker's process has the codec as an ES
 * module or CommonJS, and the failure converter loaded by its path.
 */
export const CODEC_ERROR: unique symbol = Symbol.for('temporal-codec-server/error') as never;

/**
 * What an error of the codec said when it was made. A program may put words of its own into its message, as
 * `ApplicationFailure.fromError` does, and those may be secret.
 */
export const CODEC_ERROR_TEXT: unique symbol = Symbol.for('temporal-codec-server/error-text') as never;

/** Base of the codec's errors, so that a caller can tell them from bugs. */
export class CodecError extends Error {
  override readonly name: string = 'CodecError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    Object.defineProperty(this, CODEC_ERROR_TEXT, { value: message });
  }

  /** @internal */
  get [CODEC_ERROR](): true {
    return true;
  }
}

/** One payload cannot be opened (or a key cannot be used), and trying again will not help. */
export class CannotOpenError extends CodecError {
  override readonly name: string = 'CannotOpenError';
  readonly reason: CannotOpenCause;

  constructor(reason: CannotOpenCause, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The bytes are not what their format prescribes. */
export class MalformedPayloadError extends CannotOpenError {
  override readonly name: string = 'MalformedPayloadError';

  constructor(message: string) {
    super('malformed', message);
  }
}

/**
 * Why something is unavailable for now. `unusable`: what a service or file holds was reached and is not
 * what it must be, or may not be read; somebody has to mend it.
 */
export type UnavailableCause = 'throttled' | 'unreachable' | 'timed-out' | 'unusable';

/** What every error has in common that says: a service cannot answer now, and may in a moment. A 503, never a refusal. */
export abstract class UnavailableError extends CodecError {
  override readonly name: string = 'UnavailableError';
  /** The service, for the audit line and the metrics. */
  abstract readonly dependency: string;
  /** Undefined where nobody asks why. */
  abstract readonly reason: UnavailableCause | undefined;
  /** Seconds after which a retry makes sense. */
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The service behind a key or a secret cannot answer now. */
export class KeyUnavailableError extends UnavailableError {
  override readonly name: string = 'KeyUnavailableError';
  readonly reason: UnavailableCause;
  readonly dependency: 'kms' | 'secrets';

  constructor(
    reason: UnavailableCause,
    message: string,
    retryAfterSeconds = 1,
    options?: ErrorOptions & { readonly dependency?: 'kms' | 'secrets' },
  ) {
    super(message, retryAfterSeconds, options);
    this.reason = reason;
    this.dependency = options?.dependency ?? 'kms';
  }
}

/** One request needs more data keys than it may have fetched: its payloads have to come in several requests. */
export class TooManyKeysError extends CodecError {
  override readonly name: string = 'TooManyKeysError';

  constructor() {
    super('the payloads of the request need too many different data keys');
  }
}

/** A namespace has no key to write with, or may not be written. */
export class CannotEncodeError extends CodecError {
  override readonly name: string = 'CannotEncodeError';
  /** Why the key service refuses the key that would write; undefined when there is no such key. */
  readonly reason: CannotOpenCause | undefined;

  constructor(message: string, reason?: CannotOpenCause, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * A document of keys (a keyring, a file or secret of static keys) is not what it must be. The message
 * names the place, such as `keys[1].key`, and never repeats what is written there.
 */
export class KeyDocumentError extends CodecError {
  override readonly name: string = 'KeyDocumentError';
}

/** Why a file with secrets cannot be used. */
export type PrivateFileProblem = 'missing' | 'not-private' | 'unreadable' | 'malformed' | 'not-writable' | 'busy';

/** A file with secrets, such as a keyring, cannot be used. The message is one sentence for the person who started the program. */
export class PrivateFileError extends CodecError {
  override readonly name: string = 'PrivateFileError';
  readonly problem: PrivateFileProblem;
  /** The file, as it was named. */
  readonly path: string;

  constructor(problem: PrivateFileProblem, path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
    this.path = path;
  }
}

/** The options of a codec are wrong: a mistake of the program that makes it, told at once. */
export class CodecOptionsError extends CodecError {
  override readonly name: string = 'CodecOptionsError';
}
