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
  return PACKAGES.map((place) => {
    const { status, stdout, stderr } = spawnSync('npm', ['pack', '--pack-destination', folder], {
      cwd: join(root, place),
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`npm pack failed in ${place}: ${stdout}${stderr}`);
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
