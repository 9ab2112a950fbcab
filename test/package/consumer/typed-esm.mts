import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { CannotOpenError, createDataConverter, createPayloadCodec, type KeySource } from 'temporal-codec-server';
import type { CodecServerConfig } from 'temporal-codec-server/config';

declare const source: KeySource;

export const codec: PayloadCodec = createPayloadCodec({ namespace: 'orders-prod.a1b2c', keys: { keyring: 'k.json' } });
export const converter: DataConverter = createDataConverter(
  { namespace: 'orders', keys: { kms: 'arn', source }, compression: 'zstd', alsoDecode: ['orders-*'] },
  { payloadCodecs: [codec] },
);
export const reasonOf = (error: unknown): string => (error instanceof CannotOpenError ? error.reason : 'another');
export const origins = (config: CodecServerConfig): readonly string[] => config.cors.origins;
