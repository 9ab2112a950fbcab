/** Folders of the project's cache that take long to make: programs, environments of packages. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * Makes a folder unless an earlier run did. Each process makes one of its own, and a link of the wanted name leads to the
 * one that was whole first. So a run that was interrupted leaves nothing half-made that a later one would trust, two
 * processes never write into the same folder, and no folder moves after something in it has noted its own path, as
 * a Python environment does.
 *
 * @param folder name that says everything that goes into it, with a hash of it, say
 * @param make fills the empty folder that it gets
 * @returns `folder`, which is whole
 */
export async function madeOnce(folder: string, make: (target: string) => Promise<void>): Promise<string> {
  if (isWhole(folder)) return folder;
  const target = `${folder}.${randomBytes(4).toString('hex')}`;
  mkdirSync(target, { recursive: true });
  try {
    await make(target);
    writeFileSync(join(target, MARK), '');
    return link(target, folder);
  } catch (error) {
    rmSync(target, { recursive: true, force: true });
    throw error;
  }
}

const MARK = '.complete';

const isWhole = (folder: string): boolean => existsSync(join(folder, MARK));

function link(target: string, folder: string): string {
  for (let tries = 1; ; tries++) {
    try {
      symlinkSync(basename(target), folder, 'dir');
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === 3) throw error;
      if (isWhole(folder)) {
        rmSync(target, { recursive: true, force: true });
        return folder;
      }
      // A link that leads nowhere any more, or a folder that was never whole.
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
