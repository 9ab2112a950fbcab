import { describe, expect, it } from '@jest/globals';
import { StaticKeySource } from '../../../codec/keys/static/static-key-source.ts';
import { parseStaticKeys } from '../../../codec/keys/static/static-keys.ts';
import { metadataOf, type Payload } from '../../../codec/payload.ts';
import { decodeOne } from '../../support/decoding.ts';

const ORDERS = 'orders-dev.a1b2c';
/** Made by Tink's Python library, with a keyset of one key; `value` is its `AesGcmKey` message, whose last 32 bytes are the key. */
const KEY_ID = 1465151859;
const VALUE = 'GiCHnAmUhT1uizC7xK9EZ6NvgqLBapzZ5WZ4WuW1A6NLqw==';
const DATA = 'AVdUcXM9v4AsaV9aSvgNiBfyL0KvN91vfIpXDXvz44ggmVuADe6l8M1rd32LryF6Dp751xoeM88SNLq4ae8V7xX0MXB0/dZOjpAszRs=';
const KEY = Buffer.from(VALUE, 'base64').subarray(-32).toString('base64');

const payload = (namespace = ORDERS, data = Buffer.from(DATA, 'base64')): Payload => ({
  metadata: metadataOf({ encoding: 'binary/encrypted', 'encryption-context-namespace': namespace }),
  data,
});
const keysOf = (id: string, namespace = ORDERS) =>
  new StaticKeySource(
    parseStaticKeys(JSON.stringify({ keys: [{ id, key: KEY, namespaces: [namespace] }] }), 'refused'),
  );
const staticKeys = keysOf(`tink/${KEY_ID}`);

describe('the Tink format of stdgo', () => {
  it('is read with the key of the keyset, under the namespace that it authenticates', async () => {
    const outcome = await decodeOne(payload(), { staticKeys, namespace: 'another' });
    expect(outcome).toMatchObject({ kind: 'decoded', namespace: ORDERS, layers: ['stdgo-tink'] });
    if (outcome.kind === 'decoded') expect(Buffer.from(outcome.payload.data).toString()).toBe('"Hello from stdgo"');
  });

  it('is denied to whoever may read the named namespace only', async () => {
    const outcome = await decodeOne(payload(), { staticKeys, namespace: 'mine', may: (it) => it === 'mine' });
    expect(outcome).toEqual({ kind: 'denied', namespace: ORDERS });
  });

  it('does not open under the name of another namespace', async () => {
    const outcome = await decodeOne(payload('billing'), { staticKeys: keysOf(`tink/${KEY_ID}`, 'billing') });
    expect(outcome).toMatchObject({ kind: 'cannot-open', reason: 'not-authentic' });
  });

  it('does not open with a key of another id', async () => {
    const outcome = await decodeOne(payload(), { staticKeys: keysOf('tink/1') });
    expect(outcome).toMatchObject({ kind: 'cannot-open', reason: 'unknown-key' });
  });

  it('is refused without the prefix of Tink, cut off, and changed anywhere', async () => {
    const whole = Buffer.from(DATA, 'base64');
    for (let length = 0; length < whole.length; length++)
      expect((await decodeOne(payload(ORDERS, whole.subarray(0, length)), { staticKeys })).kind).toBe('cannot-open');
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect((await decodeOne(payload(ORDERS, changed), { staticKeys })).kind).toBe('cannot-open');
    }
  });
});
