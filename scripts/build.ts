/**
 * Builds the package into `dist`: everything as ES modules, and once more as CommonJS the codec, which is what most
 * Temporal workers are and what Jest needs to load it, and the construct, which is what many CDK apps are. Beside them,
 * the function that the construct deploys, and the bill of materials. Then the package for workers, into `codec/dist`.
 */
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildFunction } from '../lib/bundle/bundle.ts';
import { buildCodecAsCommonJs, buildWorkerPackage, compile, copyDeclarations } from './build-worker.ts';
import { writeSbom } from './sbom.ts';

const inRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** The CDK construct and the configuration once more as CommonJS, each with its declarations. */
async function buildCdkCommonJs(): Promise<void> {
  await build({
    absWorkingDir: inRoot('.'),
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
    copyDeclarations(inRoot(`dist/${folder}`), inRoot(`dist/cjs-cdk/${folder}`));
  writeFileSync(inRoot('dist/cjs-cdk/package.json'), '{ "type": "commonjs" }\n');
}

/** What `codec-server init` copies. */
function copyStarter(): void {
  for (const name of ['dev', 'prod']) cpSync(inRoot(`environments/${name}.ts`), inRoot(`dist/environments/${name}.ts`));
}

rmSync(inRoot('dist'), { recursive: true, force: true });
compile(inRoot('tsconfig.build.json'));
await buildCodecAsCommonJs(inRoot('dist/codec'), inRoot('dist/cjs'));
await buildCdkCommonJs();
await buildFunction(inRoot('dist/function'));
copyStarter();
writeSbom();
await buildWorkerPackage();
