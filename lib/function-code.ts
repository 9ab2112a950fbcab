/**
 * The code of the function as an asset: what the package brings, built once, and beside it the configuration. Its hash
 * is that of these files, so that every machine that deploys the same deploys nothing new.
 */

import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { CodecServerConfig } from '../config/schema.ts';
import { REQUIRE } from './names.ts';

/** Where the package has the function, seen from its ES modules and from its CommonJS. */
const FUNCTION_FOLDER =
  ['../function', '../../function'].map((place) => fileURLToPath(new URL(place, import.meta.url))).find(existsSync) ??
  fileURLToPath(new URL('../dist/function', import.meta.url));

/** What the asset is made of. */
export interface FunctionCodeProps {
  /** The environment's name. */
  readonly environment: string;
  readonly config: CodecServerConfig;
  /** Whether events come from a REST API; else from an HTTP API. */
  readonly restApi: boolean;
  /** The text of a module whose default export are codecs of a team's own. */
  readonly codecs: string | undefined;
  /** Where the built function is. Default: the package's. */
  readonly folder?: string | undefined;
}

/** The asset, put together in this process when its stack is synthesized, and named by what is in it. */
export function prebuiltCode({ folder = FUNCTION_FOLDER, ...props }: FunctionCodeProps): Code {
  const key = [folder, props.codecs ?? '', props.environment, String(props.restApi), JSON.stringify(props.config)];
  // The CDK asks for a folder that exists.
  return Code.fromAsset(existsSync(folder) ? folder : '.', {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never used: everything happens in this process.
      image: DockerImage.fromRegistry('none'),
      // The CDK takes two assets of the same source for one, and so would give an environment the configuration of another.
      environment: { ASSET: JSON.stringify(key) },
      local: {
        tryBundle(outdir) {
          putTogether(folder, outdir, props);
          return true;
        },
      },
    },
  });
}

/**
 * Copies the function and writes its configuration beside it.
 *
 * @param folder where the built function is
 * @param outdir the folder of the asset
 * @throws Error where there is no function in `folder`
 */
export function putTogether(
  folder: string,
  outdir: string,
  { environment, config, restApi, codecs }: FunctionCodeProps,
): void {
  if (!existsSync(join(folder, 'index.mjs')))
    throw new Error(`there is no function in ${folder}: in a clone of the repository, npm run build makes it.`);
  // Read and written, since Yarn's Plug'n'Play keeps packages in archives, where cpSync finds nothing.
  for (const file of readdirSync(folder)) writeFileSync(join(outdir, file), readFileSync(join(folder, file)));
  const settings = { environment, config, restApi, codecs: codecs !== undefined };
  writeFileSync(join(outdir, 'config.json'), `${JSON.stringify(settings)}\n`);
  if (codecs !== undefined) bundleCodecs(codecs, join(outdir, 'codecs.mjs'));
  // The asset keeps modes, and Lambda reads it as another user: a umask of 077 must not hide the files from it.
  for (const file of readdirSync(outdir)) chmodSync(join(outdir, file), 0o644);
}

/** The module of codecs that is the file `entry`, a path from the working folder. */
export function codecsOf(entry: string): string {
  return `export { default } from ${JSON.stringify(resolve(entry))};`;
}

/** @throws Error where the app has no esbuild, or the module does not compile */
function bundleCodecs(contents: string, outfile: string): void {
  let esbuild: typeof import('esbuild');
  try {
    esbuild = createRequire(join(process.cwd(), 'package.json'))('esbuild') as typeof esbuild;
  } catch (cause) {
    throw new Error('codecs are bundled with esbuild, which is not installed: npm install --save-dev esbuild', {
      cause,
    });
  }
  esbuild.buildSync({
    stdin: { contents, resolveDir: process.cwd() },
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    banner: { js: REQUIRE },
    logLevel: 'warning',
  });
}
