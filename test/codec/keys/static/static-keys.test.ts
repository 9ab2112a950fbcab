import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CannotOpenError, KeyDocumentError } from '../../../../codec/errors.ts';
import type { KeyContext, StaticKeyRequest } from '../../../../codec/keys/key-source.ts';
import type { SecretSource } from '../../../../codec/keys/secrets/secret-source.ts';
import { StaticKeySource } from '../../../../codec/keys/static/static-key-source.ts';
import {
  eraseStaticKeys,
  parseStaticKeySecret,
  parseStaticKeys,
  type StaticKeySet,
  samplesTestKeys,
} from '../../../../codec/keys/static/static-keys.ts';
import { readStaticKeysFile } from '../../../../codec/keys/static/static-keys-file.ts';

const base64 = (fill: number) => Buffer.alloc(32, fill).toString('base64');
const TEST_KEY = Buffer.from('test-key-test-key-test-key-test!').toString('base64');
const entry = (change: object = {}) => ({ id: 'a', key: base64(1), namespaces: ['orders'], ...change });
const documentOf = (...keys: object[]) => JSON.stringify({ keys });
const setOf = (...keys: object[]) => parseStaticKeys(documentOf(...keys), 'refused');

function contextFor(namespace: string | undefined): KeyContext {
  return { namespace, deadline: 0, usage: { keyIds: new Set(), cacheHits: 0, cacheMisses: 0 } };
}

function request(keyId: string, fits?: (key: Uint8Array) => boolean): StaticKeyRequest {
  return fits === undefined ? { kind: 'static', keyId } : { kind: 'static', keyId, fits };
}

async function reasonOf(action: () => unknown): Promise<string> {
  try {
    await action();
    return 'opened';
  } catch (error) {
    if (error instanceof CannotOpenError) return error.reason;
    throw error;
  }
}

