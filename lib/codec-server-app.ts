/** The CDK app: a stack for each environment. */
import { readdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { App, Stack } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import { checkDeployment } from '../config/checks/deployment.ts';
import { type EnvironmentConfig, isRestApi } from '../config/environment.ts';
import { PROJECT_ROOT } from './bundle/bundle.ts';
import { CodecServerStack } from './codec-server-stack.ts';
import { prebuiltCode } from './function-code.ts';
import { isResourceName, stackNameOf } from './names.ts';
import { RefusedStack } from './refuse.ts';

// The environments: the files of a folder whose default export is one.

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
      throw new Error(`${file}: an environment's file is named with a-z, 0-9 and -, 31 characters at most.`);
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

/**
 * Adds the stacks of `environments`; the one of an environment with problems refuses to be synthesized.
 *
 * @param functionFolder where `buildFunction` has put the function. Default: where the package has it.
 */
export function addEnvironments(app: App, environments: readonly Environment[], functionFolder?: string): Stack[] {
  return environments.map((environment) => {
    const { name, file, config } = environment;
    const problems = checkDeployment(config);
    return problems.length > 0
      ? new RefusedStack(app, stackNameOf(name), { configFile: relative(PROJECT_ROOT, file), problems })
      : new CodecServerStack(app, stackNameOf(name), {
          environment: name,
          config,
          code: functionCode(environment, functionFolder),
        });
  });
}

/** The function, with the environment's configuration beside it, and its codecs, which are code. */
function functionCode({ name, file, config }: Environment, folder: string | undefined): Code {
  const { deployment, codecs = [], ...serverConfig } = config;
  return prebuiltCode({
    environment: name,
    config: serverConfig,
    restApi: isRestApi(deployment.front),
    codecs:
      codecs.length === 0 ? undefined : `import config from ${JSON.stringify(file)};export default config.codecs;`,
    folder,
  });
}
