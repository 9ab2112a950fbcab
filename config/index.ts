/** `temporal-codec-server/config`: what a file of configuration needs. */
export { type TemporalPermissionsOptions, temporalPermissions } from './access-rules.ts';
export { defineConfig, defineEnvironment } from './define.ts';
export type * from './environment.ts';
export type * from './schema.ts';
