/** What every command does alike: it parses what it is given, answers `--help`, and says what is wrong with it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { nearest } from '../config/problem.ts';
import { type Command, type CommandIo, helpOf } from './command.ts';
import { COMMANDS, type CommandName } from './commands.ts';

/** Wrong usage. The message is one sentence; where to read more is added to it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Options<Name extends CommandName> = (typeof COMMANDS)[Name]['options'];
type Values<Name extends CommandName> = ReturnType<
  typeof parseArgs<{ options: Options<Name>; allowPositionals: true }>
>['values'];

/** What a command was given, parsed: nothing but types is checked. */
export interface Given<Name extends CommandName> {
  readonly values: Values<Name>;
  readonly operands: readonly string[];
}

/**
 * A command by its definition in {@link COMMANDS}.
 *
 * @param run what it does; may throw UsageError, which ends it with the exit code 2
 */
export function createCommand<Name extends CommandName>(
  name: Name,
  run: (given: Given<Name>, io: CommandIo, stop: AbortSignal) => Promise<number>,
): Command {
  return async (argv, io, stop = new AbortController().signal) => {
    try {
      const given = parse(name, argv);
      if (given !== undefined) return await run(given, io, stop);
      io.stdout.write(helpOf(name, COMMANDS[name]));
      return 0;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      io.stderr.write(`codec-server ${name}: ${error.message} See --help.\n`);
      return 2;
    }
  };
}

/** @returns undefined when help is asked for @throws UsageError */
function parse<Name extends CommandName>(name: Name, argv: readonly string[]): Given<Name> | undefined {
  const { options, operands } = COMMANDS[name] as (typeof COMMANDS)['start'] & { readonly operands?: object };
  const config = {
    args: [...argv],
    allowPositionals: operands !== undefined,
    options: { ...options, help: { type: 'boolean', short: 'h' } },
  } as const;
  let parsed: ReturnType<typeof parseArgs<typeof config>>;
  try {
    parsed = parseArgs(config);
  } catch (error) {
    // What Node.js adds is about arguments that begin with a dash.
    const sentence = (error as Error).message.split('. ')[0]?.replace(/\.$/, '') ?? '';
    const unknown = /^Unknown option '--([^']*)'$/.exec(sentence)?.[1];
    const meant = unknown === undefined ? undefined : nearest(unknown, Object.keys(config.options));
    throw new UsageError(`${sentence}.${meant === undefined ? '' : ` Did you mean --${meant}?`}`);
  }
  const { help, ...values } = parsed.values;
  return help === true ? undefined : { values: values as unknown as Values<Name>, operands: parsed.positionals };
}

/** The file that an option names, from the folder somebody is in. @throws UsageError */
export function readGiven(file: string, cwd: string): Buffer {
  try {
    return readFileSync(resolve(cwd, file));
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}).`);
  }
}

/** A whole number of an option. @throws UsageError */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new UsageError(`--${option} takes a whole number from ${least} to ${most}.`);
}
