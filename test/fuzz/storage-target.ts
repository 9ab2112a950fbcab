/** References to external storage: whatever they say, they lead to nothing but what a driver may have put there. */
import { CannotOpenError } from '../../codec/errors.ts';
import { metadataOf, type Payload } from '../../codec/payload.ts';
import {
  namespaceOfKey,
  objectKeyOf,
  readReference,
  type StorageReference,
  writeReference,
} from '../../lambda/server/storage/reference.ts';
import { ensure, type FuzzTarget } from './target.ts';

const HASH = 'ab'.repeat(32);
const reference: StorageReference = {
  driverName: 'aws.s3driver',
  bucket: 'payloads',
  key: objectKeyOf('orders.a1b2c', HASH),
  sha256: HASH,
};
const { bucket, key } = reference;

/** The data of a reference payload. */
export const storage: FuzzTarget = {
  name: 'storage',
  covers: ['/lambda/server/storage/reference'],
  seeds: [
    Buffer.from(writeReference(reference, 1).data),
    ...[
      { driver_name: 'a', driver_claim: { claim_data: { bucket, key, hash_algorithm: 'sha256', hash_value: HASH } } },
      { driverName: 'a', claimData: { bucket, key: `v0/d/sha256/${HASH}`, hashAlgorithm: 'sha256', hashValue: HASH } },
      {
        driverName: 'a',
        claimData: {
          bucket,
          key: `v0/ns/n%7E/wt/t/wi/w/ri/null/d/sha256/${HASH}`,
          hash_algorithm: 'sha256',
          hash_value: HASH,
        },
      },
    ].map((json) => Buffer.from(JSON.stringify(json))),
  ],
  words: [
    '"key":',
    '"claimData":',
    '"hash_value":',
    '../',
    '%2F',
    '%',
    'v0/ns/',
    '/d/sha256/',
    HASH,
    '"__proto__":',
    'null',
  ],
  maxLength: 4096,
  run(input) {
    const payload: Payload = { metadata: metadataOf({ encoding: 'json/external-storage-reference' }), data: input };
    try {
      const read = readReference(payload);
      const namespace = namespaceOfKey(read.key, read.sha256);
      ensure(read.key.startsWith('v0/'), 'reads outside of what drivers write');
      ensure(read.key.endsWith(`/d/sha256/${read.sha256}`), 'takes a key of another hash');
      ensure(!/\/\.\.?(\/|$)/.test(read.key), 'takes a path that leads elsewhere');
      if (namespace !== undefined)
        ensure(
          objectKeyOf(namespace, read.sha256).split('/')[2] === read.key.split('/')[2],
          'one namespace, two spellings',
        );
      const again = readReference(writeReference(read, 1));
      ensure(JSON.stringify(again) === JSON.stringify(read), 'reads its own writing differently');
    } catch (error) {
      ensure(error instanceof CannotOpenError, `threw ${String(error)}`);
    }
  },
};
