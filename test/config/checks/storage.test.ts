import { describe, expect, it } from '@jest/globals';
import { checkConfig } from '../../../config/check.ts';
import type { StorageBucketConfig, StorageConfig } from '../../../config/schema.ts';
import dev from '../../../environments/dev.ts';
import local from '../../../environments/local.ts';

const BUCKET: StorageBucketConfig = {
  bucket: 'acme-temporal-payloads',
  region: 'eu-central-1',
  namespaces: ['orders.a1b2c'],
};
const STACK: StorageBucketConfig = { bucket: 'created-by-stack', namespaces: ['*'], expireAfterDays: 90 };

const pathsOf = (storage: unknown, config: object = local) =>
  checkConfig({ ...config, storage }).map(({ path }) => path);
const pathsOfBucket = (change: object, config?: object) => pathsOf({ buckets: [{ ...BUCKET, ...change }] }, config);

describe('the check of external storage', () => {
  it('takes none, declined or left out, and buckets that can be', () => {
    expect(pathsOf(undefined)).toEqual([]);
    expect(pathsOf(null)).toEqual([]);
    expect(
      pathsOfBucket({
        write: true,
        driverNames: ['payloads'],
        owner: '111122223333',
        encryptionKey: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      }),
    ).toEqual([]);
    expect(pathsOf({ buckets: [STACK, BUCKET], limits: { parallel: 4 }, storeFromBytes: 100_000 }, dev)).toEqual([]);
  });

  it('wants a bucket', () => {
    expect(pathsOf({ buckets: [] })).toEqual(['storage.buckets']);
    expect(pathsOf({})).toEqual(['storage.buckets']);
  });

  it.each([
    'Acme',
    'a',
    '-acme',
    'acme..payloads',
    'arn:aws:s3:::acme',
    'acme/payloads',
    'acme*',
    'x'.repeat(64),
    'payloads-abcdef123456-s3alias',
    'payloads-123--ol-s3',
    'mfzwi23gnjvgw.mrap',
    'acme--euc1-az1--x-s3',
  ])('refuses %s as a bucket', (bucket) => {
    expect(pathsOfBucket({ bucket })).toEqual(['storage.buckets[0].bucket']);
  });

  it.each([
    [{ region: undefined }, 'region'],
    [{ region: 'Frankfurt' }, 'region'],
    [{ namespaces: [] }, 'namespaces'],
    [{ namespaces: [' orders'] }, 'namespaces[0]'],
    [{ driverNames: [] }, 'driverNames'],
    [{ owner: '1234' }, 'owner'],
    [{ encryptionKey: 'alias/payloads' }, 'encryptionKey'],
    [{ expireAfterDays: 30 }, 'expireAfterDays'],
    [{ writes: true }, 'writes'],
  ])('refuses %j', (change, field) => {
    expect(pathsOfBucket(change)).toEqual([`storage.buckets[0].${field}`]);
  });

  it.each([
    'arn:aws:s3:eu-central-1:111122223333:accesspoint/payloads',
    'arn:aws-cn:s3:cn-north-1:111122223333:accesspoint/payloads',
    'arn:aws:s3::111122223333:accesspoint/mfzwi23gnjvgw.mrap',
  ])('takes the access point %s, which says where it is', (bucket) => {
    expect(pathsOfBucket({ bucket, region: undefined })).toEqual([]);
    expect(pathsOfBucket({ bucket, region: 'eu-north-1' })).toEqual(['storage.buckets[0].region']);
  });

  it.each([
    'arn:aws:s3:eu-central-1:1111:accesspoint/payloads',
    'arn:aws:s3::111122223333:accesspoint/payloads',
    'arn:aws:s3:eu-central-1:111122223333:accesspoint/mfzwi23gnjvgw.mrap',
    'arn:aws:s3-object-lambda:eu-central-1:111122223333:accesspoint/payloads',
    'arn:aws:s3:eu-central-1:111122223333:accesspoint/payloads/object/v0',
  ])('refuses %s, which is not an access point of S3', (bucket) => {
    expect(pathsOfBucket({ bucket })).toEqual(['storage.buckets[0].bucket']);
  });

  it('knows no bucket of a stack on one’s own machine', () => {
    expect(pathsOf({ buckets: [{ bucket: 'created-by-stack', namespaces: ['*'] }] })).toEqual([
      'storage.buckets[0].bucket',
    ]);
  });

  it.each([
    [{ ...STACK, region: 'eu-central-1' }, 'region'],
    [{ ...STACK, encryptionKey: 'arn:aws:kms:eu-central-1:111122223333:key/x' }, 'encryptionKey'],
    [{ ...STACK, expireAfterDays: 0 }, 'expireAfterDays'],
    [{ ...STACK, expireAfterDays: 1.5 }, 'expireAfterDays'],
  ])('refuses %j as the bucket of the stack', (entry, field) => {
    expect(pathsOf({ buckets: [entry] }, dev)).toEqual([`storage.buckets[0].${field}`]);
  });

  it('refuses a second bucket of the stack, and one that is never written to', () => {
    expect(pathsOf({ buckets: [STACK, STACK] }, dev)).toEqual(['storage.buckets[1].bucket']);
    const writes = { ...BUCKET, write: true };
    expect(pathsOf({ buckets: [{ ...writes, namespaces: ['*'] }, writes] })).toEqual(['storage.buckets[1].write']);
    expect(pathsOf({ buckets: [writes, { ...writes, namespaces: ['*'] }] })).toEqual([]);
  });

  it.each([
    ['objectBytes', 0],
    ['requestBytes', 1.5],
    ['parallel', 101],
  ])('refuses %s %j', (name, value) => {
    const storage: StorageConfig = { buckets: [BUCKET], limits: { [name]: value } };
    expect(pathsOf(storage)).toEqual([`storage.limits.${name}`]);
  });

  it('refuses to store nothing', () => {
    expect(pathsOf({ buckets: [BUCKET], storeFromBytes: 0 })).toEqual(['storage.storeFromBytes']);
  });
});
