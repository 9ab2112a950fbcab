import { App, Stack } from 'aws-cdk-lib';
import { createPayloadCodec } from 'temporal-codec-server';
import { CodecServer } from 'temporal-codec-server/cdk';
import { defineConfig } from 'temporal-codec-server/config';
import { failureConverter } from 'temporal-codec-server/failure-converter';

declare const config: Parameters<typeof defineConfig>[0];
export const codec = createPayloadCodec({ namespace: 'orders', keys: { keyring: 'k.json' } });
const construct = new CodecServer(new Stack(new App(), 'Team'), 'Codec', {
  name: 'orders',
  config: defineConfig(config),
});
export const endpoint: string = construct.endpoint;
export const converter = failureConverter;
