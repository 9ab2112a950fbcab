import { KeyDocumentError, PrivateFileError } from '../../errors.ts';
import { readPrivateFile } from '../secrets/private-file.ts';
import type { SecretSourceOptions } from '../secrets/secret-source.ts';
import { parseStaticKeys, type StaticKeySet } from './static-keys.ts';

const WHAT = 'file of static keys';

/**
 * Reads static keys from a file of this machine, where the public key of the samples is accepted.
 *
 * @throws PrivateFileError when it is missing, unreadable, readable by others, or no such document
 */
export function readStaticKeysFile(path: string): StaticKeySet {
  return parse(path, readPrivateFile(path, WHAT));
}

/** The same, for a source that reads it anew: a key that is taken out of the file ends without a restart. */
export function staticKeysFile(path: string): Pick<SecretSourceOptions<StaticKeySet>, 'read' | 'parse'> {
  return {
    read: async () => ({ current: readPrivateFile(path, WHAT), previous: undefined }),
    parse: ({ current }) => parse(path, current),
  };
}

function parse(path: string, text: string): StaticKeySet {
  try {
    return parseStaticKeys(text, 'accepted');
  } catch (error) {
    if (!(error instanceof KeyDocumentError)) throw error;
    throw new PrivateFileError('malformed', path, `The ${WHAT} ${path} cannot be used: ${error.message}.`);
  }
}
