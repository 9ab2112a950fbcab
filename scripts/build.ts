/**
 * Builds the package into `dist`: everything as ES modules, and the codec once more as CommonJS,
 * which is what most Temporal workers are, and what Jest needs to load it. Beside them, the bill of
 * materials.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeSbom } from './sbom.ts';

const inRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** One file and the failure converter, which the SDK loads by its path. Packages stay outside. */
async function buildCommonJs(): Promise<void> {
  await build({
    entryPoints: [inRoot('codec/index.ts'), inRoot('codec/failure-converter.ts')],
    outdir: inRoot('dist/cjs'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    // As require(): Jest cannot import() from CommonJS
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
  });
  // The declarations are the same; beside this file, Node and TypeScript take them and the code for CommonJS
  cpSync(inRoot('dist/codec'), inRoot('dist/cjs'), {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() || path.endsWith('.d.ts'),
  });
  writeFileSync(inRoot('dist/cjs/package.json'), '{ "type": "commonjs" }\n');
}

rmSync(inRoot('dist'), { recursive: true, force: true });
const compiler = fileURLToPath(import.meta.resolve('typescript/lib/tsc.js'));
const { status } = spawnSync(process.execPath, [compiler, '-p', inRoot('tsconfig.build.json')], { stdio: 'inherit' });
if (status === 0) {
  await buildCommonJs();
  writeSbom();
}
process.exitCode = status ?? 1;
