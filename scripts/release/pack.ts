/** The packages as they are published, with the sums by which registries and lock files know them. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A packed package. */
export interface PackedPackage {
  readonly name: string;
  /** The file's name, in the folder it was packed into. */
  readonly file: string;
  readonly bytes: number;
  /** As in lock files: `sha512-` and base64. */
  readonly integrity: string;
}

/** Folders of the packages, from the root; the one for workers first, since it stands alone. */
const PACKAGES = ['codec', '.'] as const;

/**
 * Builds and packs both packages.
 *
 * @param root of the repository
 * @param folder where they go; it exists
 * @throws Error with what npm said, where a package cannot be built or packed
 */
export function packPackages(root: string, folder: string): PackedPackage[] {
  // Once for both, where npm would build each on its own.
  run(root, process.execPath, 'scripts/build.ts');
  return PACKAGES.map((place) => {
    const stdout = run(join(root, place), 'npm', 'pack', '--ignore-scripts', '--pack-destination', folder);
    const { name } = JSON.parse(readFileSync(join(root, place, 'package.json'), 'utf8')) as { name: string };
    const file = stdout.trim();
    return { name, file, ...sumOf(join(folder, file)) };
  });
}

/** A file's length and sum. */
export function sumOf(file: string): Pick<PackedPackage, 'bytes' | 'integrity'> {
  const content = readFileSync(file);
  return { bytes: content.length, integrity: `sha512-${createHash('sha512').update(content).digest('base64')}` };
}

function run(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args[0]} failed in ${cwd}: ${stdout}${stderr}`);
  return stdout;
}
