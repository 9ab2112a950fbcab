/** The environments: the files of a folder whose default export is one. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EnvironmentConfig } from '../config/environment.ts';
import { isResourceName } from './names.ts';

/** An environment, and the file it comes from. */
export interface Environment {
  /** The file's name without extension: `dev`. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  readonly config: EnvironmentConfig;
}

/**
 * Reads every TypeScript file of `folders` and takes those that export an environment by default, in
 * the order of the folders and their names.
 *
 * @throws Error when such a file's name cannot be an environment's, or two files name the same one
 */
export async function findEnvironments(...folders: readonly string[]): Promise<Environment[]> {
  const environments: Environment[] = [];
  for (const file of folders.flatMap((folder) =>
    readdirSync(folder)
      .sort()
      .map((entry) => join(folder, entry)),
  )) {
    if (!file.endsWith('.ts')) continue;
    const { default: config } = (await import(pathToFileURL(file).href)) as { default?: unknown };
    if (!isEnvironment(config)) continue;
    const name = basename(file, '.ts');
    if (!isResourceName(name)) {
      throw new Error(`${file}: an environment's file is named with a-z, 0-9 and -, 31 characters at the most.`);
    }
    const other = environments.find((environment) => environment.name === name);
    if (other !== undefined) {
      throw new Error(`${other.file} and ${file} are both the environment ${name}: keep one of them.`);
    }
    environments.push({ name, file, config });
  }
  return environments;
}

function isEnvironment(value: unknown): value is EnvironmentConfig {
  return typeof value === 'object' && value !== null && 'deployment' in value;
}
