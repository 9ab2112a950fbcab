/** `temporal-codec-server/cdk`: the codec server for a CDK app of a team's own. */
export { defineConfig, defineEnvironment } from '../config/define.ts';
export type { EnvironmentConfig } from '../config/environment.ts';
export type { CodecServerConfig } from '../config/schema.ts';
export { CodecServer } from './codec-server.ts';
export type { CodecFunctionOptions, CodecServerDomain, CodecServerProps } from './codec-server-props.ts';
export { CodecServerStack, type CodecServerStackProps } from './codec-server-stack.ts';
export { settleFeatureFlags } from './feature-flags.ts';
