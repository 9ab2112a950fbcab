/**
 * What a command of `codec-server` is: arguments in, an exit code out, and the outside world only
 * through {@link CommandIo}, so that a test can stand in for the terminal.
 */

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
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage
 */
export type Command = (argv: readonly string[], io: CommandIo) => Promise<number>;

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
