import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { base64Length, decodeBase64, writeBase64 } from '../../../../lambda/server/http/base64.ts';

/** Lengths around the end of a slice, at which long texts are taken apart. */
const AROUND_SLICES = [-1, 0, 1].flatMap((offset) => [24 * 1024 + offset, 32 * 1024 + offset, 48 * 1024 + offset]);
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(...AROUND_SLICES, 200_000).map((length) => Buffer.alloc(length, 'any bytes at all ')),
);

function decoded(text: string): Buffer | undefined {
  return decodeBase64(Buffer.from(text, 'latin1'));
}

describe('base64', () => {
  it('decodes what Node encodes, standard or URL-safe, padded or not', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const standard = Buffer.from(bytes).toString('base64');
        const urlSafe = Buffer.from(bytes).toString('base64url');
        for (const text of [standard, urlSafe, standard.replace(/=+$/, '')])
          expect(decoded(text)?.equals(bytes)).toBe(true);
      }),
    );
  });

  it('decodes from the middle of a text', () => {
    expect(decodeBase64(Buffer.from('"AQID"'), 1, 5)).toEqual(Buffer.from([1, 2, 3]));
  });

  it.each([
    'A',
    'AAAAA',
    '=',
    '==',
    'AAAA=',
    '====',
    'A===',
    'AB=C',
    'AAAA=AAA',
    'AA AA',
    'AA\n==',
    '*AAA',
    'AAA\u00e9',
    'AA%3D',
  ])('takes %j for no base64', (text) => {
    expect(decoded(text)).toBeUndefined();
  });

  it('finds what is not base64 wherever it stands in a long text', () => {
    const text = Buffer.alloc(100_000, 'base64').toString('base64').slice(0, 131_072);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('=', ' ', '!', '\u00ff', '\n'), (at, bad) => {
        fc.pre(!(bad === '=' && at >= text.length - 2));
        expect(decoded(text.slice(0, at) + bad + text.slice(at + 1))).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });

  it('writes what Node writes, and says where it ends', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const length = base64Length(bytes.length);
        const out = Buffer.alloc(length + 2, '.');
        expect(writeBase64(bytes, out, 1)).toBe(length + 1);
        expect(out.toString('latin1') === `.${Buffer.from(bytes).toString('base64')}.`).toBe(true);
      }),
    );
  });
});
