/**
 * The function's code: one minified ES module with everything inside, the environment's configuration included. It has
 * no source map: a function on Lambda reads none, and a map names the folders of the machine that made it.
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, buildSync, type Metafile } from 'esbuild';
import { isMultiRegion } from '../../config/bucket.ts';
import { type DeploymentConfig, isRestApi } from '../../config/environment.ts';
import type { CodecServerConfig } from '../../config/schema.ts';

/** The root of the project, where esbuild resolves from. */
export const PROJECT_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Some packages are CommonJS inside and `require` what Node brings, which an ES module has no word for. */
const REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/** What S3 alone answers with, among what is asked here. */
export const STREAMS_OF_EVENTS = '@smithy/core/event-streams';

/** Takes the place of what is not bundled. */
export const NOT_BUNDLED = './lib/bundle/not-bundled.ts';

/** How esbuild makes a function's code, whatever its entry. */
export const FUNCTION_SETTINGS = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // Packages' ES modules, of which what is not used falls away.
  mainFields: ['module', 'main'],
  // Lambda brings an AWS SDK of its own choice; this one is tested.
  external: [],
  alias: {
    '@aws-sdk/credential-provider-node': './lib/bundle/lambda-credentials.ts',
    'node:http': './lib/bundle/node-http.ts',
    'node:process': './lib/bundle/node-process.ts',
  },
  minify: true,
  legalComments: 'none',
  banner: { js: REQUIRE },
  logLevel: 'warning',
  metafile: true,
} satisfies BuildOptions & { metafile: true };

/** A configuration, and how it is deployed where it says so. */
type BundledConfig = CodecServerConfig & { readonly deployment?: Partial<Pick<DeploymentConfig, 'front' | 'alarms'>> };

/** What is to be bundled, and where to. */
export interface BundleOptions {
  /** The file of the environment's configuration, an absolute path. */
  readonly configFile: string;
  /** What is in the file. */
  readonly config: BundledConfig;
  /** The environment's name. */
  readonly environment: string;
  /** Where `index.mjs` is written. */
  readonly outdir: string;
}

/**
 * Bundles the function.
 *
 * @returns esbuild's account of what came from where
 * @throws when a file does not compile or a module cannot be found
 */
export function bundleFunction({ configFile, config, environment, outdir }: BundleOptions): Metafile {
  const { metafile } = buildSync({
    stdin: {
      contents: entryOf(configFile, config, environment),
      loader: 'ts',
      resolveDir: PROJECT_ROOT,
      sourcefile: 'entry.ts',
    },
    absWorkingDir: PROJECT_ROOT,
    outfile: `${outdir}/index.mjs`,
    ...FUNCTION_SETTINGS,
    alias: { ...FUNCTION_SETTINGS.alias, ...aliasesFor(config) },
  });
  return metafile;
}

/** Packages that something smaller takes the place of: what the configuration does not use costs every cold start otherwise. */
function aliasesFor({ keys, identity, codecs = [], storage }: CodecServerConfig): Record<string, string> {
  const secrets = [
    ...[keys.staticKeys, identity?.serviceTokens, identity?.temporalCloudRoles?.apiKey],
    ...[identity?.signIn?.clientSecret, identity?.signIn?.sessionKeys],
  ];
  const hasSecrets = Boolean(keys.keyringSecret) || secrets.some((it) => it && 'secret' in it);
  const unused = [
    ...(keys.kms === null ? ['@aws-sdk/client-kms'] : []),
    ...(hasSecrets ? [] : ['@aws-sdk/client-secrets-manager']),
    ...(keys.kms?.some(({ assumeRole }) => assumeRole !== undefined) ? [] : ['@aws-sdk/nested-clients/sts']),
    ...(storage ? [] : ['@aws-sdk/client-s3', STREAMS_OF_EVENTS]),
    ...(storage?.buckets.some(({ bucket }) => isMultiRegion(bucket)) ? [] : ['@aws-sdk/signature-v4a']),
    // Counts the bytes of external payloads in Temporal's own Payload type, which only codecs of a team's own see.
    ...(codecs.length === 0 ? ['long'] : []),
  ];
  return Object.fromEntries(unused.map((name) => [name, NOT_BUNDLED]));
}

/** The entry that puts one environment's configuration, its front's events and the handler together; and its sign-in and canary, if it has them. */
function entryOf(configFile: string, { identity, deployment }: BundledConfig, environment: string): string {
  const events = isRestApi(deployment?.front) ? 'rest-api-events' : 'http-api-events';
  const config = JSON.stringify(`./${relative(PROJECT_ROOT, configFile)}`);
  const hasSignIn = Boolean(identity?.signIn);
  const hasCanary = Boolean(deployment?.alarms?.canary);
  const parts = ['openEvents', ...(hasSignIn ? ['openSignIn'] : []), ...(hasCanary ? ['loadCanary'] : [])];
  return [
    `import config from ${config};`,
    "import { startInProcess } from './bin/function.ts';",
    `import { openEvents } from './lambda/${events}.ts';`,
    ...(hasSignIn ? ["import { openSignIn } from './lambda/server/sign-in/open-sign-in.ts';"] : []),
    ...(hasCanary
      ? ["import { createCanary } from './lambda/server/canary.ts';", 'const loadCanary = async () => createCanary;']
      : []),
    `export const handler = await startInProcess(config, ${JSON.stringify(environment)}, { ${parts.join(', ')} });`,
  ].join('\n');
}
