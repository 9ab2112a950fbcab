/** `codec-server keygen`: adds a wrapping key to the keyring and makes it the one that writes. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { KeyringFileError } from '../codec/errors.ts';
import { newKeyName } from '../codec/keys/keyring/keyring.ts';
import { addKeyToKeyringFile } from '../codec/keys/keyring/keyring-file.ts';
import type { CommandIo } from './command.ts';

/** Where the local configuration keeps the keyring. */
const DEFAULT_KEYRING = '.codec-server/keyring.json';

export const KEYGEN_USAGE = `Usage: codec-server keygen [options]

Adds a new 256-bit key to the keyring and makes it the one that writes. Older keys keep reading; a
running server takes the new key up by itself. Makes the keyring where there is none.

  --keyring FILE   the file of wrapping keys (default: ${DEFAULT_KEYRING})
  --name NAME      the name of the key, which messages carry (default: made of the day and chance)
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
  try {
    const path = resolve(io.cwd, options.keyring);
    const { current, keys } = addKeyToKeyringFile(path, options.name ?? newKeyName());
    const older =
      keys.length === 1 ? '' : `; ${keys.length - 1} older ${keys.length === 2 ? 'key reads' : 'keys read'} on`;
    io.stdout.write(`Added the key ${current} to ${path}. It writes from now on${older}.\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof KeyringFileError)) throw error;
    io.stderr.write(`codec-server keygen: ${error.message}\n`);
    return 1;
  }
}

function parse(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        keyring: { type: 'string', default: DEFAULT_KEYRING },
        name: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    return `${(error as Error).message} See --help.`;
  }
}
