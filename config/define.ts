/** For files of configuration: the compiler checks what is given, and the editor completes it. */
import type { EnvironmentConfig } from './environment.ts';
import type { CodecServerConfig } from './schema.ts';

/** A codec server's configuration, as it is. */
export function defineConfig<const T extends CodecServerConfig>(config: T): T {
  return config;
}

/** An environment: a configuration, and how it is deployed. */
export function defineEnvironment<const T extends EnvironmentConfig>(environment: T): T {
  return environment;
}
