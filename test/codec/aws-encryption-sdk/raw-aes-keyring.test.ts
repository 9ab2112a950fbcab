import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { contextOfNamespace } from '../../../codec/aws-encryption-sdk/encryption-context.ts';
import { rawAesKeyNameOf, unwrapDataKey, wrapDataKey } from '../../../codec/aws-encryption-sdk/raw-aes-keyring.ts';
import { parseMessage } from '../../../codec/aws-encryption-sdk/reader.ts';
import { officialEncrypt, wrappingKey } from '../../support/aws-encryption-sdk.ts';

const context = contextOfNamespace('orders');
const refused = expect.objectContaining({ reason: 'wrong-context' });

describe('a data key wrapped by a raw AES keyring', () => {
  it('is unwrapped by the same key, into memory of its own', () => {
    const key = wrappingKey('schlüssel');
    const dataKey = randomBytes(32);
    const wrapped = wrapDataKey(key, dataKey, context);
    const unwrapped = unwrapDataKey(key, wrapped, context);
    expect(unwrapped?.equals(dataKey)).toBe(true);
    unwrapped?.fill(0);
    expect(unwrapDataKey(key, wrapped, context)?.equals(dataKey)).toBe(true);
  });

  it('names its key, before anything is unwrapped', () => {
    const wrapped = wrapDataKey(wrappingKey('schlüssel', 'team'), randomBytes(32), context);
    expect(rawAesKeyNameOf(wrapped)).toEqual({ namespace: 'team', name: 'schlüssel' });
  });

  it('is not tried with a key of another name or another keyring', () => {
    const key = wrappingKey('a', 'n');
    const wrapped = wrapDataKey(key, randomBytes(32), context);
    expect(unwrapDataKey({ ...key, name: 'b' }, wrapped, context)).toBeUndefined();
    expect(unwrapDataKey({ ...key, namespace: 'm' }, wrapped, context)).toBeUndefined();
  });

  it('is refused under another key of the same name, and for another namespace', () => {
    const key = wrappingKey();
    const wrapped = wrapDataKey(key, randomBytes(32), context);
    expect(() => unwrapDataKey(wrappingKey(), wrapped, context)).toThrow(refused);
    expect(() => unwrapDataKey(key, wrapped, contextOfNamespace('payments'))).toThrow(refused);
    expect(() => unwrapDataKey(key, wrapped, new Map())).toThrow(refused);
  });

  it('is refused with any byte of IV or ciphertext changed', () => {
    const key = wrappingKey();
    const wrapped = wrapDataKey(key, randomBytes(32), context);
    const flip = (bytes: Uint8Array, at: number) => Buffer.from(bytes).fill((bytes[at] ?? 0) ^ 1, at, at + 1);
    for (let at = 0; at < wrapped.ciphertext.length; at++)
      expect(() => unwrapDataKey(key, { ...wrapped, ciphertext: flip(wrapped.ciphertext, at) }, context)).toThrow(
        refused,
      );
    for (let at = wrapped.providerInfo.length - 12; at < wrapped.providerInfo.length; at++)
      expect(() => unwrapDataKey(key, { ...wrapped, providerInfo: flip(wrapped.providerInfo, at) }, context)).toThrow(
        refused,
      );
  });

  it.each([
    ['another tag length', (info: Buffer) => info.writeUInt32BE(96, info.length - 20)],
    ['another IV length', (info: Buffer) => info.writeUInt32BE(16, info.length - 16)],
    ['a name that is not UTF-8', (info: Buffer) => info.fill(0xff, 0, 1)],
  ])('is nobody’s with %s', (_what, change) => {
    const key = wrappingKey();
    const wrapped = wrapDataKey(key, randomBytes(32), context);
    const providerInfo = Buffer.from(wrapped.providerInfo);
    change(providerInfo);
    expect(rawAesKeyNameOf({ ...wrapped, providerInfo })).toBeUndefined();
    expect(unwrapDataKey(key, { ...wrapped, providerInfo }, context)).toBeUndefined();
  });

  it('is nobody’s when it is too short, of another length, or wrapped by KMS', () => {
    const wrapped = wrapDataKey(wrappingKey(), randomBytes(32), context);
    expect(rawAesKeyNameOf({ ...wrapped, providerInfo: Buffer.alloc(19) })).toBeUndefined();
    expect(rawAesKeyNameOf({ ...wrapped, ciphertext: Buffer.alloc(47) })).toBeUndefined();
    expect(rawAesKeyNameOf({ ...wrapped, providerId: 'aws-kms' })).toBeUndefined();
  });

  it('is laid out as the official library does', async () => {
    const key = wrappingKey('k-ü');
    const message = await officialEncrypt(Buffer.from('x'), key);
    const [official] = parseMessage(message).header.encryptedDataKeys;
    const ours = wrapDataKey(key, randomBytes(32), context);
    expect(ours.providerId).toBe(official?.providerId);
    expect(ours.ciphertext).toHaveLength(official?.ciphertext.length ?? 0);
    const withoutIv = (info: Uint8Array) => Buffer.from(info.subarray(0, -12)).toString('hex');
    expect(withoutIv(ours.providerInfo)).toBe(withoutIv(official?.providerInfo ?? Buffer.alloc(0)));
  });
});
