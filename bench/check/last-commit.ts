/** The tree of the last commit, beside the one that is worked on. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '../process.ts';

/** The root of the tree that is worked on. */
export const HERE = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export interface LastCommit {
  /** Where its files are: below this tree, so that they find the same packages. */
  readonly root: string;
  readonly commit: string;
  remove(): void;
}

/** Unpacks the last commit. @throws Error where there is no git, or no commit */
export function unpackLastCommit(): LastCommit {
  const cache = join(HERE, '.cache', 'bench');
  mkdirSync(cache, { recursive: true });
  const root = mkdtempSync(join(cache, 'last-commit-'));
  const git = (...args: string[]): Buffer => execFileSync('git', args, { cwd: HERE, maxBuffer: 2 ** 30 });
  try {
    const commit = git('rev-parse', '--short', 'HEAD').toString().trim();
    execFileSync('tar', ['-x', '-C', root], { input: git('archive', 'HEAD') });
    return { root, commit, remove: () => rmSync(root, { recursive: true, force: true }) };
  } catch (error) {
    rmSync(root, { recursive: true, force: true });
    throw error;
  }
}

/** The command that starts the same of another tree: every file of `from` becomes that of `to`. */
export function ofTree<T extends Pick<Command, 'args'>>(command: T, from: string, to: string): T {
  const args = command.args.map((arg) => (arg.startsWith(`${from}/`) ? `${to}${arg.slice(from.length)}` : arg));
  return { ...command, args };
}
