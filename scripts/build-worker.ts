/**
 * Builds the package `temporal-codec-server-worker` into `codec/dist`: the codec alone, as ES modules and as CommonJS.
 * `npm pack --workspace codec` runs it, and `npm run build`, whose own package has the compiler and the codec in common.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const inRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/**
 * Runs the TypeScript compiler.
 *
 * @throws Error when it fails; it has said why
 */
export function compile(project: string): void {
  const compiler = fileURLToPath(import.meta.resolve('typescript/lib/tsc.js'));
  const { status } = spawnSync(process.execPath, [compiler, '-p', project], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`the compiler failed for ${project}`);
}

/**
 * Writes one file, and the failure converter, which the SDK loads by its path. Packages stay outside.
 *
 * @param modules folder of the codec as ES modules, whose declarations are the same
 */
export async function buildCodecAsCommonJs(modules: string, outdir: string): Promise<void> {
  await build({
    // Comments name files as seen from there, wherever npm runs this.
    absWorkingDir: inRoot('.'),
    entryPoints: [inRoot('codec/index.ts'), inRoot('codec/failure-converter.ts')],
    outdir,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // As require(): Jest cannot import() from CommonJS
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
    logOverride: { 'empty-import-meta': 'silent' },
  });
  // Beside this file, Node and TypeScript take them and the code for CommonJS
  copyDeclarations(modules, outdir);
  writeFileSync(join(outdir, 'package.json'), '{ "type": "commonjs" }\n');
}

/** Copies the declarations of a folder, with the folders that they are in. */
export function copyDeclarations(from: string, to: string): void {
  for (const file of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.d.ts') || file.startsWith('cjs')) continue;
    cpSync(join(from, file), join(to, file));
  }
}

/** @throws Error when the compiler fails; it has said why */
export async function buildWorkerPackage(): Promise<void> {
  rmSync(inRoot('codec/dist'), { recursive: true, force: true });
  compile(inRoot('codec/tsconfig.build.json'));
  await buildCodecAsCommonJs(inRoot('codec/dist'), inRoot('codec/dist/cjs'));
  // Where npm and license checks look for it: in the package's root
  copyFileSync(inRoot('LICENSE'), inRoot('codec/LICENSE'));
}

if (import.meta.main) await buildWorkerPackage();
