import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { comparableDomain, comparableEmail } from '../../config/email.ts';

describe('email comparison', () => {
  it('ignores the case of ASCII letters and nothing else', () => {
    expect(comparableEmail('Alice.Smith+x@Acme.COM')).toBe('alice.smith+x@acme.com');
    expect(comparableEmail('alice.smith@acme.com')).not.toBe(comparableEmail('alicesmith@acme.com'));
  });

  it.each([
    ['a Cyrillic a', '\u0430lice@acme.com'],
    ['a Kelvin sign', 'ali\u212ae@acme.com'],
    ['a dotless i', 'al\u0131ce@acme.com'],
    ['a capital I with a dot', 'al\u0130ce@acme.com'],
    ['a sharp s', 'ali\u00dfe@acme.com'],
    ['full-width letters', '\uff41lice@acme.com'],
    ['a combining accent', 'alice\u0301@acme.com'],
  ])('keeps %s distinct from ASCII', (_, email) => {
    expect(comparableEmail(email)).toBe(email);
    expect(comparableEmail(email)).not.toBe('alice@acme.com');
    expect(comparableDomain(email)).toBeUndefined();
  });

  it.each([
    ['a leading space', ' alice@acme.com'],
    ['a trailing space', 'alice@acme.com '],
    ['a newline', 'alice@acme.com\n'],
    ['a NUL', 'alice@acme.com\0'],
    ['a no-break space', 'alice@acme.com\u00a0'],
    ['a zero-width space', 'alice@\u200bacme.com'],
    ['a byte-order mark', '\ufeffalice@acme.com'],
    ['a right-to-left override', 'alice\u202e@acme.com'],
    ['two at signs', 'alice@evil.com@acme.com'],
    ['a quoted at sign', '"alice@evil.com"@acme.com'],
    ['no local part', '@acme.com'],
    ['no domain', 'alice@'],
    ['no at sign', 'alice.acme.com'],
    ['a trailing dot', 'alice@acme.com.'],
    ['a comment', 'alice@acme.com(evil.com)'],
    ['a display name', 'Alice <alice@acme.com>'],
    ['an IP address literal', 'alice@[127.0.0.1]'],
    ['a list', 'alice@acme.com,bob@acme.com'],
    ['nothing', ''],
    ['too much', `${'a'.repeat(320)}@acme.com`],
    ['a full-width at sign', 'alice\uff20acme.com'],
  ])('matches nothing for an address with %s', (_, email) => {
    expect(comparableEmail(email)).toBeUndefined();
    expect(comparableDomain(email)).toBeUndefined();
  });

  it('holds an address equal to itself, and to no other but by the case of ASCII letters', () => {
    const asciiLower = (text: string) => text.replace(/[A-Z]/g, (it) => String.fromCharCode(it.charCodeAt(0) + 32));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (local, domain) => {
        const email = `${local}@${domain}`;
        const comparable = comparableEmail(email);
        if (comparable !== undefined) expect(asciiLower(comparable)).toBe(asciiLower(email));
      }),
    );
    fc.assert(fc.property(fc.emailAddress(), (email) => comparableEmail(email) === asciiLower(email)));
  });
});
