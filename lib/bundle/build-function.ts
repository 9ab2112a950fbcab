/** Builds the function that the package brings: one for every configuration, split where one need not be loaded. */
import { buildSync, type Metafile } from 'esbuild';
import { FUNCTION_SETTINGS, PROJECT_ROOT } from './bundle.ts';

/**
 * Builds `index.mjs` and what it loads late into `outdir`.
 *
 * @returns esbuild's account of what came from where
 */
export function buildFunction(outdir: string): Metafile {
  const { metafile } = buildSync({
    ...FUNCTION_SETTINGS,
    absWorkingDir: PROJECT_ROOT,
    entryPoints: { index: 'bin/prebuilt-function.ts' },
    outdir,
    outExtension: { '.js': '.mjs' },
    splitting: true,
  });
  return metafile;
}
