import { describe, expect, it } from '@jest/globals';
import { KeyDocumentError } from '../../../../codec/errors.ts';
import {
  formatKeyring,
  newKeyName,
  newKeyring,
  parseKeyring,
  withNewKey,
} from '../../../../codec/keys/keyring/keyring.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const valid = { namespace: 'codec-server', current: 'a', keys: [{ name: 'a', key: KEY }] };
const changed = (change: object) => JSON.stringify({ ...valid, ...change });

describe('a keyring document', () => {
  it('is read and written without loss', () => {
    const keyring = withNewKey(newKeyring('eins "zwei"'), 'größe');
    expect(parseKeyring(formatKeyring(keyring))).toEqual(keyring);
  });

  it('reads the form that other languages share', () => {
    expect(parseKeyring(JSON.stringify(valid))).toEqual({ ...valid, keys: [{ name: 'a', key: Buffer.alloc(32, 7) }] });
  });

  it.each([
    ['is not JSON', '{"namespace":', 'it is not valid JSON'],
    ['was saved with a byte order mark', '\uFEFF{}', 'it begins with a byte order mark: save it as UTF-8 without one'],
    ['says where JSON ends', '{"namespace": "a",\n "current" "b"}', 'not valid JSON at line 2 column 12'],
    ['is not an object', '[]', 'the keyring must be an object with namespace, current, keys'],
    ['lacks a field', '{"namespace":"x","keys":[]}', 'the keyring has no "current"'],
    ['has an unknown field', changed({ kesy: [] }), 'the keyring has the unknown field "kesy"'],
    [
      'has an unknown field in a key',
      changed({ keys: [{ name: 'a', key: KEY, id: '' }] }),
      'keys[0] has the unknown field "id"',
    ],
    ['has no keys', changed({ keys: [] }), 'keys must be an array with at least one element'],
    [
      'names a key twice',
      changed({
        keys: [
          { name: 'a', key: KEY },
          { name: 'b', key: KEY },
          { name: 'a', key: KEY },
        ],
      }),
      'keys[2].name is the same as keys[0].name',
    ],
    [
      'has a short key',
      changed({ keys: [{ name: 'a', key: Buffer.alloc(16).toString('base64') }] }),
      'keys[0].key must be the base64 of 32 bytes and holds 16',
    ],
    [
      'has an unpadded key',
      changed({ keys: [{ name: 'a', key: KEY.slice(0, -1) }] }),
      'keys[0].key must be standard base64 with its padding',
    ],
    [
      'has a key with stray bits',
      changed({ keys: [{ name: 'a', key: `${KEY.slice(0, -2)}d=` }] }),
      'keys[0].key is not valid base64',
    ],
    ['has a key that is not text', changed({ keys: [{ name: 'a', key: 1 }] }), 'keys[0].key must be text'],
    ['has an empty name', changed({ keys: [{ name: '', key: KEY }] }), 'keys[0].name must be a text that is not empty'],
    [
      'has a control character in a name',
      changed({ keys: [{ name: 'a\n', key: KEY }] }),
      'keys[0].name contains a character that cannot be printed',
    ],
    [
      'has an endless name',
      changed({ keys: [{ name: 'a'.repeat(257), key: KEY }] }),
      'keys[0].name is longer than 256 characters',
    ],
    ['has a current key that is none', changed({ current: 'z' }), 'current names no key of keys'],
    ['takes the name space of KMS', changed({ namespace: 'aws-kms-mine' }), 'namespace must not start with "aws-kms"'],
  ])('is refused when it %s', (_, text, message) => {
    expect(() => parseKeyring(text)).toThrow(KeyDocumentError);
    expect(() => parseKeyring(text)).toThrow(message);
  });

  it('never shows in an error what is written in it', () => {
    for (const text of [
      `{"key":"${KEY}"`,
      `{"keys": ["${KEY}" x`,
      changed({ keys: [{ name: 'a', key: `!${KEY}` }] }),
    ]) {
      let message = '';
      try {
        parseKeyring(text);
      } catch (error) {
        message = String((error as Error).stack) + String((error as Error).cause);
      }
      expect(message).not.toBe('');
      expect(message).not.toContain(KEY.slice(0, 6));
    }
  });

  it('keeps older keys when a new one becomes current', () => {
    const older = newKeyring('old');
    const keyring = withNewKey(older, 'new');
    expect(keyring.current).toBe('new');
    expect(keyring.keys.map((key) => key.name)).toEqual(['old', 'new']);
    expect(keyring.keys[0]).toBe(older.keys[0]);
    expect(() => withNewKey(keyring, 'old')).toThrow('already has a key named "old"');
  });

  it('names new keys by their day, and never two alike', () => {
    const day = new Date('2026-11-24T09:00:00Z');
    expect(newKeyName(day)).toMatch(/^2026-11-24-[0-9a-f]{6}$/);
    expect(newKeyName(day)).not.toBe(newKeyName(day));
  });
});
