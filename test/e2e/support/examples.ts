/** The examples as somebody has them who cloned the repository and started the codec server. */
import { cpSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { artifactRoot, projectRoot, suiteRoot } from './paths.ts';
import { runOrThrow } from './processes.ts';
import { workerPackage } from './tools.ts';

/**
 * Lays a folder out as the repository: the keyring of the codec server, and the examples two folders below.
 *
 * @returns the folder of `examples/`
 */
export function layOutExamples(keyringFile: string): string {
  mkdirSync(artifactRoot, { recursive: true });
  const root = mkdtempSync(join(artifactRoot, 'examples-'));
  cpSync(keyringFile, join(root, '.codec-server/keyring.json'));
  const filter = (path: string): boolean => !/[/]examples.*[/](node_modules|target)$/.test(path);
  cpSync(join(projectRoot, 'examples'), join(root, 'examples'), { recursive: true, filter });
  return join(root, 'examples');
}

/** Gives an example in TypeScript what `npm install` would: the SDK from this suite, and the package. */
export async function installPackages(folder: string): Promise<void> {
  mkdirSync(join(folder, 'node_modules'));
  for (const [name, target] of [
    ['@temporalio', join(suiteRoot, 'node_modules/@temporalio')],
    ['@aws-sdk', join(suiteRoot, 'node_modules/@aws-sdk')],
    ['@types', join(projectRoot, 'node_modules/@types')],
    ['temporal-codec-server-worker', (await workerPackage()).folder],
  ] as const) {
    symlinkSync(target, join(folder, 'node_modules', name));
  }
}

/** Compiles an example in TypeScript with the compiler of the project. */
export async function compile(folder: string): Promise<void> {
  const compiler = join(projectRoot, 'node_modules/typescript/lib/tsc.js');
  await runOrThrow(process.execPath, [compiler, '-p', '.'], { cwd: folder });
}
