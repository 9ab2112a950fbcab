/** The environments: the files of a folder whose default export is one. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EnvironmentConfig } from '../config/environment.ts';

/** An environment, and the file it comes from. */
export interface Environment {
  /** The file's name without extension: `dev`. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  readonly config: EnvironmentConfig;
}

/** A name that can stand in names of AWS resources. */
const NAME = /^[a-z][a-z0-9-]{0,30}$/;

/**
 * Reads every TypeScript file of `folder` and takes those that export an environment by default, in
 * the order of their names.
 *
 * @throws Error when such a file's name cannot be an environment's
 */
export async function findEnvironments(folder: string): Promise<Environment[]> {
  const environments: Environment[] = [];
  for (const entry of readdirSync(folder).sort()) {
    if (!entry.endsWith('.ts')) continue;
    const file = join(folder, entry);
    const { default: config } = (await import(pathToFileURL(file).href)) as { default?: unknown };
    if (!isEnvironment(config)) continue;
    const name = basename(entry, '.ts');
    if (!NAME.test(name)) {
      throw new Error(`${file}: an environment's file is named with a-z, 0-9 and -, 31 characters at the most.`);
    }
    environments.push({ name, file, config });
  }
  return environments;
}

function isEnvironment(value: unknown): value is EnvironmentConfig {
  return typeof value === 'object' && value !== null && 'deployment' in value;
}
