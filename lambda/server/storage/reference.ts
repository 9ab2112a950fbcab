/**
 * References to external storage: what the SDKs leave in history in place of a large payload. Two
 * forms exist, and both are read; written is the current one.
 *
 * - `json/protobuf` with the message type below: `{"driverName","claimData":{…}}`
 * - `json/external-storage-reference`, of earlier pre-releases: `{"driver_name","driver_claim":{"claim_data":{…}}}`
 *
 * The claim of the S3 drivers names bucket, key and SHA-256; Go and Python write `hash_algorithm`,
 * TypeScript writes `hashAlgorithm`.
 *
 * @see https://docs.temporal.io/external-storage
 */

import type { DecodeOutcome } from '../../../codec/decode.ts';
import { CannotOpenError } from '../../../codec/errors.ts';
import { asBuffer, ENCODING, metadataOf, metadataText, type Payload } from '../../../codec/payload.ts';

/** Where a payload is, and the hash that proves that it is the one. */
export interface StorageReference {
  /** The driver instance's routing name, `aws.s3driver` unless a worker chose another. */
  readonly driverName: string;
  readonly bucket: string;
  readonly key: string;
  /** SHA-256 of the object, 64 lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** The name that official S3 drivers go by unless they are told another. */
export const S3_DRIVER = 'aws.s3driver';

const REFERENCE_ENCODING = 'json/protobuf';
const REFERENCE_TYPE = 'temporal.api.sdk.v1.ExternalStorageReference';
const LEGACY_ENCODING = 'json/external-storage-reference';

/** The name that official drivers for Google Cloud Storage go by unless they are told another. */
const GCS_DRIVER = 'gcp.gcsdriver';

/** A reference is a name, a bucket, a key of at most 1,024 bytes and a hash; this is several times that. */
const MOST_BYTES = 16_384;

/** Whether a payload is a reference, in either form. What it says is another question. */
export function isStorageReference(payload: Payload): boolean {
  const length = payload.metadata[ENCODING]?.length;
  if (length === LEGACY_ENCODING.length) return metadataText(payload, ENCODING) === LEGACY_ENCODING;
  return (
    length === REFERENCE_ENCODING.length &&
    metadataText(payload, ENCODING) === REFERENCE_ENCODING &&
    metadataText(payload, 'messageType') === REFERENCE_TYPE
  );
}

/**
 * Reads a reference; call it for what {@link isStorageReference} says is one. Unknown fields are
 * skipped, as proto3 JSON readers do.
 *
 * @throws CannotOpenError `reference-malformed`, when it does not say where the payload is, and its hash;
 *   `storage-not-read`, when that is not in S3
 */
export function readReference(payload: Payload): StorageReference {
  if (payload.data.length > MOST_BYTES) throw malformed('it is too long');
  let json: unknown;
  try {
    json = JSON.parse(asBuffer(payload.data).toString('utf8'));
  } catch {
    throw malformed('it is not JSON');
  }
  const legacy = fieldOf(json, 'driver_claim');
  const claim = legacy === undefined ? fieldOf(json, 'claimData', 'claim_data') : fieldOf(legacy, 'claim_data');
  if (isInGoogleCloudStorage(json, claim))
    throw new CannotOpenError('storage-not-read', 'the payload is in Google Cloud Storage');
  const algorithm = textOf(claim, 'hash_algorithm', 'hashAlgorithm');
  const sha256 = textOf(claim, 'hash_value', 'hashValue');
  if (algorithm !== 'sha256' || !/^[0-9a-f]{64}$/.test(sha256)) throw malformed('it names no SHA-256');
  return {
    driverName: textOf(json, 'driverName', 'driver_name'),
    bucket: textOf(claim, 'bucket'),
    key: textOf(claim, 'key'),
    sha256,
  };
}

/** Python and TypeScript call the object by these names; Go's claim is an S3 one but for the driver's name. */
function isInGoogleCloudStorage(json: unknown, claim: unknown): boolean {
  const isNamed = fieldOf(json, 'driverName', 'driver_name') === GCS_DRIVER;
  return isNamed || (fieldOf(claim, 'key') === undefined && fieldOf(claim, 'object', 'object_name') !== undefined);
}

/** Whether what became of a payload is a reference. */
export function isReference(outcome: DecodeOutcome): outcome is Extract<DecodeOutcome, { payload: Payload }> {
  return (outcome.kind === 'decoded' || outcome.kind === 'unchanged') && isStorageReference(outcome.payload);
}

/**
 * Where no external storage is read, references stay what they are, as a worker's remote codec needs them; but nobody is left to
 * take a reference to what is never read here for the payload.
 */
export function withoutForeignReferences(outcomes: DecodeOutcome[]): DecodeOutcome[] {
  if (!outcomes.some(isReference)) return outcomes;
  return outcomes.map((outcome): DecodeOutcome => {
    if (!isReference(outcome)) return outcome;
    try {
      readReference(outcome.payload);
    } catch (error) {
      if (error instanceof CannotOpenError && error.reason === 'storage-not-read')
        return { kind: 'cannot-open', reason: error.reason, namespace: undefined };
    }
    return outcome;
  });
}

/** Writes a reference in the current form, as the official drivers do. @param bytes of the object */
export function writeReference(reference: StorageReference, bytes: number): Payload {
  const { driverName, bucket, key, sha256 } = reference;
  const claimData = { bucket, key, hash_algorithm: 'sha256', hash_value: sha256 };
  return {
    metadata: metadataOf({ encoding: REFERENCE_ENCODING, messageType: REFERENCE_TYPE }),
    data: Buffer.from(JSON.stringify({ driverName, claimData })),
    externalPayloads: [{ sizeBytes: BigInt(bytes) }],
  };
}

function malformed(why: string): CannotOpenError {
  return new CannotOpenError('reference-malformed', `a reference to external storage cannot be read: ${why}`);
}

/** The first of the fields that an object has of its own. */
function fieldOf(holder: unknown, ...names: readonly string[]): unknown {
  if (typeof holder !== 'object' || holder === null) return undefined;
  const name = names.find((it) => Object.hasOwn(holder, it));
  return name === undefined ? undefined : (holder as Readonly<Record<string, unknown>>)[name];
}

function textOf(holder: unknown, ...names: readonly string[]): string {
  const value = fieldOf(holder, ...names);
  if (typeof value === 'string' && value !== '') return value;
  throw malformed(`${names[0]} is missing`);
}

// Keys of objects in S3, as every official driver makes them:
//
// ```text
// v0/ns/{namespace}/wt/{workflow type}/wi/{workflow id}/ri/{run id}/d/sha256/{hash}
// v0/ns/{namespace}/at/{activity type}/ai/{activity id}/ri/{run id}/d/sha256/{hash}
// v0/ns/{namespace}/d/sha256/{hash}
// v0/d/sha256/{hash}
// ```
//
// Segments are percent-encoded to S3's safe characters; what is missing is `null`. Any other key is
// refused, so no reference reaches an object of the bucket that no driver put there.
//
// @see https://github.com/temporalio/sdk-typescript/tree/main/contrib/external-storage-s3 (S3 Storage Key Specification)

/** What every key begins with. */
const KEY_PREFIX = 'v0/';

const SEGMENT = "[A-Za-z0-9!_.*'()%-]+";
const KEY = new RegExp(
  `^v0/(?:ns/(${SEGMENT})/(?:(?:wt/${SEGMENT}/wi|at/${SEGMENT}/ai)/${SEGMENT}/ri/${SEGMENT}/)?)?d/sha256/([0-9a-f]{64})$`,
);
const MISSING = 'null';
/** Bytes; S3's own limit. */
const MOST_KEY_BYTES = 1024;

/**
 * The namespace that a key is of, or undefined for a key that names none.
 *
 * @param sha256 the hash that the reference names, which the key must name as well
 * @throws CannotOpenError `reference-malformed`, when no driver makes such a key
 */
export function namespaceOfKey(key: string, sha256: string): string | undefined {
  const [, segment, hash] = (key.length <= MOST_KEY_BYTES ? KEY.exec(key) : null) ?? [];
  // S3 takes keys as they are; what is between us and it need not.
  if (hash !== sha256 || /\/\.\.?\//.test(key)) throw malformedKey('no driver makes such a key');
  if (segment === undefined || segment === MISSING) return undefined;
  let namespace: string;
  try {
    namespace = decodeURIComponent(segment);
  } catch {
    throw malformedKey('its namespace is not percent-encoded');
  }
  // One namespace, one spelling: rights on a prefix of the bucket would not cover another.
  if (encodeSegment(namespace) !== segment) throw malformedKey('its namespace has another spelling');
  return namespace;
}

/** The key of an object of a namespace whose workflow is not known. */
export function objectKeyOf(namespace: string, sha256: string): string {
  return `${prefixOf(namespace)}d/sha256/${sha256}`;
}

/** What every key of a namespace begins with. */
function prefixOf(namespace: string): string {
  return `${KEY_PREFIX}ns/${encodeSegment(namespace)}/`;
}

function encodeSegment(text: string): string {
  return encodeURIComponent(text).replaceAll('~', '%7E');
}

function malformedKey(why: string): CannotOpenError {
  return new CannotOpenError('reference-malformed', `the key of an object in external storage: ${why}`);
}
