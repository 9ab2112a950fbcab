/** `temporal-codec-server/config`: what a file of configuration needs. */
export { defineConfig, defineEnvironment, type TemporalPermissionsOptions, temporalPermissions } from './define.ts';
export type * from './environment.ts';
export type * from './schema.ts';
export { CONFIG_VERSION } from './schema.ts';
