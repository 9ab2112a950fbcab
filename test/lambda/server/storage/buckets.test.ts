import { describe, expect, it } from '@jest/globals';
import { createBuckets } from '../../../../lambda/server/storage/object-store.ts';

const entry = (bucket: string, ...namespaces: string[]) => ({ bucket, region: 'eu-west-1', namespaces });
const soleOf = (...entries: ReturnType<typeof entry>[]) =>
  createBuckets(entries).map(({ soleNamespace }) => soleNamespace);
const ACCESS_POINT = 'arn:aws:s3:eu-west-1:111122223333:accesspoint/payloads';

describe('a bucket serves one namespace alone', () => {
  it('when its entries name one, and no pattern', () => {
    expect(soleOf(entry('a', 'orders'), entry('b', 'billing'), entry('c', 'or*'))).toEqual([
      'orders',
      'billing',
      undefined,
    ]);
    expect(soleOf(entry('a', 'orders', 'billing'))).toEqual([undefined]);
  });

  it('and not when another entry puts another namespace there', () => {
    expect(soleOf(entry('a', 'orders'), entry('a', 'billing'))).toEqual([undefined, undefined]);
    expect(soleOf(entry('a', 'orders'), entry('a', 'orders'))).toEqual(['orders', 'orders']);
  });

  it('and not when an access point may lead another namespace there', () => {
    expect(soleOf(entry('a', 'orders'), entry(ACCESS_POINT, 'billing'))).toEqual([undefined, undefined]);
    expect(soleOf(entry('a', 'orders'), entry(ACCESS_POINT, 'orders'))).toEqual(['orders', 'orders']);
  });
});
