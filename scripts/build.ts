/**
 * Builds the package into `dist`: everything as ES modules, and once more as CommonJS the codec, which is what most
 * Temporal workers are and what Jest needs to load it, and the construct, which is what many CDK apps are. Beside them,
 * the function that the construct deploys, and the bill of materials.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildFunction } from '../lib/bundle/build-function.ts';
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

/** The CDK construct and the configuration once more as CommonJS, each with its declarations. */
async function buildCdkCommonJs(): Promise<void> {
  await build({
    entryPoints: [inRoot('lib/index.ts'), inRoot('config/index.ts')],
    outbase: inRoot('.'),
    outdir: inRoot('dist/cjs-cdk'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
  });
  for (const folder of ['lib', 'config', 'codec'])
    cpSync(inRoot(`dist/${folder}`), inRoot(`dist/cjs-cdk/${folder}`), {
      recursive: true,
      filter: (path) => statSync(path).isDirectory() || path.endsWith('.d.ts'),
    });
  writeFileSync(inRoot('dist/cjs-cdk/package.json'), '{ "type": "commonjs" }\n');
}

/** What `codec-server init` copies. */
function copyStarter(): void {
  for (const name of ['dev', 'prod']) cpSync(inRoot(`environments/${name}.ts`), inRoot(`dist/environments/${name}.ts`));
}

rmSync(inRoot('dist'), { recursive: true, force: true });
const compiler = fileURLToPath(import.meta.resolve('typescript/lib/tsc.js'));
const { status } = spawnSync(process.execPath, [compiler, '-p', inRoot('tsconfig.build.json')], { stdio: 'inherit' });
if (status === 0) {
  await buildCommonJs();
  await buildCdkCommonJs();
  buildFunction(inRoot('dist/function'));
  copyStarter();
  writeSbom();
}
process.exitCode = status ?? 1;
