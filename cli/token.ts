/** `codec-server token NAME`: makes a service token, shows it once, and gives the entry that recognizes it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { KeyDocumentError, PrivateFileError } from '../codec/errors.ts';
import { changePrivateFile } from '../codec/keys/secrets/private-file.ts';
import {
  makeServiceToken,
  readServiceTokenEntries,
  type ServiceTokenEntry,
} from '../lambda/server/auth/service-tokens.ts';
import type { CommandIo } from './command.ts';
import { createCommand, UsageError, wholeNumber } from './run-command.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
const MAX_DAYS = 3_650;
const DAY_MS = 86_400_000;

/** Makes a token and prints it. */
export const token = createCommand('token', async ({ values, operands }, io) => {
  const [name = '', more] = operands;
  if (values.check !== undefined) {
    if (operands.length > 0) throw new UsageError('--check takes a file and no name.');
    return check(values.check, io);
  }
  if (more !== undefined) throw new UsageError(`one name at a time; ${JSON.stringify(more)} is too much.`);
  if (!NAME.test(name))
    throw new UsageError('give the token a name of letters, digits and ._@- (up to 64), such as ci or dana-laptop.');
  const days = values.days === undefined ? undefined : wholeNumber('days', values.days, 1, MAX_DAYS);
  const made = makeServiceToken(name, days === undefined ? undefined : new Date(Date.now() + days * DAY_MS));
  if (values.file !== undefined) {
    const problem = addToFile(resolve(io.cwd, values.file), made.entry);
    if (problem !== undefined) {
      io.stderr.write(`codec-server token: ${problem} No token was made.\n`);
      return 1;
    }
  }
  io.stdout.write(values.json ? `${JSON.stringify(made, undefined, 2)}\n` : render(made, values.file));
  return 0;
});

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
    if (error instanceof KeyDocumentError)
      return `The ${WHAT} ${path} is not a list of service tokens: ${error.message}.`;
    if (error instanceof PrivateFileError) return error.message;
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
        ? `is not a list of service tokens: ${error.message}`
        : `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`;
    io.stderr.write(`codec-server token: ${file} ${what}. Put in force, it would end every service token.\n`);
    return 1;
  }
}
