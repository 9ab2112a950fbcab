import { KeyDocumentError, PrivateFileError } from '../../errors.ts';
import { readPrivateFile } from '../secrets/private-file.ts';
import { parseStaticKeys, type StaticKeySet } from './static-keys.ts';

/**
 * Reads static keys from a file of this machine, where the public key of the samples is accepted.
 *
 * @throws PrivateFileError when it is missing, unreadable, readable by others, or no such document
 */
export function readStaticKeysFile(path: string): StaticKeySet {
  const text = readPrivateFile(path, 'file of static keys');
  try {
    return parseStaticKeys(text, 'accepted');
  } catch (error) {
    if (!(error instanceof KeyDocumentError)) throw error;
    throw new PrivateFileError('malformed', path, `The file of static keys ${path} cannot be used: ${error.message}.`);
  }
}
