/**
 * Files with secrets: of this user or of root, readable by their owner alone, written whole or not at
 * all, and one file even when two processes make it at the same moment. The one path by which any
 * secret is written: under a lock, synchronized to the disk, through symbolic links to the file they
 * mean, with the owner it had. Everything here happens at start or in a command, so it is synchronous.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { PrivateFileError } from '../../errors.ts';

/** Far more than any secret needs; whatever is larger is another file. */
const LARGEST_FILE = 1_048_576;
const OWNER_ONLY = 0o600;
/** Where the local configuration keeps its secrets, in a folder of the user's. */
const OUR_FOLDER = '.codec-server';
/** How long a change waits for another process that changes the same file, in milliseconds. */
const LOCK_PATIENCE = 10_000;
const LOCK_PAUSE = 20;
/** Symbolic links followed to a file that is not there yet; as many as Linux follows. */
const MOST_LINKS = 40;
/** How file systems say that they have no hard links. */
const WITHOUT_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']);

/**
 * Reads a file that only its owner can read, as text.
 *
 * @param what it is, for the message of an error
 * @param largest bytes that it may have
 * @throws PrivateFileError when it is missing, unreadable, too large, readable by others, or
 *   another user's
 */
export function readPrivateFile(named: string, what: string, largest = LARGEST_FILE): string {
  // Whoever reads the message may not know which folder the process stands in.
  const path = resolve(named);
  let file: number;
  try {
    // Without waiting, should it be a pipe that nobody writes to.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT')
      throw new PrivateFileError('missing', path, `The ${what} ${path} does not exist.`, { cause });
    throw unreadable(path, what, cause);
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw new PrivateFileError('unreadable', path, `The ${what} ${path} is not a file.`);
    if (status.size > largest)
      throw new PrivateFileError('malformed', path, `The ${what} ${path} is too large: ${status.size} bytes.`);
    // Windows has no such mode: every file looks readable by all.
    if ((status.mode & 0o077) !== 0 && process.platform !== 'win32') {
      const mode = (status.mode & 0o777).toString(8);
      throw new PrivateFileError(
        'not-private',
        path,
        `The ${what} ${path} can be read or changed by others (mode ${mode}): run "chmod 600 ${inShell(path)}".`,
      );
    }
    const self = process.getuid?.();
    if (self !== undefined && status.uid !== self && status.uid !== 0)
      throw new PrivateFileError(
        'not-private',
        path,
        `The ${what} ${path} belongs to another user (${status.uid}), who can read and change it: run "chown ${self} ${inShell(path)}".`,
      );
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof PrivateFileError) throw cause;
    throw unreadable(path, what, cause);
  } finally {
    closeSync(file);
  }
}

/** A path as somebody can paste it into a shell. */
function inShell(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function unreadable(path: string, what: string, cause: unknown): PrivateFileError {
  return new PrivateFileError('unreadable', path, `The ${what} ${path} cannot be read (${codeOf(cause)}).`, { cause });
}

/**
 * Makes a file with this content unless there is one. A link never replaces an existing file, and
 * shows the file with all of its content; where the file system has no links, a lock does that.
 *
 * @returns whether it was made
 * @throws PrivateFileError when it cannot be made
 */
export function makePrivateFile(
  named: string,
  what: string,
  content: string,
  link: (from: string, to: string) => void = linkSync,
): boolean {
  return writable(named, what, () => {
    const path = targetOf(named);
    makeFolder(dirname(path));
    const temporary = writeTemporary(path, content);
    try {
      link(temporary, path);
      syncFolder(path);
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EEXIST') return false;
      if (!WITHOUT_LINKS.has(code)) throw error;
      return whileLocked(path, what, () => {
        if (existsSync(path)) return false;
        renameSync(temporary, path);
        syncFolder(path);
        return true;
      });
    } finally {
      rmSync(temporary, { force: true });
    }
  });
}

/**
 * A folder and those above it; ours keeps itself out of the repository that it is made in. Node's own recursive `mkdir` tries for ever where a file system lets
 * nobody make folders and says so with ENOENT, such as `/proc`.
 */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
    if (basename(folder) === OUR_FOLDER) writeFileSync(join(folder, '.gitignore'), '*\n', { flag: 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * Changes a file, of two changes at a time one after the other; whoever reads it meanwhile gets the
 * old content whole.
 *
 * @param change makes the new content of the old one; undefined when there is no such file
 * @throws PrivateFileError when it cannot be read or written, or is {@link readPrivateFile | not private};
 *   and whatever `change` throws, after which the file is as it was
 */
export function changePrivateFile(named: string, what: string, change: (content: string | undefined) => string): void {
  const path = writable(named, what, () => targetOf(named));
  whileLocked(path, what, () => {
    const before = writable(named, what, () => statSync(path, { throwIfNoEntry: false }));
    const content = change(before === undefined ? undefined : readPrivateFile(path, what));
    writable(named, what, () => {
      const temporary = writeTemporary(path, content, before);
      try {
        renameSync(temporary, path);
        syncFolder(path);
      } finally {
        rmSync(temporary, { force: true });
      }
    });
  });
}

/** Where a path leads by symbolic links, also when nothing is there yet: a link is never replaced by a file. */
function targetOf(named: string): string {
  let path = resolve(named);
  for (let links = 0; links < MOST_LINKS; links++) {
    try {
      return realpathSync(path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    try {
      path = resolve(dirname(path), readlinkSync(path));
    } catch {
      return path;
    }
  }
  return path;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** @param owner of the file that it will replace */
function writeTemporary(path: string, content: string, owner?: Owner): string {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = openSync(temporary, 'wx', OWNER_ONLY);
  try {
    fchmodSync(file, OWNER_ONLY);
    if (owner !== undefined && owner.uid !== fstatSync(file).uid) fchownSync(file, owner.uid, owner.gid);
    const bytes = Buffer.from(content);
    let at = 0;
    while (at < bytes.length) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return temporary;
}

/** Lost keys are lost data: the new name must survive a power cut too. Not every system can promise that. */
function syncFolder(path: string): void {
  try {
    const folder = openSync(dirname(path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // Windows, and some network file systems: the file itself has been synchronized.
  }
}

/**
 * Holds `<path>.lock` meanwhile, so that of two changes none is lost.
 *
 * @throws PrivateFileError when another process holds it for longer than ten seconds
 */
function whileLocked<T>(path: string, what: string, action: () => T): T {
  const lock = `${path}.lock`;
  const deadline = Date.now() + LOCK_PATIENCE;
  while (!tryLock(path, what, lock)) {
    if (Date.now() > deadline)
      throw new PrivateFileError(
        'busy',
        path,
        `The ${what} ${path} is being changed by another process: wait for it, or delete ${lock} if there is none.`,
      );
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_PAUSE);
  }
  try {
    return action();
  } finally {
    rmSync(lock, { force: true });
  }
}

function tryLock(path: string, what: string, lock: string): boolean {
  return writable(path, what, () => {
    try {
      closeSync(openSync(lock, 'wx', OWNER_ONLY));
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
  });
}

function writable<T>(path: string, what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof PrivateFileError) throw cause;
    throw new PrivateFileError('not-writable', path, `The ${what} ${path} cannot be written (${codeOf(cause)}).`, {
      cause,
    });
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? 'unknown error';
}
