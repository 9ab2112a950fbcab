import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { namespaceOfKey, objectKeyOf } from '../../../../lambda/server/storage/reference.ts';

const HASH = 'cd'.repeat(32);
const OTHER = 'ef'.repeat(32);

describe('the key of an object', () => {
  it.each([
    [`v0/ns/payments%20prod/wt/Charge/wi/order%2B123%3Dabc/ri/3f1d-a7/d/sha256/${HASH}`, 'payments prod'],
    [`v0/ns/orders.a1b2c/at/send%2Fmail/ai/1/ri/null/d/sha256/${HASH}`, 'orders.a1b2c'],
    [`v0/ns/orders.a1b2c/d/sha256/${HASH}`, 'orders.a1b2c'],
    [`v0/ns/bestellungen-gr%C3%B6%C3%9Fe/wt/a/wi/b/ri/c/d/sha256/${HASH}`, 'bestellungen-größe'],
    [`v0/ns/null/wt/a/wi/b/ri/c/d/sha256/${HASH}`, undefined],
    [`v0/d/sha256/${HASH}`, undefined],
  ])('%s is of the namespace %s', (key, namespace) => {
    expect(namespaceOfKey(key, HASH)).toBe(namespace);
  });

  it('names its namespace and its hash, whatever the namespace is called', () => {
    fc.assert(
      fc.property(
        fc
          .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
          .filter((it) => !['null', '.', '..'].includes(it) && it.isWellFormed()),
        (namespace) => {
          expect(namespaceOfKey(objectKeyOf(namespace, HASH), HASH)).toBe(namespace);
          const segment = encodeURIComponent(namespace).replaceAll('~', '%7E');
          expect(objectKeyOf(namespace, HASH)).toBe(`v0/ns/${segment}/d/sha256/${HASH}`);
        },
      ),
    );
  });

  it.each([
    ['', 'is empty'],
    [`v0/d/sha256/${OTHER}`, 'names another hash'],
    [`v1/d/sha256/${HASH}`, 'is of another version'],
    [`/v0/d/sha256/${HASH}`, 'begins with a slash'],
    [`v0//d/sha256/${HASH}`, 'has an empty segment'],
    [`v0/../d/sha256/${HASH}`, 'climbs'],
    [`v0/ns/../wt/a/wi/b/ri/c/d/sha256/${HASH}`, 'names a folder above'],
    [`v0/ns/orders/wt/a/wi/./ri/c/d/sha256/${HASH}`, 'names the folder itself'],
    [`v0/ns/orders/../payments/wt/a/wi/b/ri/c/d/sha256/${HASH}`, 'climbs out of its namespace'],
    [`v0/ns/a/wt/b/wi/c/ri/d/d/sha256/${HASH}/more`, 'goes on'],
    [`v0/ns/a/wt/b/wi/c/ri/d/d/sha256/${HASH}\n`, 'has a line break'],
    [`v0/ns/a b/wt/b/wi/c/ri/d/d/sha256/${HASH}`, 'is not percent-encoded'],
    [`v0/ns/%/wt/b/wi/c/ri/d/d/sha256/${HASH}`, 'is badly percent-encoded'],
    [`v0/ns/%FF/wt/b/wi/c/ri/d/d/sha256/${HASH}`, 'is not UTF-8'],
    [`v0/ns/%6Frders/wt/b/wi/c/ri/d/d/sha256/${HASH}`, 'spells its namespace in another way'],
    [`v0/ns/orders%2fx/wt/b/wi/c/ri/d/d/sha256/${HASH}`, 'spells it in small letters'],
    [`reports/2026.csv`, 'is of something else'],
    [`v0/ns/${'x'.repeat(1000)}/d/sha256/${HASH}`, 'is too long for S3'],
  ])('%s is refused: it %s', (key) => {
    expect(() => namespaceOfKey(key, HASH)).toThrow(expect.objectContaining({ reason: 'reference-malformed' }));
  });
});
