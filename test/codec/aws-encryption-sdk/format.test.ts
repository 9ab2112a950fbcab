import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { contextOfNamespace, type EncryptionContext } from '../../../codec/aws-encryption-sdk/encryption-context.ts';
import { wrapDataKey } from '../../../codec/aws-encryption-sdk/raw-aes-keyring.ts';
import {
  AWS_ENCRYPTION_SDK_ENCODING,
  awsEncryptionSdkFormat,
  messageEnvelope,
  parseMessage,
} from '../../../codec/aws-encryption-sdk/reader.ts';
import { encryptMessage } from '../../../codec/aws-encryption-sdk/writer.ts';
import { MalformedPayloadError } from '../../../codec/errors.ts';
import { metadataOf, type Payload } from '../../../codec/payload.ts';
import { wrappingKey } from '../../support/aws-encryption-sdk.ts';

const dataKey = randomBytes(32);
const limits = { inflateBudget: 0 };

function payloadIn(encryptionContext: EncryptionContext): Payload {
  const encryptedDataKeys = [wrapDataKey(wrappingKey(), dataKey, encryptionContext)];
  return {
    metadata: metadataOf({ encoding: AWS_ENCRYPTION_SDK_ENCODING }),
    data: encryptMessage(Buffer.from('inner'), { dataKey, encryptedDataKeys, encryptionContext }),
  };
}

describe('our payload format', () => {
  it('asks for the data key of the message, and is bound to the namespace of its context', () => {
    const envelope = awsEncryptionSdkFormat.recognize(payloadIn(contextOfNamespace('orders')), 'payments');
    expect(envelope).toMatchObject({
      format: 'aws-encryption-sdk',
      boundNamespace: 'orders',
      keyRequest: { kind: 'message', encryptionContext: contextOfNamespace('orders') },
    });
    expect(Buffer.from(envelope?.open(dataKey, limits) ?? []).toString()).toBe('inner');
  });

  it('refuses a message that names no namespace, whatever namespace the caller names', () => {
    for (const context of [new Map(), contextOfNamespace(''), new Map([['namespace', 'orders']])])
      expect(() => awsEncryptionSdkFormat.recognize(payloadIn(context), 'orders')).toThrow(MalformedPayloadError);
  });

  it('refuses data that is not a message', () => {
    const payload = { metadata: metadataOf({ encoding: AWS_ENCRYPTION_SDK_ENCODING }), data: Buffer.alloc(0) };
    expect(() => awsEncryptionSdkFormat.recognize(payload, 'orders')).toThrow(MalformedPayloadError);
  });

  it('opens nothing without a data key', () => {
    const envelope = awsEncryptionSdkFormat.recognize(payloadIn(contextOfNamespace('orders')), undefined);
    expect(() => envelope?.open(undefined, limits)).toThrow(expect.objectContaining({ reason: 'unknown-key' }));
  });

  it('lends its envelope to other producers of the same message format', () => {
    const envelope = messageEnvelope(
      'kms-java-sample',
      parseMessage(payloadIn(new Map()).data),
      undefined,
      'kms-java-sample',
    );
    expect(envelope).toMatchObject({ format: 'kms-java-sample', boundNamespace: undefined });
    expect(envelope.keyRequest).toMatchObject({ format: 'kms-java-sample' });
    expect(Buffer.from(envelope.open(dataKey, limits)).toString()).toBe('inner');
  });
});