describe('a document of static keys', () => {
  it('may be empty, as a new secret is', () => {
    expect(setOf()).toEqual({ keys: [] });
  });

  it.each([
    ['is not an object', '[]', 'the document of static keys must be an object with keys'],
    ['has an unknown field', '{"keys":[],"key":1}', 'the document of static keys has the unknown field "key"'],
    ['has no list', '{"keys":{}}', 'keys must be an array'],
    ['has a key without namespaces', documentOf({ id: 'a', key: base64(1) }), 'keys[0] has no "namespaces"'],
    [
      'has an empty list of namespaces',
      documentOf(entry({ namespaces: [] })),
      'keys[0].namespaces must be an array with at least one',
    ],
    [
      'has an empty namespace',
      documentOf(entry({ namespaces: ['x', ''] })),
      'keys[0].namespaces[1] must be a text that is not empty',
    ],
    ['has an id that is not text', documentOf(entry({ id: 5 })), 'keys[0].id must be a text'],
    [
      'has a short key',
      documentOf(entry(), entry({ key: 'AAAA' })),
      'keys[1].key must be the base64 of 32 bytes and holds 3',
    ],
    [
      'has two keys for one id and namespace',
      documentOf(entry(), entry({ key: base64(2) })),
      'keys[1].namespaces[0] already has a key of that id: keys[0]',
    ],
    [
      'has a key for several namespaces, which its payloads do not tell apart',
      documentOf(entry({ namespaces: ['orders', 'billing'] })),
      'keys[0].namespaces must be one namespace, written out in full',
    ],
    [
      'has a key for a pattern of namespaces',
      documentOf(entry({ namespaces: ['orders-*'] })),
      'keys[0].namespaces must be one namespace, written out in full',
    ],
    [
      'has one key under two ids for two namespaces',
      documentOf(entry(), entry({ id: 'b', namespaces: ['billing'] })),
      'keys[1].key is the key of keys[0], which serves another namespace',
    ],
    [
      'has the public key of the samples',
      documentOf(entry({ key: TEST_KEY })),
      "keys[0].key is the public key of Temporal's samples",
    ],
  ])('is refused when it %s', (_, text, message) => {
    expect(() => parseStaticKeys(text, 'refused')).toThrow(KeyDocumentError);
    expect(() => parseStaticKeys(text, 'refused')).toThrow(message);
  });

  it('never shows in an error what is written in it', () => {
    for (const text of [documentOf(entry()).slice(0, -4), `x${documentOf(entry())}`, documentOf(entry({ extra: 1 }))]) {
      let error: unknown;
      try {
        parseStaticKeys(text, 'refused');
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(KeyDocumentError);
      expect(`${(error as Error).stack}${(error as Error).cause}`).not.toContain(base64(1).slice(0, 6));
    }
  });

  it('takes the public key of the samples on this machine only, under the ids that the samples use', () => {
    const set = parseStaticKeys(documentOf(entry({ key: TEST_KEY })), 'accepted');
    const builtIn = samplesTestKeys().keys;
    expect(builtIn.map((key) => key.id)).toEqual(['test-key-id', 'test-key-test-key-test-key-test!']);
    for (const key of builtIn) expect(key.key).toEqual(Uint8Array.from(set.keys[0]?.key as Uint8Array));
  });

  it('names a key in the audit by its id, unless the id is the key', () => {
    const key = Buffer.from('a key that is text, of 32 bytes!');
    const names = [key.toString(), key.toString('base64'), key.toString('hex'), 'plain', ''].map(
      (id) => setOf(entry({ id, key: key.toString('base64') })).keys[0]?.name,
    );
    expect(names).toEqual([
      expect.stringMatching(/^static\/sha256:[0-9a-f]{8}$/),
      expect.stringMatching(/^static\/sha256:[0-9a-f]{8}$/),
      expect.stringMatching(/^static\/sha256:[0-9a-f]{8}$/),
      'static/plain',
      'static/(empty id)',
    ]);
  });
});

describe('a file of static keys', () => {
  it('is for its owner alone, and named in every error', () => {
    const folder = mkdtempSync(join(tmpdir(), 'static-keys-'));
    try {
      const path = join(folder, 'keys.json');
      expect(() => readStaticKeysFile(path)).toThrow(`The file of static keys ${path} does not exist.`);
      writeFileSync(path, documentOf(entry({ key: TEST_KEY })), { mode: 0o600 });
      expect(readStaticKeysFile(path).keys).toHaveLength(1);
      chmodSync(path, 0o640);
      expect(() => readStaticKeysFile(path)).toThrow(`run "chmod 600 ${path}"`);
      chmodSync(path, 0o600);
      writeFileSync(path, '{}');
      expect(() => readStaticKeysFile(path)).toThrow(
        `The file of static keys ${path} cannot be used: the document of static keys has no "keys".`,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('static keys', () => {
  it('stay whole while they are in use, so that erasing a set cannot garble what is under way', () => {
    const set = setOf(entry());
    const key = new StaticKeySource(set).unwrap(request('a'), contextFor('orders'));
    eraseStaticKeys(set);
    if (key instanceof Promise) throw new Error('it made us wait');
    expect(key.bytes).toEqual(new Uint8Array(32).fill(1));
    key.release();
    expect([...key.bytes, ...(set.keys[0]?.key ?? [])].some(Boolean)).toBe(false);
  });

  it('serve a request without a namespace only where everybody has the key', async () => {
    const samples = new StaticKeySource(samplesTestKeys());
    expect(await reasonOf(() => samples.unwrap(request('test-key-id'), contextFor(undefined)))).toBe('opened');
    const keys = new StaticKeySource(setOf(entry()));
    expect(await reasonOf(() => keys.unwrap(request('a'), contextFor(undefined)))).toBe('wrong-namespace');
  });

  it('of a secret serve no namespace but that of the current version, once a key is moved to another', async () => {
    const versions = { current: documentOf(entry({ namespaces: ['billing'] })), previous: documentOf(entry()) };
    const keys = new StaticKeySource(parseStaticKeySecret(versions));
    expect(await reasonOf(() => keys.unwrap(request('a'), contextFor('billing')))).toBe('opened');
    expect(await reasonOf(() => keys.unwrap(request('a'), contextFor('orders')))).toBe('wrong-namespace');
  });

  it('of a secret serve no more once they are taken out of it, though it was the last key that was asked for', async () => {
    let set = setOf(entry());
    const keys = new StaticKeySource({ get: () => set, refresh: () => set });
    const open = () => keys.unwrap(request('a'), contextFor('orders'));
    expect(await reasonOf(open)).toBe('opened');
    set = setOf(entry({ id: 'b', key: base64(2) }));
    expect(await reasonOf(open)).toBe('unknown-key');
  });

  it('of one id are tried in the order of the document, where the public one serves the namespace, too', async () => {
    const document = documentOf(entry({ key: base64(2) }), entry({ key: TEST_KEY, namespaces: ['*'] }));
    const keys = new StaticKeySource(parseStaticKeys(document, 'accepted'));
    const firstByteOf = async (fits?: (key: Uint8Array) => boolean) =>
      (await keys.unwrap(request('a', fits), contextFor('orders'))).bytes[0];
    expect(await firstByteOf()).toBe(2);
    expect(await firstByteOf((key) => key[0] !== 2)).toBe('t'.charCodeAt(0));
    expect(
      await reasonOf(() =>
        keys.unwrap(
          request('a', () => false),
          contextFor('orders'),
        ),
      ),
    ).toBe('not-authentic');
  });

  it('of a secret are those of its current version alone', () => {
    const versions = { current: documentOf(entry()), previous: documentOf(entry({ key: base64(2) })) };
    expect(parseStaticKeySecret(versions).keys.map((key) => key.key[0])).toEqual([1]);
    expect(() => parseStaticKeySecret({ current: 'x' })).toThrow(KeyDocumentError);
    expect(() => parseStaticKeySecret({ current: documentOf(entry({ key: TEST_KEY })) })).toThrow('public key');
  });

  it('try a limited number of keys on a payload without an id, and each key once', async () => {
    const many = Array.from({ length: 40 }, (_, i) => entry({ id: `k${i}`, key: base64(i >> 1) }));
    const tried: number[] = [];
    const fits = (key: Uint8Array) => tried.push(key[0] ?? 0) < 0;
    const keys = new StaticKeySource(setOf(...many));
    expect(await reasonOf(() => keys.unwrap(request('', fits), contextFor('orders')))).toBe('not-authentic');
    expect(tried).toEqual(Array.from({ length: 16 }, (_, i) => i));
  });

  it('prefer a key that is configured for the empty id', async () => {
    const keys = new StaticKeySource(setOf(entry(), entry({ id: '', key: base64(2) })));
    expect((await keys.unwrap(request(''), contextFor('orders'))).bytes[0]).toBe(2);
  });

  it.each([
    ['at once', false],
    ['later', true],
  ])('are read anew when a payload names an unknown one, and answer %s', async (_, later) => {
    let refreshes = 0;
    const give = (set: StaticKeySet) => (later ? Promise.resolve(set) : set);
    const old = setOf(entry());
    const fresh = setOf(entry(), entry({ id: 'b' }));
    const source: SecretSource<StaticKeySet> = {
      get: () => give(old),
      refresh: () => give(++refreshes > 1 ? fresh : old),
    };
    const keys = new StaticKeySource(source);
    expect(await reasonOf(() => keys.unwrap(request('a'), contextFor('orders')))).toBe('opened');
    expect(refreshes).toBe(0);
    expect(await reasonOf(() => keys.unwrap(request('b'), contextFor('orders')))).toBe('unknown-key');
    expect(await reasonOf(() => keys.unwrap(request('b'), contextFor('orders')))).toBe('opened');
    expect(refreshes).toBe(2);
  });

  it('open nothing but sample payloads, and write nothing', async () => {
    const keys = new StaticKeySource(setOf(entry()));
    const message = { kind: 'message', encryptedDataKeys: [], encryptionContext: new Map() } as const;
    expect(await reasonOf(() => keys.unwrap(message, contextFor('orders')))).toBe('unknown-key');
    expect(() => keys.materialsFor()).toThrow('static keys only read');
  });
});
