import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createSeal } from '../../../../lambda/server/sign-in/seal.ts';
import { newSessionKeys, parseSessionKeys } from '../../../../lambda/server/sign-in/session-keys.ts';

/** Characters of a cookie, which browsers cut at 4,096 with its name. */
const MAX_SEALED_LENGTH = 3_800;

const OWNER = { publicUrl: 'https://codec.example.com', issuer: 'https://login.example.com/', clientId: 'codec' };
const seal = createSeal(OWNER);
const document = newSessionKeys();
const keys = parseSessionKeys({ current: document, previous: undefined });
const sealed = (text: string): string => seal.seal('session', text, keys) ?? '';

describe('a sealed text', () => {
  it('opens as what it was, and never looks the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const some = sealed(text);
        expect(seal.open('session', some, keys)).toEqual({ text });
        expect(some).not.toBe(sealed(text));
        expect(some).toMatch(/^[\w-]+$/);
      }),
    );
  });

  it('does not open when any part of it was changed, left away or added', () => {
    const bytes = Buffer.from(sealed('{"sub":"alice"}'), 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect([undefined, 'unknown-key']).toContain(seal.open('session', changed.toString('base64url'), keys));
      expect(seal.open('session', bytes.subarray(0, at).toString('base64url'), keys)).toBeUndefined();
    }
    expect(seal.open('session', Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url'), keys)).toBeUndefined();
  });

  it('opens in one spelling', () => {
    const text = sealed('x'.repeat(20));
    for (const other of [`${text}=`, `${text}==`, ` ${text}`, `${text}\n`, text.replace(/[-_]/g, '+'), `"${text}"`]) {
      if (other !== text) expect(seal.open('session', other, keys)).toBeUndefined();
    }
    // Unless its length is a multiple of four, the last character has bits that stand for nothing.
    for (const spare of [1, 2, 3].map((more) => sealed('x'.repeat(20 + more))).filter((it) => it.length % 4 !== 0)) {
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const last = alphabet.indexOf(spare.slice(-1));
      const other = `${spare.slice(0, -1)}${alphabet[last + 1]}`;
      expect(Buffer.from(other, 'base64url').equals(Buffer.from(spare, 'base64url'))).toBe(true);
      expect(seal.open('session', other, keys)).toBeUndefined();
    }
  });

  it('does not open for another purpose, server, issuer or client, though the key is the same', () => {
    const text = sealed('alice');
    expect(seal.open('sign-in', text, keys)).toBeUndefined();
    for (const change of [{ publicUrl: 'https://dev.example.com' }, { issuer: 'https://x/' }, { clientId: 'ui' }])
      expect(createSeal({ ...OWNER, ...change }).open('session', text, keys)).toBeUndefined();
  });

  it('does not open under another key, and says that it is the key', () => {
    const others = parseSessionKeys({ current: newSessionKeys(), previous: undefined });
    expect(seal.open('session', sealed('alice'), others)).toBe('unknown-key');
  });

  it('opens under the key before the current one, and is sealed anew under the current one', () => {
    const next = parseSessionKeys({ current: newSessionKeys(), previous: document });
    expect(seal.open('session', sealed('alice'), next)).toEqual({ text: 'alice' });
    const renewed = seal.seal('session', 'alice', next) ?? '';
    expect(seal.open('session', renewed, keys)).toBe('unknown-key');
    expect(seal.open('session', renewed, next)).toEqual({ text: 'alice' });
  });

  it('fits into a cookie, or is none', () => {
    expect(sealed('x'.repeat(2_000)).length).toBeLessThanOrEqual(MAX_SEALED_LENGTH);
    expect(seal.seal('session', 'x'.repeat(3_000), keys)).toBeUndefined();
    expect(seal.open('session', 'A'.repeat(MAX_SEALED_LENGTH + 1), keys)).toBeUndefined();
  });

  it('is nothing that somebody made up', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const answer = seal.open('session', Buffer.from(bytes).toString('base64url'), keys);
        expect([undefined, 'unknown-key']).toContain(answer);
      }),
    );
  });
});

describe('the document of session keys', () => {
  const parse = (current: unknown, previous?: unknown) =>
    parseSessionKeys({
      current: JSON.stringify(current),
      previous: previous === undefined ? undefined : JSON.stringify(previous),
    });
  const key = randomBytes(32).toString('hex');

  it('holds a key, and may hold from when on sessions count', () => {
    expect(parse({ key })).toMatchObject({ validFrom: 0, all: [{}] });
    expect(parse({ key, validFrom: '2026-11-25T09:00:00Z' }).validFrom).toBe(Date.UTC(2026, 10, 25, 9));
  });

  it('names a key by something that says nothing about it', () => {
    const { current } = parse({ key });
    expect(parse({ key }).current).toEqual(current);
    expect(current.name).toMatch(/^[\w-]{8}$/);
    expect(Buffer.from(current.key).toString('base64url')).not.toContain(current.name);
  });

  it('has one key where the version before is the same, or cannot be read', () => {
    expect(parse({ key }, { key, validFrom: '2026-11-25T09:00:00Z' }).all).toHaveLength(1);
    expect(parse({ key }, 'put the key here').all).toHaveLength(1);
    expect(parse({ key }, { key: `${key}0` }).all).toHaveLength(2);
  });

  it.each([
    [{}, 'no "key"'],
    [{ key: 'short' }, 'key must be'],
    [{ key: ' '.repeat(43) }, 'key must be'],
    [{ key, validFrom: 'yesterday' }, 'validFrom must be'],
    [{ key, validFrom: '2026-13-45T00:00:00Z' }, 'validFrom must be'],
    [{ key, more: 1 }, 'unknown field'],
    [[], 'must be an object'],
  ])('says what is wrong with %j, without the key', (text, problem) => {
    let message = '';
    try {
      parse(text);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain(problem);
    expect(message).not.toContain(key);
  });
});
