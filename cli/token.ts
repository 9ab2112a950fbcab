/** `codec-server token NAME`: makes a service token, shows it once, and gives the entry that recognizes it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { KeyDocumentError, KeyringFileError } from '../codec/errors.ts';
import { changePrivateFile } from '../codec/keys/secrets/private-file.ts';
import {
  makeServiceToken,
  readServiceTokenEntries,
  type ServiceTokenEntry,
} from '../lambda/server/auth/service-tokens.ts';
import type { CommandIo } from './command.ts';

export const TOKEN_USAGE = `Usage: codec-server token NAME [options]

Makes a service token for the CLI's --codec-auth or a remote codec. The token is shown once and kept
nowhere; the server only knows its SHA-256.

  NAME           what rules and the audit log call it: { serviceToken: 'NAME' }
  --days N       days until it expires (default: never)
  --file FILE    add the entry to this file (config: serviceTokens: { file }), made when there is none
  --json         token and entry as JSON
  --check FILE   make nothing, but say whether this list can be put into the secret or file in force
  --help

To rotate a token, make another one of the same NAME, hand it out, then remove the older entry.
Exit code: 0 made (or the list can be used), 1 the file cannot be used, 2 wrong usage.
`;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
const MAX_DAYS = 3_650;
const DAY_MS = 86_400_000;

/** Makes a token and prints it. */
export async function token(argv: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parse(argv);
  if (typeof parsed === 'string') {
    io.stderr.write(`codec-server token: ${parsed} See --help.\n`);
    return 2;
  }
  if (parsed.help) {
    io.stdout.write(TOKEN_USAGE);
    return 0;
  }
  if (parsed.check !== undefined) return check(parsed.check, io);
  const expires = parsed.days === undefined ? undefined : new Date(Date.now() + parsed.days * DAY_MS);
  const made = makeServiceToken(parsed.name, expires);
  if (parsed.file !== undefined) {
    const problem = addToFile(resolve(io.cwd, parsed.file), made.entry);
    if (problem !== undefined) {
      io.stderr.write(`codec-server token: ${problem} No token was made.\n`);
      return 1;
    }
  }
  io.stdout.write(parsed.json ? `${JSON.stringify(made, undefined, 2)}\n` : render(made, parsed.file));
  return 0;
}

function render({ token, entry }: ReturnType<typeof makeServiceToken>, file: string | undefined): string {
  const keeping =
    file === undefined
      ? `Add this entry to "tokens" in the secret (or file) of service tokens, {"tokens":[…]}:\n\n  ${JSON.stringify(entry)}`
      : `Its entry is in ${file}; a running server reads it within five minutes.`;
  return `Service token ${entry.name}, shown this once:

  ${token}

${keeping}

Allow it something in a rule:   people: [{ serviceToken: '${entry.name}' }]
Use it in the Temporal CLI:     --codec-auth "Bearer <token>"
`;
}

const WHAT = 'file of service tokens';

/** @returns what is wrong with the file, or undefined when the entry is in it */
function addToFile(path: string, entry: ServiceTokenEntry): string | undefined {
  try {
    changePrivateFile(path, WHAT, (text) => {
      const tokens = [...(text === undefined ? [] : readServiceTokenEntries(text)), entry];
      return `${JSON.stringify({ tokens }, undefined, 2)}\n`;
    });
    return undefined;
  } catch (error) {
    if (error instanceof KeyDocumentError) return `The ${WHAT} ${path} is no list of service tokens: ${error.message}.`;
    if (error instanceof KeyringFileError) return error.message;
    throw error;
  }
}

/** Says whether a document can be put in place of the one in force. */
function check(file: string, io: CommandIo): number {
  try {
    const entries = readServiceTokenEntries(readFileSync(resolve(io.cwd, file), 'utf8'));
    const over = entries.filter(({ expires }) => expires !== undefined && Date.parse(expires) <= Date.now());
    const lines = entries.map(({ name, expires }) => `  ${name}${expires === undefined ? '' : `, until ${expires}`}\n`);
    const isOver = over.length === 0 ? '' : `Expired already: ${over.map(({ name }) => name).join(', ')}.\n`;
    io.stdout.write(
      `${file} can be used. Its tokens:${lines.length === 0 ? ' none.' : ''}\n${lines.join('')}${isOver}`,
    );
    return 0;
  } catch (error) {
    const what =
      error instanceof KeyDocumentError
        ? `is no list of service tokens: ${error.message}`
        : `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`;
    io.stderr.write(`codec-server token: ${file} ${what}. Put in force, it would end every service token.\n`);
    return 1;
  }
}

function parse(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        days: { type: 'string' },
        file: { type: 'string' },
        check: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const [name = '', more] = positionals;
    const { file, check, json, help } = values;
    const days = values.days === undefined ? undefined : Number(values.days);
    const parsed = { name, days, file, check, json, help };
    if (help) return parsed;
    if (check !== undefined) return positionals.length === 0 ? parsed : '--check takes a file and no name.';
    if (more !== undefined) return `one name at a time; ${JSON.stringify(more)} is too much.`;
    if (!NAME.test(name))
      return 'give the token a name of letters, digits and ._@- (up to 64), such as ci or dana-laptop.';
    if (days !== undefined && !(Number.isInteger(days) && days >= 1 && days <= MAX_DAYS)) {
      return `--days takes a whole number from 1 to ${MAX_DAYS}.`;
    }
    return parsed;
  } catch (error) {
    return (error as Error).message;
  }
}
