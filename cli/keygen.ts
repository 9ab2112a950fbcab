/** `codec-server keygen`: adds a wrapping key to the keyring, and says which key writes. */
import { resolve } from 'node:path';
import { KeyDocumentError, PrivateFileError } from '../codec/errors.ts';
import {
  formatKeyring,
  type Keyring,
  newKeyName,
  newKeyring,
  parseKeyring,
  withCurrentKey,
  withNewKey,
} from '../codec/keys/keyring/keyring.ts';
import { addKeyToKeyringFile, makeKeyCurrentInFile } from '../codec/keys/keyring/keyring-file.ts';
import type { CommandIo } from './command.ts';
import { createCommand, UsageError } from './run-command.ts';

/** Adds a key. */
export const keygen = createCommand('keygen', async ({ values: options }, io) => {
  if (options['make-current'] !== undefined && (options['read-only'] || options.name !== undefined))
    throw new UsageError('--make-current adds no key, so --name and --read-only do not go with it.');
  const path = resolve(io.cwd, options.keyring);
  try {
    if (options.document) return await changeDocument(options, io);
    io.stdout.write(`${change(path, options)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof PrivateFileError || error instanceof KeyDocumentError)) throw error;
    io.stderr.write(`codec-server keygen: ${error.message}\n`);
    return 1;
  }
});

interface Options {
  readonly name?: string | undefined;
  readonly 'read-only': boolean;
  readonly 'make-current'?: string | undefined;
}

/** Changes the document of standard input. */
async function changeDocument(options: Options, io: CommandIo): Promise<number> {
  const pieces: Buffer[] = [];
  for await (const piece of io.stdin) pieces.push(Buffer.from(piece));
  const text = Buffer.concat(pieces).toString('utf8').trim();
  const before = text === '' ? undefined : parseKeyring(text);
  const changed = changedKeyring(before, options);
  io.stdout.write(formatKeyring(changed));
  const others = changed.keys.filter(({ name }) => name !== changed.current).map(({ name }) => name);
  io.stderr.write(`${changed.current} writes${others.length === 0 ? '' : `; ${others.join(', ')} only reads`}.\n`);
  return 0;
}

/** @throws KeyDocumentError when there is no key to make current, or already one of that name */
function changedKeyring(before: Keyring | undefined, options: Options): Keyring {
  const { name = newKeyName(), 'read-only': readOnly, 'make-current': makeCurrent } = options;
  if (makeCurrent !== undefined) {
    if (before === undefined) throw new KeyDocumentError('there is no keyring on standard input');
    return withCurrentKey(before, makeCurrent);
  }
  return before === undefined ? newKeyring(name) : withNewKey(before, name, !readOnly);
}

/** Changes the file, and says what is so now. */
function change(path: string, { name, 'read-only': readOnly, 'make-current': makeCurrent }: Options): string {
  if (makeCurrent !== undefined) {
    const { current } = makeKeyCurrentInFile(path, makeCurrent);
    return `The key ${current} of ${path} writes from now on; every key still reads.`;
  }
  const added = name ?? newKeyName();
  const { current, keys } = addKeyToKeyringFile(path, added, !readOnly);
  if (current !== added) return `Added the key ${added} to ${path}. It only reads; ${current} still writes.`;
  const older = keys.length - 1;
  const reading = older === 0 ? '' : `; ${older} older ${older === 1 ? 'key still reads' : 'keys still read'}`;
  return `Added the key ${current} to ${path}. It writes from now on${reading}.`;
}
