/**
 * Builds the function: one for every configuration, split where one need not be loaded. A cold start pays for every file
 * that it opens and every byte that it parses, so what is always loaded is few files. What a clone deploys and what the
 * package brings is this same build. It has no source map: a function on Lambda reads none, and a map names the folders
 * of the machine that made it.
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

/** The root of the project, where esbuild resolves from. */
export const PROJECT_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What every configuration loads: the server itself. Not the entry, which waits for what it loads late. */
const ALWAYS_LOADED = './lambda/handler.ts';

/** The entry, and the KMS client in a file of its own, which comes beside the others. */
export const ENTRIES = { index: 'bin/function.ts', 'kms-client': 'codec/keys/kms/kms-client.ts' } as const;

/** How esbuild makes the function's code, whatever its entry. Nothing in it is CommonJS that would need a `require`. */
const SETTINGS = {
  absWorkingDir: PROJECT_ROOT,
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
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
  logLevel: 'warning',
  metafile: true,
} satisfies BuildOptions & { metafile: true };

/** Only S3 answers with a stream of events, among what is asked here. */
const WITHOUT_STREAMS_OF_EVENTS = {
  ...SETTINGS.alias,
  '@smithy/core/event-streams': './lib/bundle/not-bundled.ts',
};

/**
 * Lets what is loaded late import what is loaded anyway. esbuild writes a file for every set of entries that share a
 * module; without this the server itself is in twenty of them, a few hundred bytes each.
 */
const oneFileForTheServer: Plugin = {
  name: 'one file for the server',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^\.{1,2}\// }, async ({ path, kind, importer, resolveDir, namespace, pluginData }) => {
      const isOurs = kind === 'dynamic-import' && namespace === 'file' && !importer.includes('node_modules');
      if (!isOurs || pluginData === oneFileForTheServer) return undefined;
      const resolved = await resolve(path, { kind, importer, resolveDir, pluginData: oneFileForTheServer });
      if (resolved.external) return resolved;
      // The names of the files that are written depend on it: the same in any folder.
      return { path: `./${relative(PROJECT_ROOT, resolved.path)}`, namespace: 'late' };
    });
    onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({
      contents: `import ${JSON.stringify(ALWAYS_LOADED)};\nexport * from ${JSON.stringify(path)};`,
      resolveDir: PROJECT_ROOT,
    }));
  },
};

/**
 * Leaves the KMS client to a build of its own: one that other AWS clients share would come in six files, with what only
 * they need.
 */
const kmsClientApart: Plugin = {
  name: 'the KMS client apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/kms-client\.ts$/ }, () => ({ path: './kms-client.mjs', external: true }));
  },
};

/**
 * Builds `index.mjs` and what it loads late into `outdir`.
 *
 * @returns esbuild's account of what came from where
 * @throws when a file does not compile or a module cannot be found
 */
export async function buildFunction(outdir: string): Promise<Metafile> {
  const { index, 'kms-client': kmsClient } = ENTRIES;
  const parts = await Promise.all([
    build({ ...SETTINGS, outdir, entryPoints: { index }, plugins: [kmsClientApart, oneFileForTheServer] }),
    build({ ...SETTINGS, outdir, entryPoints: { 'kms-client': kmsClient }, alias: WITHOUT_STREAMS_OF_EVENTS }),
  ]);
  return {
    inputs: Object.assign({}, ...parts.map(({ metafile }) => metafile.inputs)),
    outputs: Object.assign({}, ...parts.map(({ metafile }) => metafile.outputs)),
  };
}
