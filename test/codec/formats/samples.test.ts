import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { StaticKeySource } from '../../../codec/keys/static/static-key-source.ts';
import { parseStaticKeys, samplesTestKeys } from '../../../codec/keys/static/static-keys.ts';
import { metadataText, serializePayload } from '../../../codec/payload.ts';
import { decodeOne } from '../../support/decoding.ts';
import { fromJson, type JsonPayload, jsonPlain, payloadOf, sealAesGcm, toJson } from '../../support/payloads.ts';

interface Vectors {
  staticKey: { utf8: string };
  good: { producer: string; name: string; namespace: string; payload: JsonPayload; expect: JsonPayload }[];
}

const vectors: Vectors = JSON.parse(readFileSync(new URL('../../vectors/samples.json', import.meta.url), 'utf8'));
const testKeys = new StaticKeySource(samplesTestKeys());
const key = (fill: number) => Buffer.alloc(32, fill);

function keysOf(...keys: { id: string; key: Buffer; namespaces: string[] }[]): StaticKeySource {
  const document = { keys: keys.map((it) => ({ ...it, key: it.key.toString('base64') })) };
  return new StaticKeySource(parseStaticKeys(JSON.stringify(document), 'refused'));
}

function sealed(plain: unknown, withKey: Buffer, id?: string) {
  return payloadOf(
    { encoding: 'binary/encrypted', ...(id !== undefined && { 'encryption-key-id': id }) },
    sealAesGcm(withKey, serializePayload(jsonPlain(plain))),
  );
}

describe("payloads of Temporal's samples", () => {
  it.each(vectors.good.map((it) => [`${it.producer}: ${it.name}`, it] as const))(
    'decode for ever: %s',
    async (_, vector) => {
      const outcome = await decodeOne(fromJson(vector.payload), { staticKeys: testKeys, namespace: vector.namespace });
      expect(outcome).toMatchObject({ kind: 'decoded' });
      expect(outcome.kind === 'decoded' && toJson(outcome.payload)).toEqual({ data: '', ...vector.expect });
    },
  );

  it.each(
    vectors.good
      .filter((it) => !it.producer.includes('snappy'))
      .map((it) => [`${it.producer}: ${it.name}`, it] as const),
  )('stay closed without the key: %s', async (_, vector) => {
    const staticKeys = keysOf({ id: 'test-key-id', key: key(1), namespaces: [vector.namespace] });
    const outcome = await decodeOne(fromJson(vector.payload), { staticKeys, namespace: vector.namespace });
    expect(outcome.kind).toBe('cannot-open');
  });

  it('never use the id on the wire as a key, which the Java sample makes it', async () => {
    const java = vectors.good.find((it) => it.producer.includes('java'));
    const payload = fromJson((java as { payload: JsonPayload }).payload);
    expect(metadataText(payload, 'encryption-key-id')).toBe(vectors.staticKey.utf8);
    const staticKeys = keysOf({ id: 'other', key: key(1), namespaces: ['default'] });
    expect(await decodeOne(payload, { staticKeys, namespace: 'default' })).toMatchObject({
      kind: 'cannot-open',
      reason: 'unknown-key',
    });
  });

  it('are refused in a namespace that the key of their id is not configured for', async () => {
    const staticKeys = keysOf({ id: 'a', key: key(1), namespaces: ['orders'] });
    const payload = sealed(1, key(1), 'a');
    expect(await decodeOne(payload, { staticKeys, namespace: 'orders' })).toMatchObject({ kind: 'decoded' });
    for (const namespace of ['billing', undefined])
      expect(await decodeOne(payload, { staticKeys, namespace })).toMatchObject({ reason: 'wrong-namespace' });
    expect(await decodeOne(sealed(1, key(1), 'b'), { staticKeys, namespace: 'orders' })).toMatchObject({
      reason: 'unknown-key',
    });
  });

  it('open by the key of their id, whichever other key would fit', async () => {
    const staticKeys = keysOf({ id: 'a', key: key(1), namespaces: ['x'] }, { id: 'b', key: key(2), namespaces: ['x'] });
    expect(await decodeOne(sealed(1, key(2), 'a'), { staticKeys, namespace: 'x' })).toMatchObject({
      reason: 'not-authentic',
    });
  });

  it.each([
    ['an empty id', ''],
    ['no id', undefined],
  ])('with %s open by any key of their namespace, and of no other', async (_, id) => {
    const staticKeys = keysOf(
      { id: 'a', key: key(1), namespaces: ['orders'] },
      { id: 'b', key: key(2), namespaces: ['orders'] },
      { id: 'c', key: key(3), namespaces: ['billing'] },
    );
    const open = (withKey: Buffer, namespace: string) => decodeOne(sealed(1, withKey, id), { staticKeys, namespace });
    expect(await open(key(1), 'orders')).toMatchObject({ kind: 'decoded' });
    expect(await open(key(2), 'orders')).toMatchObject({ kind: 'decoded' });
    expect(await open(key(3), 'orders')).toMatchObject({ kind: 'cannot-open', reason: 'not-authentic' });
    expect(await open(key(3), 'billing')).toMatchObject({ kind: 'decoded' });
    expect(await open(key(1), 'shipping')).toMatchObject({ kind: 'cannot-open', reason: 'unknown-key' });
  });

  it('open with the tag before the ciphertext, as the .NET sample wrote until October 2024', async () => {
    const staticKeys = keysOf({ id: 'a', key: key(1), namespaces: ['x'] }, { id: 'b', key: key(2), namespaces: ['x'] });
    for (const id of ['b', undefined]) {
      const { metadata, data } = sealed({ hello: 'world' }, key(2), id);
      const [nonce, ciphertext, tag] = [data.subarray(0, 12), data.subarray(12, -16), data.subarray(-16)];
      const older = payloadOf(metadata, Buffer.concat([nonce, tag, ciphertext]));
      expect(await decodeOne(older, { staticKeys, namespace: 'x' })).toMatchObject({
        kind: 'decoded',
        payload: jsonPlain({ hello: 'world' }),
      });
      expect(await decodeOne(older, { staticKeys, namespace: 'y' })).toMatchObject({ kind: 'cannot-open' });
      const altered = Buffer.from(older.data);
      altered[30] = (altered[30] as number) ^ 1;
      expect(await decodeOne({ ...older, data: altered }, { staticKeys, namespace: 'x' })).toMatchObject({
        reason: 'not-authentic',
      });
    }
  });

  it('stay closed after any flipped bit and any truncation', async () => {
    const payload = sealed({ hello: 'world' }, key(1), 'a');
    const staticKeys = keysOf({ id: 'a', key: key(1), namespaces: ['x'] });
    const reasonOf = async (data: Uint8Array) => {
      const outcome = await decodeOne({ ...payload, data }, { staticKeys, namespace: 'x' });
      return outcome.kind === 'cannot-open' ? outcome.reason : outcome.kind;
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(payload.data.length * 8 - 1), async (bit) => {
        const data = Buffer.from(payload.data);
        data[bit >> 3] = (data[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(await reasonOf(data)).toBe('not-authentic');
      }),
    );
    for (let length = 0; length < payload.data.length; length++)
      expect(await reasonOf(payload.data.subarray(0, length))).toBe(length < 28 ? 'malformed' : 'not-authentic');
    expect(await reasonOf(Buffer.concat([payload.data, Buffer.alloc(1)]))).toBe('not-authentic');
  });
});
