import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  contextOfNamespace,
  parseEncryptionContext,
  serializeEncryptionContext,
} from '../../../codec/aws-encryption-sdk/encryption-context.ts';
import { MalformedPayloadError } from '../../../codec/errors.ts';

const contexts = fc
  .uniqueArray(fc.tuple(fc.string({ unit: 'binary', maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 6 })), {
    selector: ([key]) => key,
    maxLength: 6,
  })
  .map((entries) => new Map(entries));

/** Key-value pairs as a careless writer may write them. */
function pairs(...entries: (string | Buffer)[]): Buffer {
  const fields = entries.map((entry) => {
    const bytes = Buffer.from(entry as string);
    return Buffer.concat([u16(bytes.length), bytes]);
  });
  return Buffer.concat([u16(entries.length / 2), ...fields]);
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

describe('an encryption context', () => {
  it('comes back as it was written, whatever its order', () => {
    fc.assert(
      fc.property(contexts, (context) => {
        const read = parseEncryptionContext(serializeEncryptionContext(context));
        expect(Object.fromEntries(read)).toEqual(Object.fromEntries(context));
      }),
    );
  });

  it('has exactly one serialization', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          expect(serializeEncryptionContext(parseEncryptionContext(bytes))).toEqual(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedPayloadError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('is sorted by the bytes of UTF-8, not by the units of UTF-16', () => {
    const context = new Map([
      ['\u{1f98a}', 'after U+FF5E in UTF-8, before it in UTF-16'],
      ['～', '1'],
    ]);
    expect([...parseEncryptionContext(serializeEncryptionContext(context)).keys()]).toEqual(['～', '\u{1f98a}']);
  });

  it('is not bytes at all when it is empty', () => {
    expect(serializeEncryptionContext(new Map())).toHaveLength(0);
    expect(parseEncryptionContext(new Uint8Array(0)).size).toBe(0);
  });

  it('is written as the specification lays it out', () => {
    expect(serializeEncryptionContext(contextOfNamespace('ü')).toString('latin1')).toBe(
      '\x00\x01\x00\x12temporal-namespace\x00\x02\xc3\xbc',
    );
  });

  it.each([
    ['keys out of order', pairs('b', '1', 'a', '2')],
    ['a key twice', pairs('a', '1', 'a', '2')],
    ['a key that is not UTF-8', pairs(Buffer.from('c328', 'hex'), '1')],
    ['a value that is not UTF-8', pairs('a', Buffer.from('eda080', 'hex'))],
    ['a count of none', u16(0)],
    ['fewer pairs than it says', Buffer.concat([u16(2), pairs('a', '1').subarray(2)])],
    ['more pairs than it says', Buffer.concat([pairs('a', '1'), pairs('b', '2').subarray(2)])],
    ['half a count', Buffer.alloc(1)],
    ['a length past the end', Buffer.concat([u16(1), u16(0xffff), Buffer.from('a')])],
  ])('is refused with %s', (_what, bytes) => {
    expect(() => parseEncryptionContext(bytes)).toThrow(MalformedPayloadError);
  });
});
