/**
 * Builds the function that the package brings: one for every configuration, split where one need not be loaded. A cold
 * start pays for every file that it opens and every byte that it parses, so what is always loaded is few files.
 */
import { relative } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { FUNCTION_SETTINGS, NOT_BUNDLED, PROJECT_ROOT, STREAMS_OF_EVENTS } from './bundle.ts';

/** What every configuration loads: the server itself. */
const ALWAYS_LOADED = './bin/function.ts';

/** The KMS client by the name it is imported by; and in a file of its own, which comes beside the others. */
const KMS_CLIENT = 'codec/keys/kms/kms-client.ts';

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
 */
export async function buildFunction(outdir: string): Promise<Metafile> {
  const settings = {
    ...FUNCTION_SETTINGS,
    absWorkingDir: PROJECT_ROOT,
    outdir,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    // Nothing in it is CommonJS that would need the `require` which a clone's bundle is given.
    banner: {},
  } satisfies BuildOptions;
  const parts = await Promise.all([
    build({
      ...settings,
      entryPoints: { index: 'bin/prebuilt-function.ts' },
      plugins: [kmsClientApart, oneFileForTheServer],
    }),
    build({
      ...settings,
      alias: { ...settings.alias, [STREAMS_OF_EVENTS]: NOT_BUNDLED },
      entryPoints: { 'kms-client': KMS_CLIENT },
    }),
  ]);
  return {
    inputs: Object.assign({}, ...parts.map(({ metafile }) => metafile.inputs)),
    outputs: Object.assign({}, ...parts.map(({ metafile }) => metafile.outputs)),
  };
}
