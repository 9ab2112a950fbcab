import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { AWS_ENCRYPTION_SDK_ENCODING, awsEncryptionSdkFormat } from '../../../codec/aws-encryption-sdk/reader.ts';
import { deserializePayload, metadataOf } from '../../../codec/payload.ts';
import { ourDecrypt } from '../../support/aws-encryption-sdk.ts';

interface JsonPayload {
  metadata: Record<string, string>;
  data: string;
  externalPayloads?: { sizeBytes: string }[];
}

interface Vectors {
  keyring: { namespace: string; keys: { name: string; key: string }[] };
  good: { name: string; namespace: string; payload: JsonPayload; expect: JsonPayload }[];
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../../vectors/aws-encryption-sdk-python.json', import.meta.url), 'utf8'),
);
const keys = vectors.keyring.keys.map(({ name, key }) => ({
  namespace: vectors.keyring.namespace,
  name,
  key: Buffer.from(key, 'base64'),
}));

describe('the frozen messages of the official Python library', () => {
  it.each(vectors.good.map((vector) => [vector.name, vector] as const))('decode for ever: %s', (_name, vector) => {
    const message = Buffer.from(vector.payload.data, 'base64');
    const payload = deserializePayload(ourDecrypt(message, ...keys));
    expect({
      metadata: Object.fromEntries(
        Object.entries(payload.metadata).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      ),
      data: Buffer.from(payload.data).toString('base64'),
      ...(payload.externalPayloads && {
        externalPayloads: payload.externalPayloads.map((it) => ({ sizeBytes: String(it.sizeBytes) })),
      }),
    }).toEqual(vector.expect);
    const envelope = awsEncryptionSdkFormat.recognize(
      { metadata: metadataOf({ encoding: AWS_ENCRYPTION_SDK_ENCODING }), data: message },
      undefined,
    );
    expect(envelope?.boundNamespace).toBe(vector.namespace);
  });
});
