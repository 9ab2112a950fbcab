/** `codec-server token NAME`: makes a service token, shows it once, and gives the entry that recognizes it. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { KeyDocumentError } from '../codec/errors.ts';
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
  --help

To rotate a token, make another one of the same NAME, hand it out, then remove the older entry.
Exit code: 0 made, 1 the file cannot be used, 2 wrong usage.
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
  const expires = parsed.days === undefined ? undefined : new Date(Date.now() + parsed.days * DAY_MS);
  const made = makeServiceToken(parsed.name, expires);
  if (parsed.file !== undefined) {
    const problem = addToFile(resolve(io.cwd, parsed.file), made.entry);
    if (problem !== undefined) {
      io.stderr.write(`codec-server token: ${parsed.file} ${problem}. No token was made.\n`);
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

/** @returns what is wrong with the file, or undefined when the entry is in it */
function addToFile(path: string, entry: ServiceTokenEntry): string | undefined {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
  try {
    const tokens = [...readEntries(path), entry];
    writeFileSync(temporary, `${JSON.stringify({ tokens }, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, path);
    return undefined;
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof KeyDocumentError) return `is no list of service tokens: ${error.message}`;
    return `cannot be written (${(error as NodeJS.ErrnoException).code ?? 'error'})`;
  }
}

function readEntries(path: string): ServiceTokenEntry[] {
  try {
    return readServiceTokenEntries(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
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
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const [name = '', more] = positionals;
    const { file, json, help } = values;
    const days = values.days === undefined ? undefined : Number(values.days);
    if (help) return { name, days, file, json, help };
    if (more !== undefined) return `one name at a time; ${JSON.stringify(more)} is too much.`;
    if (!NAME.test(name))
      return 'give the token a name of letters, digits and ._@- (up to 64), such as ci or dana-laptop.';
    if (days !== undefined && !(Number.isInteger(days) && days >= 1 && days <= MAX_DAYS)) {
      return `--days takes a whole number from 1 to ${MAX_DAYS}.`;
    }
    return { name, days, file, json, help };
  } catch (error) {
    return (error as Error).message;
  }
}
