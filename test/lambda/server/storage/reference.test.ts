import { describe, expect, it } from '@jest/globals';
import { metadataOf, type Payload } from '../../../../codec/payload.ts';
import {
  isStorageReference,
  readReference,
  type StorageReference,
  writeReference,
} from '../../../../lambda/server/storage/reference.ts';

const HASH = 'ab'.repeat(32);
const REFERENCE: StorageReference = {
  driverName: 'aws.s3driver',
  bucket: 'acme-payloads',
  key: `v0/d/sha256/${HASH}`,
  sha256: HASH,
};
const CLAIM = { bucket: REFERENCE.bucket, key: REFERENCE.key, hash_algorithm: 'sha256', hash_value: HASH };
const CURRENT = { encoding: 'json/protobuf', messageType: 'temporal.api.sdk.v1.ExternalStorageReference' };
const LEGACY = { encoding: 'json/external-storage-reference' };

const payload = (metadata: Record<string, string>, data: unknown): Payload => ({
  metadata: metadataOf(metadata),
  data: Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)),
});
const current = (data: unknown) => payload(CURRENT, data);

describe('a reference to external storage', () => {
  it('is read as it was written, with the size of the object beside it', () => {
    const written = writeReference(REFERENCE, 300_000);
    expect(isStorageReference(written)).toBe(true);
    expect(readReference(written)).toEqual(REFERENCE);
    expect(written.externalPayloads).toEqual([{ sizeBytes: 300_000n }]);
  });

  it.each([
    ['of Go and Python', current({ driverName: 'aws.s3driver', claimData: CLAIM })],
    ['in snake_case', current({ driver_name: 'aws.s3driver', claim_data: CLAIM })],
    [
      'of TypeScript',
      current({
        driverName: 'aws.s3driver',
        claimData: { bucket: CLAIM.bucket, key: CLAIM.key, hashAlgorithm: 'sha256', hashValue: HASH },
      }),
    ],
    ['with fields of tomorrow', current({ driverName: 'aws.s3driver', claimData: { ...CLAIM, more: 'x' }, more: {} })],
    ['of a pre-release', payload(LEGACY, { driver_name: 'aws.s3driver', driver_claim: { claim_data: CLAIM } })],
  ])('%s is read', (_, reference) => {
    expect(isStorageReference(reference)).toBe(true);
    expect(readReference(reference)).toEqual(REFERENCE);
  });

  it.each([
    ['of TypeScript 1.22', { bucket: 'b', object: `v0/d/sha256/${HASH}`, hashAlgorithm: 'sha256', hashValue: HASH }],
    ['of Python 1.35', { bucket: 'b', object_name: `v0/d/sha256/${HASH}`, hash_algorithm: 'sha256', hash_value: HASH }],
    ['of Go, whose claim is that of S3', CLAIM],
  ])('to Google Cloud Storage, %s, is recognized and not taken for one to S3', (_, claimData) => {
    const reference = current({ claimData, driverName: 'gcp.gcsdriver' });
    expect(isStorageReference(reference)).toBe(true);
    expect(() => readReference(reference)).toThrow(expect.objectContaining({ reason: 'storage-not-read' }));
    if (claimData === CLAIM) return;
    const renamed = current({ claimData, driverName: 'archive' });
    expect(() => readReference(renamed)).toThrow(expect.objectContaining({ reason: 'storage-not-read' }));
  });

  it.each([
    [{}],
    [{ encoding: 'json/plain' }],
    [{ encoding: 'json/protobuf' }],
    [{ encoding: 'json/protobuf', messageType: 'acme.Order' }],
    [{ encoding: 'json/protobux', messageType: CURRENT.messageType }],
    [{ encoding: 'json/external-storage-referencE' }],
  ] as Record<string, string>[][])('is nothing with the metadata %j', (metadata) => {
    expect(isStorageReference(payload(metadata as unknown as Record<string, string>, CLAIM))).toBe(false);
  });

  it.each([
    ['no JSON', 'bucket'],
    ['nothing', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ['no claim', { driverName: 'aws.s3driver' }],
    ['no driver', { claimData: CLAIM }],
    ['no bucket', { driverName: 'd', claimData: { ...CLAIM, bucket: '' } }],
    ['a key that is not text', { driverName: 'd', claimData: { ...CLAIM, key: 7 } }],
    ['another hash', { driverName: 'd', claimData: { ...CLAIM, hash_algorithm: 'md5' } }],
    ['a short hash', { driverName: 'd', claimData: { ...CLAIM, hash_value: 'ab' } }],
    ['a hash in capitals', { driverName: 'd', claimData: { ...CLAIM, hash_value: HASH.toUpperCase() } }],
    ['a claim by inheritance', '{"driverName":"d","claimData":{"__proto__":{"bucket":"b"}}}'],
    ['far too much', { driverName: 'd', claimData: { ...CLAIM, more: 'x'.repeat(20_000) } }],
  ])('that holds %s is malformed', (_, data) => {
    expect(() => readReference(current(data))).toThrow(expect.objectContaining({ reason: 'reference-malformed' }));
  });
});
