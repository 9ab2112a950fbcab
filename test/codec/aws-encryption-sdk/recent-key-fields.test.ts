import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { contextOfNamespace } from '../../../codec/aws-encryption-sdk/encryption-context.ts';
import { wrapDataKey } from '../../../codec/aws-encryption-sdk/raw-aes-keyring.ts';
import { decryptMessage, parseMessage } from '../../../codec/aws-encryption-sdk/reader.ts';
import { encryptMessage } from '../../../codec/aws-encryption-sdk/writer.ts';
import { MalformedPayloadError } from '../../../codec/errors.ts';
import { wrappingKey } from '../../support/aws-encryption-sdk.ts';

const KEPT = 1000;
/** Where the encryption context begins in a message. */
const FIELDS_AT = 35;

/** Writes messages with one data key. */
function writer(namespace = 'orders', key = wrappingKey()) {
  const dataKey = randomBytes(32);
  const encryptionContext = contextOfNamespace(namespace);
  const encryptedDataKeys = [wrapDataKey(key, dataKey, encryptionContext)];
  return {
    dataKey,
    encryptedDataKeys,
    encryptionContext,
    write: (text: string) => encryptMessage(Buffer.from(text), { dataKey, encryptedDataKeys, encryptionContext }),
  };
}

/** Undefined where a message is malformed. */
function keysOf(message: Buffer) {
  try {
    return fieldsOf(message).encryptedDataKeys;
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedPayloadError);
    return undefined;
  }
}

function fieldsOf(message: Buffer) {
  const { encryptionContext, encryptedDataKeys } = parseMessage(message).header;
  return { encryptionContext, encryptedDataKeys };
}

describe('the fields that messages of one data key share', () => {
  it('are the same objects, and say what each of the messages says', () => {
    const { write, encryptedDataKeys, encryptionContext, dataKey } = writer();
    fieldsOf(write('one'));
    const kept = fieldsOf(write('two'));
    const message = write('three');
    const again = fieldsOf(message);
    expect(again.encryptedDataKeys).toBe(kept.encryptedDataKeys);
    expect(again.encryptionContext).toBe(kept.encryptionContext);
    expect(again.encryptionContext).toEqual(encryptionContext);
    expect(again.encryptedDataKeys.map(({ ciphertext }) => Buffer.from(ciphertext))).toEqual(
      encryptedDataKeys.map(({ ciphertext }) => Buffer.from(ciphertext)),
    );
    expect(decryptMessage(parseMessage(message), dataKey).toString()).toBe('three');
  });

  it('are not a view of a message', () => {
    const { write } = writer();
    const message = write('one');
    fieldsOf(message);
    message.fill(0);
    expect(fieldsOf(write('two')).encryptionContext.get('temporal-namespace')).toBe('orders');
  });

  it('are those of the message at hand, whichever bit of them differs', () => {
    const { write } = writer();
    const message = write('one');
    // Content type, frame length and key commitment follow the fields.
    const end = parseMessage(message).header.authenticated.length - 37;
    for (let at = FIELDS_AT; at < end; at++) {
      for (let bit = 1; bit < 256; bit <<= 1) {
        fieldsOf(message);
        const kept = fieldsOf(message).encryptedDataKeys;
        const other = Buffer.from(message);
        other[at] = (message[at] as number) ^ bit;
        expect(keysOf(other)).not.toBe(kept);
      }
    }
  });

  it('are missed where a message ends within them', () => {
    const { write } = writer();
    const message = write('one');
    fieldsOf(write('two'));
    for (let length = FIELDS_AT; length < parseMessage(message).header.authenticated.length; length++)
      expect(() => parseMessage(message.subarray(0, length))).toThrow(MalformedPayloadError);
  });

  it('are told apart by namespace, although the wrapped keys are of one length', () => {
    const [orders, others] = [writer('orders-a'), writer('orders-b')];
    for (let round = 0; round < 3; round++) {
      expect(fieldsOf(orders.write('x')).encryptionContext.get('temporal-namespace')).toBe('orders-a');
      expect(fieldsOf(others.write('x')).encryptionContext.get('temporal-namespace')).toBe('orders-b');
    }
  });

  it('are kept of the thousand data keys that were used last', () => {
    const { write } = writer();
    fieldsOf(write('x'));
    const kept = fieldsOf(write('x')).encryptedDataKeys;
    for (let others = 1; others < KEPT; others++) fieldsOf(writer().write('x'));
    expect(fieldsOf(write('x')).encryptedDataKeys).toBe(kept);
    for (let others = 0; others < 2 * KEPT; others++) fieldsOf(writer().write('x'));
    expect(fieldsOf(write('x')).encryptedDataKeys).not.toBe(kept);
  });

  it('are those of the message at hand where wrapped keys end alike', () => {
    const { write, encryptedDataKeys, encryptionContext, dataKey } = writer();
    const [wrapped] = encryptedDataKeys;
    if (wrapped === undefined) throw new Error('no key');
    const ciphertext = Buffer.from(wrapped.ciphertext);
    ciphertext[0] = (ciphertext[0] as number) ^ 1;
    const like = [{ ...wrapped, ciphertext }];
    const other = encryptMessage(Buffer.from('x'), { dataKey, encryptedDataKeys: like, encryptionContext });
    for (let round = 0; round < 2; round++) {
      expect(Buffer.from(fieldsOf(write('x')).encryptedDataKeys[0]?.ciphertext ?? [])).toEqual(
        Buffer.from(wrapped.ciphertext),
      );
      expect(Buffer.from(fieldsOf(other).encryptedDataKeys[0]?.ciphertext ?? [])).toEqual(ciphertext);
    }
  });

  it('are not kept where they are long', () => {
    const { write } = writer('n'.repeat(2048));
    const message = write('x');
    expect(fieldsOf(message).encryptedDataKeys).not.toBe(fieldsOf(message).encryptedDataKeys);
  });
});
