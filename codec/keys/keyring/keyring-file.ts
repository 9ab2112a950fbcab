/** The keyring as a file. */
import { resolve } from 'node:path';
import { ageOf, type Clock, systemClock } from '../../calls/clock.ts';
import { CodecError, KeyDocumentError, KeyUnavailableError, PrivateFileError } from '../../errors.ts';
import { changePrivateFile, makePrivateFile, readPrivateFile } from '../secrets/private-file.ts';
import { formatKeyring, type Keyring, newKeyring, parseKeyring, withCurrentKey, withNewKey } from './keyring.ts';

const WHAT = 'keyring';

/**
 * Reads a keyring file.
 *
 * @throws PrivateFileError when it is missing, unreadable, readable by others, or no keyring
 */
export function readKeyringFile(path: string): Keyring {
  try {
    return parseFile(path, readPrivateFile(path, WHAT));
  } catch (error) {
    if (!(error instanceof PrivateFileError) || error.problem !== 'missing') throw error;
    const howToGetOne = `copy the one of the codec server that is to read what you write, or make one: npx codec-server keygen --keyring ${resolve(path)}`;
    throw new PrivateFileError('missing', path, `${error.message} To get one, ${howToGetOne}`, { cause: error });
  }
}

function parseFile(path: string, text: string): Keyring {
  try {
    return parseKeyring(text);
  } catch (error) {
    if (error instanceof KeyDocumentError)
      throw new PrivateFileError('malformed', path, `The keyring ${resolve(path)} cannot be used: ${error.message}.`);
    throw error;
  }
}

/**
 * Reads a keyring file, and makes one with a single new key where there is none. Of several processes
 * that find none at the same time one makes it, and all of them read that one.
 *
 * @throws PrivateFileError when it can neither be read nor made
 */
export function readOrMakeKeyringFile(path: string): { readonly keyring: Keyring; readonly made: boolean } {
  try {
    return { keyring: readKeyringFile(path), made: false };
  } catch (error) {
    if (!(error instanceof PrivateFileError) || error.problem !== 'missing') throw error;
  }
  const made = makePrivateFile(path, WHAT, formatKeyring(newKeyring()));
  return { keyring: readKeyringFile(path), made };
}

/**
 * Adds a new key to a keyring file; makes the file where there is none.
 *
 * @param writes whether the new key is the one that writes from now on; the only key of a file always is
 * @returns the keyring as it now stands in the file
 * @throws PrivateFileError when the file cannot be changed, or has a key of that name
 */
export function addKeyToKeyringFile(path: string, name: string, writes = true): Keyring {
  return orFileError(path, () => {
    if (makePrivateFile(path, WHAT, formatKeyring(newKeyring(name)))) return readKeyringFile(path);
    return changeKeyringFile(path, (keyring) => withNewKey(keyring, name, writes));
  });
}

/**
 * Makes a key of a keyring file the one that writes.
 *
 * @returns the keyring as it now stands in the file
 * @throws PrivateFileError when there is no file, it cannot be changed, or has no key of that name
 */
export function makeKeyCurrentInFile(path: string, name: string): Keyring {
  return orFileError(path, () => changeKeyringFile(path, (keyring) => withCurrentKey(keyring, name)));
}

function changeKeyringFile(path: string, change: (keyring: Keyring) => Keyring): Keyring {
  changePrivateFile(path, WHAT, (text) =>
    formatKeyring(change(text === undefined ? readKeyringFile(path) : parseFile(path, text))),
  );
  return readKeyringFile(path);
}

function orFileError<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof KeyDocumentError)
      throw new PrivateFileError('malformed', path, `The keyring ${resolve(path)} was not changed: ${error.message}.`);
    throw error;
  }
}

/** A keyring that may change while it is used: another process can add a key to its file. */
export interface FollowedKeyring {
  readonly keyring: Keyring;
  /**
   * Looks for a newer keyring. Cheap enough to be called for every wrapped key on the wire.
   *
   * @returns whether {@link keyring} has changed
   * @throws KeyUnavailableError `unusable` when nobody has known for five minutes what it is now
   */
  refresh(): boolean;
}

/** Milliseconds between two readings of the file, whatever comes over the wire. */
const PAUSE = 1000;
/** Milliseconds for which what a file held counts while it cannot be used: somebody may have wanted to take a key out of it. */
const KEPT = 5 * 60_000;

/**
 * A keyring that follows its file: a key that `codec-server keygen` adds is used, and one that was
 * taken out is not, without a restart. While the file is gone, broken or open to others, the keyring
 * stays as it was for five minutes, and then nothing opens or writes: a slip in a revocation does not keep a key alive,
 * and nothing is written under a key that is in no file any more.
 *
 * @param keyring what the file held when it was read first
 * @param onProblem told why the file cannot be used, once until it can be again or the reason is another
 */
export function followKeyringFile(
  path: string,
  keyring: Keyring,
  clock: Clock = systemClock,
  onProblem: (message: string) => void = () => {},
): FollowedKeyring {
  let current = keyring;
  let text = formatKeyring(keyring);
  let readAt = clock.now();
  let usableAt = readAt;
  let problem: string | undefined;
  return {
    get keyring() {
      return current;
    },
    refresh() {
      const now = clock.now();
      const isDue = ageOf(readAt, now) >= PAUSE;
      if (!isDue && problem === undefined) {
        usableAt = now;
        return false;
      }
      const { read, failure } = isDue ? readOrFailure(path) : { failure: problem };
      if (isDue) readAt = now;
      if (failure !== undefined && failure !== problem) onProblem(failure);
      problem = failure;
      if (failure === undefined) usableAt = now;
      else if (ageOf(usableAt, now) >= KEPT)
        throw new KeyUnavailableError('unusable', failure, 5, { dependency: 'secrets' });
      const readText = read === undefined ? text : formatKeyring(read);
      if (read === undefined || readText === text) return false;
      current = read;
      text = readText;
      return true;
    },
  };
}

function readOrFailure(path: string): { readonly read?: Keyring; readonly failure?: string } {
  try {
    return { read: readKeyringFile(path) };
  } catch (error) {
    if (error instanceof CodecError) return { failure: error.message };
    throw error;
  }
}
