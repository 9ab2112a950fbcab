/**
 * Builds the package `temporal-codec-server-worker` into `codec/dist`: the codec alone, as ES modules and as CommonJS.
 * `npm pack --workspace codec` runs it, and `npm run build`.
 */
import { copyFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildCodecAsCommonJs, compile } from './build-codec.ts';

const inRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** @throws Error when the compiler fails; it has said why */
export async function buildWorkerPackage(): Promise<void> {
  rmSync(inRoot('codec/dist'), { recursive: true, force: true });
  compile(inRoot('codec/tsconfig.build.json'));
  await buildCodecAsCommonJs(inRoot('codec/dist'), inRoot('codec/dist/cjs'));
  copyFileSync(inRoot('LICENSE'), inRoot('codec/dist/LICENSE'));
}

if (import.meta.main) await buildWorkerPackage();
