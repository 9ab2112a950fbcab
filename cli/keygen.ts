/** `codec-server keygen`: adds a wrapping key to the keyring, and says which key writes. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { KeyDocumentError, KeyringFileError } from '../codec/errors.ts';
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

/** Where the local configuration keeps the keyring. */
const DEFAULT_KEYRING = '.codec-server/keyring.json';

export const KEYGEN_USAGE = `Usage: codec-server keygen [options]

Adds a new 256-bit key to the keyring and makes it the one that writes. Older keys keep reading; a
running server takes the new key up by itself. Makes the keyring where there is none.

Where several machines share a keyring, a key must be everywhere before it writes anywhere: add it with
--read-only, copy the file to every machine, then --make-current on each.

A keyring in Secrets Manager is changed in a pipe, so that no key is written to a disk:
  aws secretsmanager get-secret-value --secret-id ARN --query SecretString --output text |
    codec-server keygen --document --read-only |
    aws secretsmanager put-secret-value --secret-id ARN --secret-string file:///dev/stdin

  --document           read the keyring from standard input, write the changed one to standard output, and what was done
                       to standard error; with nothing on standard input, make one
  --keyring FILE       the file of wrapping keys (default: ${DEFAULT_KEYRING})
  --name NAME          the name of the key, which messages carry (default: made of the day and chance)
  --read-only          the new key only reads; the key that wrote before goes on writing
  --make-current NAME  add no key: make the one of this name write
  --help

Exit code: 0 done, 1 the file cannot be changed, 2 wrong usage.
`;

/** Adds a key. */
export async function keygen(argv: readonly string[], io: CommandIo): Promise<number> {
  const options = parse(argv);
  if (typeof options === 'string') {
    io.stderr.write(`codec-server keygen: ${options}\n`);
    return 2;
  }
  if (options.help) {
    io.stdout.write(KEYGEN_USAGE);
    return 0;
  }
  const path = resolve(io.cwd, options.keyring);
  try {
    if (options.document) return await changeDocument(options, io);
    io.stdout.write(`${change(path, options)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof KeyringFileError || error instanceof KeyDocumentError)) throw error;
    io.stderr.write(`codec-server keygen: ${error.message}\n`);
    return 1;
  }
}

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

function parse(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        keyring: { type: 'string', default: DEFAULT_KEYRING },
        document: { type: 'boolean', default: false },
        name: { type: 'string' },
        'read-only': { type: 'boolean', default: false },
        'make-current': { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values['make-current'] !== undefined && (values['read-only'] || values.name !== undefined))
      return '--make-current adds no key, so --name and --read-only do not go with it. See --help.';
    return values;
  } catch (error) {
    return `${(error as Error).message} See --help.`;
  }
}
