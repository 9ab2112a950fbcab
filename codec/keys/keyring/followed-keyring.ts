import { CodecError } from '../../errors.ts';
import { type Clock, systemClock } from '../cache/clock.ts';
import { formatKeyring, type Keyring } from './keyring.ts';
import { readKeyringFile } from './keyring-file.ts';

/** A keyring that may change while it is used: another process can add a key to its file. */
export interface FollowedKeyring {
  readonly keyring: Keyring;
  /**
   * Looks for a newer keyring. Cheap enough to be called for every wrapped key on the wire.
   *
   * @returns whether {@link keyring} has changed
   */
  refresh(): boolean;
}

/** Milliseconds between two readings of the file, whatever comes over the wire. */
const PAUSE = 1000;

/**
 * A keyring that follows its file: a key that `codec-server keygen` adds is used, and one that was
 * taken out is not, without a restart. While the file is gone, broken or open to others, the keyring
 * stays as it was.
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
  let nextReading = clock.now() + PAUSE;
  let problem: string | undefined;
  return {
    get keyring() {
      return current;
    },
    refresh() {
      const now = clock.now();
      if (now < nextReading) return false;
      nextReading = now + PAUSE;
      const { read, failure } = readOrFailure(path);
      if (failure !== undefined && failure !== problem) onProblem(failure);
      problem = failure;
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
