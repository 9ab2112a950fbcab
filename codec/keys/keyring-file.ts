/**
 * The keyring as a file: readable by its owner alone, written whole or not at all, and one file even
 * when two processes make it at the same moment. Everything here happens at start or in a command,
 * so it is synchronous.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { KeyDocumentError, KeyringFileError } from '../errors.ts';
import { formatKeyring, type Keyring, newKeyring, parseKeyring, withNewKey } from './local-keyring.ts';

/** Far more than any keyring needs; whatever is larger is another file. */
const LARGEST_FILE = 1_048_576;
const OWNER_ONLY = 0o600;
/** How long a change waits for another process that changes the same file, in milliseconds. */
const LOCK_PATIENCE = 2_000;
const LOCK_PAUSE = 20;
/** How file systems say that they have no hard links. */
const WITHOUT_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']);

/**
 * Reads a keyring file.
 *
 * @throws KeyringFileError when it is missing, unreadable, readable by others, or no keyring
 */
export function readKeyringFile(path: string): Keyring {
  const text = readPrivateFile(path);
  try {
    return parseKeyring(text);
  } catch (error) {
    if (error instanceof KeyDocumentError)
      throw new KeyringFileError('malformed', path, `The keyring ${path} cannot be used: ${error.message}.`);
    throw error;
  }
}

/**
 * Reads a keyring file, and makes one with a single new key where there is none. Of several processes
 * that find none at the same time one makes it, and all of them read that one.
 *
 * @throws KeyringFileError when it can neither be read nor made
 */
export function readOrMakeKeyringFile(path: string): { readonly keyring: Keyring; readonly made: boolean } {
  try {
    return { keyring: readKeyringFile(path), made: false };
  } catch (error) {
    if (!(error instanceof KeyringFileError) || error.problem !== 'missing') throw error;
  }
  const made = makeFile(path, formatKeyring(newKeyring()));
  return { keyring: readKeyringFile(path), made };
}

/**
 * Adds a new key to a keyring file and makes it current; makes the file where there is none.
 *
 * @returns the keyring as it now stands in the file
 * @throws KeyringFileError when the file cannot be changed, or has a key of that name
 */
export function addKeyToKeyringFile(path: string, name: string): Keyring {
  try {
    if (makeFile(path, formatKeyring(newKeyring(name)))) return readKeyringFile(path);
    return whileLocked(path, () => {
      replaceFile(path, formatKeyring(withNewKey(readKeyringFile(path), name)));
      return readKeyringFile(path);
    });
  } catch (error) {
    if (error instanceof KeyDocumentError)
      throw new KeyringFileError('malformed', path, `The keyring ${path} gets no new key: ${error.message}.`);
    throw error;
  }
}

/** A file that only its owner can read, as text. */
export function readPrivateFile(path: string, what = 'keyring'): string {
  let file: number;
  try {
    // Without waiting, should it be a pipe that nobody writes to.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT')
      throw new KeyringFileError('missing', path, `The ${what} ${path} does not exist.`, { cause });
    throw unreadable(path, what, cause);
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw new KeyringFileError('unreadable', path, `The ${what} ${path} is not a file.`);
    if (status.size > LARGEST_FILE)
      throw new KeyringFileError('malformed', path, `The ${what} ${path} is too large: ${status.size} bytes.`);
    // Windows has no such mode: every file looks readable by all.
    if ((status.mode & 0o077) !== 0 && process.platform !== 'win32') {
      const mode = (status.mode & 0o777).toString(8);
      throw new KeyringFileError(
        'not-private',
        path,
        `The ${what} ${path} can be read or changed by others (mode ${mode}): run "chmod 600 ${path}".`,
      );
    }
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof KeyringFileError) throw cause;
    throw unreadable(path, what, cause);
  } finally {
    closeSync(file);
  }
}

function unreadable(path: string, what: string, cause: unknown): KeyringFileError {
  return new KeyringFileError('unreadable', path, `The ${what} ${path} cannot be read (${codeOf(cause)}).`, { cause });
}

/**
 * Makes a file with this content unless there is one. A link never replaces an existing file, and
 * shows the file with all of its content; where the file system has no links, a lock does that.
 *
 * @returns whether it was made
 */
export function makeFile(path: string, content: string, link: (from: string, to: string) => void = linkSync): boolean {
  return writable(path, () => {
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
      return whileLocked(path, () => {
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
 * A folder and those above it. Node's own recursive `mkdir` tries for ever where a file system lets
 * nobody make folders and says so with ENOENT, such as `/proc`.
 */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function replaceFile(path: string, content: string): void {
  writable(path, () => {
    const temporary = writeTemporary(path, content);
    try {
      renameSync(temporary, path);
      syncFolder(path);
    } finally {
      rmSync(temporary, { force: true });
    }
  });
}

function writeTemporary(path: string, content: string): string {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = openSync(temporary, 'wx', OWNER_ONLY);
  try {
    fchmodSync(file, OWNER_ONLY);
    const bytes = Buffer.from(content);
    let at = 0;
    while (at < bytes.length) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return temporary;
}

/** A lost keyring is lost data: the new name must survive a power cut too. Not every system can promise that. */
function syncFolder(path: string): void {
  try {
    const folder = openSync(dirname(path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // Windows, and some network file systems: the file itself has been synchronised.
  }
}

/** Holds `<path>.lock` meanwhile, so that of two new keys none is lost. */
function whileLocked<T>(path: string, action: () => T): T {
  const lock = `${path}.lock`;
  const deadline = Date.now() + LOCK_PATIENCE;
  while (!tryLock(path, lock)) {
    if (Date.now() > deadline)
      throw new KeyringFileError(
        'busy',
        path,
        `The keyring ${path} is being changed by another process: wait for it, or delete ${lock} if there is none.`,
      );
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_PAUSE);
  }
  try {
    return action();
  } finally {
    rmSync(lock, { force: true });
  }
}

function tryLock(path: string, lock: string): boolean {
  return writable(path, () => {
    try {
      closeSync(openSync(lock, 'wx', OWNER_ONLY));
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
  });
}

function writable<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof KeyringFileError) throw cause;
    throw new KeyringFileError('not-writable', path, `The keyring ${path} cannot be written (${codeOf(cause)}).`, {
      cause,
    });
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? 'unknown error';
}
