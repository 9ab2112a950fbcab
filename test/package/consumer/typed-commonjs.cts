import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { createDataConverter, createPayloadCodec, type PayloadCodecOptions } from 'temporal-codec-server';

const options: PayloadCodecOptions = {
  namespace: 'orders',
  keys: { kms: [{ namespaces: ['orders'], write: 'arn', read: ['arn'] }] },
  cache: { ttlSeconds: 60 },
};
export const codec: PayloadCodec = createPayloadCodec(options);
export const converter: DataConverter = createDataConverter(options);
