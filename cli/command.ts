/**
 * What a command of `codec-server` is: arguments in, an exit code out, and the outside world only
 * through {@link CommandIo}, so that a test can stand in for the terminal. Imports nothing of ours: an old Node.js
 * reads it, to be told that it is too old.
 */
import { existsSync, readFileSync } from 'node:fs';

/** Somewhere to print to. */
export interface TextOutput {
  /** False when it takes no more for now, as of Node's streams. */
  write(text: string | Uint8Array): unknown;
  /** Told when it takes more again. */
  once?(event: 'drain', listener: () => void): unknown;
  /** Whether a person watches. */
  readonly isTTY?: boolean | undefined;
}

/** The world of a command. */
export interface CommandIo {
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** Bytes or text piped in. */
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths start from. */
  readonly cwd: string;
}

/**
 * A command. Never rejects for what a user can do wrong: it says so in one sentence on `stderr`.
 *
 * @param stop aborted when the command is to end, for commands that take their time
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage; more in the notes of its definition
 */
export type Command = (argv: readonly string[], io: CommandIo, stop?: AbortSignal) => Promise<number>;

/** An option, as `parseArgs` of Node takes it, and what the help says of it. */
export interface OptionDefinition {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  readonly default?: string | boolean;
  /** What stands for its value in the help, such as `FILE`. */
  readonly value?: string;
  /** What it does, in one line or more. An option without stands beside the next one, and shares what that says. */
  readonly help?: string;
}

/** Everything about a command but what it does: how it is called, explained and parsed. */
export interface CommandDefinition<Options extends Readonly<Record<string, OptionDefinition>>> {
  /** In a few words, for the list of all commands. */
  readonly summary: string;
  /** What follows the name: `URL [options]`. */
  readonly usage: string;
  readonly about: string;
  /** What is given without an option, by its name in {@link usage}. Without any, an argument is wrong usage. */
  readonly operands?: Readonly<Record<string, string>>;
  /** Beside `--help`, which every command has. */
  readonly options: Options;
  /** What follows the options, exit codes last. */
  readonly notes: string;
  /** Whether it ends by itself, in order, at Ctrl-C and SIGTERM. Default: they end it at once. */
  readonly stops?: boolean;
}

/** Labels that are longer have their text in the next line. */
const MOST_LABEL = 22;

/** The help of a command. */
export function helpOf(
  name: string,
  { usage, about, operands = {}, options, notes }: CommandDefinition<Readonly<Record<string, OptionDefinition>>>,
): string {
  const rows: [label: string, help: string][] = Object.entries(operands);
  let beside: string[] = [];
  for (const [option, { value, short, help }] of Object.entries(options)) {
    beside.push(`--${option}${value === undefined ? '' : ` ${value}`}${short === undefined ? '' : `, -${short}`}`);
    if (help === undefined) continue;
    rows.push([beside.join(', '), help]);
    beside = [];
  }
  const width = Math.max(...rows.map(([label]) => label.length).filter((length) => length <= MOST_LABEL)) + 2;
  const indent = ' '.repeat(width + 2);
  const lines = rows.map(([label, help]) => {
    const text = help.replaceAll('\n', `\n${indent}`);
    return label.length <= MOST_LABEL ? `  ${label.padEnd(width)}${text}\n` : `  ${label}\n${indent}${text}\n`;
  });
  return `Usage: codec-server ${name} ${usage}\n\n${about}\n\n${lines.join('')}  --help\n\n${notes}\n`;
}

/** The help of `codec-server` itself. */
export function overviewOf(commands: Readonly<Record<string, { readonly summary: string }>>): string {
  const width = Math.max(...Object.keys(commands).map(({ length }) => length)) + 4;
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}${summary}\n`);
  return `Usage: codec-server COMMAND [options]\n\n${lines.join('')}
codec-server COMMAND --help says more about each; codec-server --version says which release this is.\n`;
}

/** The version in the package's manifest, which is one folder further up from what is built. */
export function packageVersion(): string {
  const places = ['../package.json', '../../package.json'].map((place) => new URL(place, import.meta.url));
  const file = places.find((place) => existsSync(place));
  if (file === undefined) throw new Error('the package has lost its package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}

/** As `engines` in package.json has it: Zstandard in `node:zlib`. */
const OLDEST = [22, 15] as const;

/**
 * Says in one line that Node.js is too old, where it would otherwise be a stack trace about some module.
 *
 * @param version such as `20.20.2`
 * @returns what to do; undefined when the version will do
 */
export function nodeTooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined;
  const oldest = OLDEST.join('.');
  return `codec-server needs Node.js ${oldest} or newer, and this is ${version}: install a newer one (https://nodejs.org), or use npx -p node@24 codec-server.`;
}
